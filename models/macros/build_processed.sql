{#
  One step of a processed model.

  replace  the whole history, which fits one batch: a new table in place of the live one
  append   one batch of a longer history: its rows into `int_x__rebuild`, beside the live table
  publish  the newest versions of `int_x__rebuild`, or of all its parts: a new table in place of the live one
  merge    one batch after the cursor: its newest versions into the live table
  replay   one batch from before the cursor, merged once more
#}
{% macro build_processed(live, step, sql) %}
  {%- set mode = step['mode'] -%}
  {%- set part = step['part'] -%}
  {%- set parts = parts_of(step) if mode == 'publish' else [part] -%}
  {% if mode in ('append', 'publish', 'replay') %}
    {% for one in parts %}{% call statement('guard_rebuild') %}{{ guard_rebuild(step, one) }}{% endcall %}{% endfor %}
  {% endif %}

  {% if mode == 'append' %}
    {% set staging = staging_table(live, part) %}
    {% call statement('staging') %}create table if not exists {{ staging }} as from ({{ sql }}) limit 0{% endcall %}
    {# Better now than after the whole history has been read. #}
    {% if step['carry_until'] is not none %}{% do carried_columns(live, staging) %}{% endif %}
    {% call statement('main') %}insert into {{ staging }} by name {{ sql }}{% endcall %}
  {% elif mode == 'publish' %}
    {% do publish_parts(live, step, parts) %}
  {% else %}
    {% do write_batch(live, step, sql) %}
  {% endif %}

  {% if mode in ('replace', 'publish') and step['least_rows'] is not none %}
    {% call statement('guard_rows') %}{{ guard_rows(live, step) }}{% endcall %}
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
{% endmacro %}

{# The newest versions of one batch, in place of the live table or into it. #}
{% macro write_batch(live, step, sql) %}
  {%- set incoming = adapter.quote('incoming_' ~ live.identifier) -%}
  {% call statement('incoming') %}create or replace temp table {{ incoming }} as {{ sql }}{% endcall %}
  {%- set columns = columns_of(incoming) -%}
  {% if step['mode'] == 'replace' %}
    {% if step['carry_until'] is not none %}
      {% set carried = quoted(carried_columns(live, incoming)) %}
      {% call statement('carry') %}
        insert into {{ incoming }} ({{ carried }}) select {{ carried }} from {{ live }} as live where {{ is_carried('live', step) }}
      {% endcall %}
    {% endif %}
    {% call statement('main') %}create or replace table {{ live }} as {{ newest_versions(incoming, step, columns) }}{% endcall %}
  {% else %}
    {% do merge_newest(live, incoming, step, columns) %}
  {% endif %}
  {% call statement('forget') %}drop table {{ incoming }}{% endcall %}
{% endmacro %}

{#
  The newest versions of what was staged, straight from the lake's own files. Choosing them takes memory for each record,
  which cannot be spilled: so a large table is written in several passes, each over the records of one hash range.
#}
{% macro publish_parts(live, step, parts) %}
  {%- set rows_in_a_pass = 2000000 -%}
  {%- set staged = [] -%}
  {%- set ns = namespace(rows=0) -%}
  {%- for one in parts -%}
    {%- set table = staging_table(live, one) -%}
    {%- set ns.rows = ns.rows + run_query('select count(*) from ' ~ table).columns[0].values()[0] | int -%}
    {%- do staged.append('select *, rowid * ' ~ parts | length ~ ' + ' ~ loop.index0 ~ ' as _row from ' ~ table) -%}
  {%- endfor -%}
  {%- set columns = columns_of(staging_table(live, parts[0])) -%}
  {%- if step['carry_until'] is not none -%}
    {%- set carried = quoted(carried_columns(live, staging_table(live, parts[0]))) -%}
    {# Behind all that was staged: of the same version, what was read anew stands. #}
    {%- do staged.append(
      'select ' ~ carried ~ ', 4611686018427387904 + rowid as _row from ' ~ live ~ ' as live where ' ~ is_carried('live', step)
    ) -%}
  {%- endif -%}
  {%- set passes = [1, (ns.rows / rows_in_a_pass) | round(0, 'ceil') | int] | max -%}
  {%- for number in range(passes) -%}
    {%- set range = 'hash(' ~ key_columns(step, 'staged') ~ ') % ' ~ passes ~ ' = ' ~ number -%}
    {%- set relation = '(from (' ~ staged | join(' union all by name ') ~ ') as staged' ~ (' where ' ~ range if passes > 1 else '') ~ ')' -%}
    {%- set newest = newest_versions(relation, step, columns, '_row') -%}
    {% call statement('main') %}
      {% if loop.first %}create or replace table {{ live }} as{% else %}insert into {{ live }}{% endif %} {{ newest }}
    {% endcall %}
  {%- endfor -%}
{% endmacro %}

{#
  Columns of the live table that go on in the one that takes its place. Rows that only files told which are gone are
  carried forward in them; columns that are new stay empty in such rows.
#}
{% macro carried_columns(live, relation) -%}
  {%- set held = types_of(live) -%}
  {%- set names = [] -%}
  {%- for name, type in types_of(relation).items() if name in held -%}
    {%- if held[name] != type -%}
      {% do run_query("select error('cannot carry: column " ~ (name | replace("'", "''")) ~ " has another type now')") %}
    {%- endif -%}
    {%- do names.append(name) -%}
  {%- endfor -%}
  {{ return(names) }}
{%- endmacro %}

{% macro types_of(relation) -%}
  {%- set found = {} -%}
  {%- for row in run_query('describe ' ~ relation).rows -%}{%- do found.update({row[0]: row[1]}) -%}{%- endfor -%}
  {{ return(found) }}
{%- endmacro %}

{% macro is_carried(alias, step) -%}
  {{ alias }}._airbyte_extracted_at is null or {{ alias }}._airbyte_extracted_at <= '{{ step['carry_until'] }}'::timestamp
{%- endmacro %}

{# A table is not put in place with fewer rows than what it replaces lets it have. #}
{% macro guard_rows(live, step) -%}
  select case when (select count(*) from {{ live }}) < {{ step['least_rows'] }}
    then error('too few rows: ' || (select count(*) from {{ live }})) end
{%- endmacro %}

{% macro columns_of(relation) -%}
  {{ return(run_query('describe ' ~ relation).columns[0].values() | list) }}
{%- endmacro %}
