{#
  One step of a processed model.

  replace  the whole history, which fits one batch: a new table in place of the live one
  append   one batch of a longer history: its newest versions into `int_x__rebuild`, beside the live table
  publish  the newest versions of `int_x__rebuild`, or of all its parts: a new table in place of the live one
  merge    one batch after the cursor: its newest versions into the live table
  replay   one batch from before the cursor, merged once more
#}
{% macro build_processed(live, step, sql) %}
  {%- set mode = step['mode'] -%}
  {%- set part = step['part'] -%}
  {%- set parts = parts_of(step) if mode == 'publish' else [part] -%}
  {%- set incoming = adapter.quote('incoming_' ~ live.identifier) -%}
  {% if mode in ('append', 'publish', 'replay') %}
    {% for one in parts %}{% call statement('guard_rebuild') %}{{ guard_rebuild(step, one) }}{% endcall %}{% endfor %}
  {% endif %}
  {% call statement('incoming') %}
    create or replace temp table {{ incoming }} as
    {% if mode == 'publish' -%}
      {%- for one in parts %}from {{ staging_table(live, one) }}{{ ' union all by name ' if not loop.last }}{% endfor %}
    {%- else %}{{ sql }}{% endif %}
  {% endcall %}
  {%- set columns = run_query('describe ' ~ incoming).columns[0].values() | list -%}

  {% if mode in ('merge', 'replay') %}
    {% do merge_newest(live, incoming, step, columns) %}
  {% elif mode == 'append' %}
    {% set staging = staging_table(live, part) %}
    {% call statement('staging') %}create table if not exists {{ staging }} as from {{ incoming }} limit 0{% endcall %}
    {% call statement('main') %}
      insert into {{ staging }} ({{ quoted(columns) }}) {{ newest_versions(incoming, step, columns) }}
    {% endcall %}
  {% else %}
    {% call statement('main') %}create or replace table {{ live }} as {{ newest_versions(incoming, step, columns) }}{% endcall %}
  {% endif %}

  {% if mode == 'publish' %}
    {% for one in parts %}
      {% call statement('drop_staging') %}drop table {{ staging_table(live, one) }}{% endcall %}
      {% call statement('drop_progress') %}drop table {{ rebuild_table(one) }}{% endcall %}
    {% endfor %}
    {% if parts | length > 1 %}
      {% call statement('drop_whole') %}drop table {{ rebuild_table('') }}{% endcall %}
    {% endif %}
  {% elif mode == 'replay' and step['progress'] is none %}
    {% call statement('drop_progress') %}drop table {{ rebuild_table(part) }}{% endcall %}
  {% elif mode in ('append', 'replay') %}
    {% call statement('progress') %}{{ advance_rebuild(part) }}{% endcall %}
  {% endif %}
  {% if mode != 'append' %}
    {% call statement('cursor') %}{{ advance_cursor() }}{% endcall %}
  {% endif %}
  {% call statement('forget') %}drop table {{ incoming }}{% endcall %}
{% endmacro %}
