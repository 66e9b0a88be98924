{#
  One step of a processed model.

  replace  the whole history, which fits one batch: a new table in place of the live one
  append   one batch of a longer history: its newest versions into `int_x__rebuild`, beside the live table
  publish  the newest versions of `int_x__rebuild`: a new table in place of the live one
  merge    one batch after the cursor: its newest versions into the live table
#}
{% macro build_processed(live, step, sql) %}
  {%- set mode = step['mode'] -%}
  {%- set rebuild = live.incorporate(path={'identifier': live.identifier ~ '__rebuild'}) -%}
  {%- set incoming = adapter.quote('incoming_' ~ live.identifier) -%}
  {% if mode in ('append', 'publish') %}
    {% call statement('guard_rebuild') %}{{ guard_rebuild(step) }}{% endcall %}
  {% endif %}
  {% call statement('incoming') %}
    create or replace temp table {{ incoming }} as {% if mode == 'publish' %}from {{ rebuild }}{% else %}{{ sql }}{% endif %}
  {% endcall %}
  {%- set columns = run_query('describe ' ~ incoming).columns[0].values() | list -%}

  {% if mode == 'merge' %}
    {% do merge_newest(live, incoming, step, columns) %}
  {% elif mode == 'append' %}
    {% call statement('rebuild') %}create table if not exists {{ rebuild }} as from {{ incoming }} limit 0{% endcall %}
    {% call statement('main') %}
      insert into {{ rebuild }} ({{ quoted(columns) }}) {{ newest_versions(incoming, step, columns) }}
    {% endcall %}
  {% else %}
    {% call statement('main') %}create or replace table {{ live }} as {{ newest_versions(incoming, step, columns) }}{% endcall %}
  {% endif %}

  {% if mode == 'publish' %}
    {% call statement('drop_rebuild') %}drop table {{ rebuild }}{% endcall %}
    {% call statement('drop_progress') %}drop table {{ rebuild_table() }}{% endcall %}
  {% endif %}
  {% call statement('position') %}{{ advance_rebuild() if mode == 'append' else advance_cursor() }}{% endcall %}
  {% call statement('forget') %}drop table {{ incoming }}{% endcall %}
{% endmacro %}
