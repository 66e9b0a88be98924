{#
  A table of the lake. What it holds and what says so (its cursor, or the progress of its rebuild) are one commit:
  `dbt` begins the transaction at the first statement and commits at the end.
#}
{% materialization lake_table, adapter='duckdb' %}
  {%- set step = load_step() -%}
  {%- set live = this.incorporate(type='table') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {# An append touches no live table: the rebuild's progress guards it. #}
  {% if step['mode'] != 'append' %}
    {% call statement('guard') %}{{ guard_cursor(step) }}{% endcall %}
  {% endif %}
  {% if this.schema == 'processed' %}
    {% do build_processed(live, step, compiled_code) %}
  {% else %}
    {% call statement('main') %}create or replace table {{ live }} as {{ compiled_code }}{% endcall %}
    {% call statement('cursor') %}{{ advance_cursor() }}{% endcall %}
  {% endif %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [live]}) }}
{% endmaterialization %}
