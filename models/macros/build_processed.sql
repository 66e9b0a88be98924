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
  {%- set ns = namespace(without_key=0) -%}
  {% if mode in ('append', 'publish', 'replay') %}
    {% for one in parts %}{% call statement('guard_rebuild') %}{{ guard_rebuild(step, one) }}{% endcall %}{% endfor %}
  {% endif %}

  {% if mode == 'append' %}
    {% do append_batch(live, step, staging_table(live, part), sql) %}
  {% elif mode == 'publish' %}
    {% set ns.without_key = publish_parts(live, step, sql, parts) %}
  {% else %}
    {% set ns.without_key = write_batch(live, step, sql) %}
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
    {% call statement('cursor') %}{{ advance_cursor(assign_null_keys(step, ns.without_key)) }}{% endcall %}
  {% endif %}
{% endmacro %}

{% macro append_batch(live, step, staging, sql) %}
  {% call statement('staging') %}create table if not exists {{ staging }} as {{ led_columns(sql) }} limit 0{% endcall %}
  {# Better now than after the whole history has been read. #}
  {% if step['carry_until'] is not none %}{% do carried_columns(live, staging) %}{% endif %}
  {% do columns_of(staging, sql) %}
  {% call statement('main') %}insert into {{ staging }} by name {{ led_columns(sql) }}{% endcall %}
{% endmacro %}

{# The newest versions of one batch, in place of the live table or into it; how many records without a key are new in it. #}
{% macro write_batch(live, step, sql) %}
  {%- set incoming = quoted_name('incoming_' ~ live.identifier) -%}
  {% call statement('incoming') %}create or replace temp table {{ incoming }} as {{ led_columns(sql) }}{% endcall %}
  {%- set columns = columns_of(incoming, sql) -%}
  {% if step['mode'] == 'replace' and step['carry_until'] is not none %}
    {% call statement('carry') %}
      insert into {{ incoming }} by name {{ carried_rows(live, step, incoming) }}
    {% endcall %}
  {% endif %}
  {%- set without_key = sift_batch(incoming, live, step) -%}
  {%- set keyless = without_key['kept'] > 0 -%}
  {% if step['mode'] == 'replace' %}
    {% call statement('main') %}
      create or replace table {{ live }} as {{ newest_versions(incoming, step, columns, keyless) }}
    {% endcall %}
  {% else %}
    {% do merge_newest(live, incoming, step, columns, keyless) %}
  {% endif %}
  {% call statement('forget') %}drop table {{ incoming }}{% endcall %}
  {{ return(without_key['new']) }}
{% endmacro %}

{#
  The newest versions of what was staged, straight from the lake's own files; how many records in it have no key. Choosing
  them takes memory for each record, which cannot be spilled: so a large table is written in several passes, each over the
  records of one hash range.
#}
{% macro publish_parts(live, step, sql, parts) %}
  {%- set rows_in_a_pass = 2000000 -%}
  {%- if step['carry_until'] is not none -%}{%- do carry_beside(live, step, staging_table(live, parts[0])) -%}{%- endif -%}
  {%- set staged = staged_rows(live, step, parts) -%}
  {%- set without_key = count_without_key(staged['all'], step) -%}
  {%- set keyless = without_key > 0 and not step['drop_null_keys'] -%}
  {%- set relation = staged['with_key'] if without_key and step['drop_null_keys'] else staged['all'] -%}
  {%- set columns = columns_of(staging_table(live, parts[0]), sql) -%}
  {%- set passes = [1, (staged['rows'] / rows_in_a_pass) | round(0, 'ceil') | int] | max -%}
  {%- for number in range(passes) -%}
    {%- set range = 'hash(' ~ identity('staged', step, keyless) | join(', ') ~ ') % ' ~ passes ~ ' = ' ~ number -%}
    {%- set share = '(from ' ~ relation ~ ' as staged where ' ~ range ~ ')' if passes > 1 else relation -%}
    {%- set newest = newest_versions(share, step, columns, keyless, '_row') -%}
    {% call statement('main') %}
      {% if loop.first %}create or replace table {{ live }} as{% else %}insert into {{ live }}{% endif %} {{ newest }}
    {% endcall %}
  {%- endfor -%}
  {%- if step['carry_until'] is not none -%}
    {% call statement('forget') %}drop table {{ carried_table(live) }}{% endcall %}
  {%- endif -%}
  {{ return(without_key) }}
{% endmacro %}

{# What was staged, with `_row` to tell the rows of all parts apart: all of it, what has a key, and how many rows. #}
{% macro staged_rows(live, step, parts) %}
  {%- set every, with_key = [], [] -%}
  {%- set ns = namespace(rows=0) -%}
  {%- for one in parts -%}
    {%- set table = staging_table(live, one) -%}
    {%- set ns.rows = ns.rows + run_query('select count(*) from ' ~ table).columns[0].values()[0] | int -%}
    {%- set rows = 'select r.*, r.rowid * ' ~ parts | length ~ ' + ' ~ loop.index0 ~ ' as _row from ' ~ table ~ ' as r' -%}
    {%- do every.append(rows) -%}
    {%- do with_key.append(rows ~ ' where not ' ~ has_no_key('r', step)) -%}
  {%- endfor -%}
  {%- if step['carry_until'] is not none -%}
    {%- set rows = 'select r.*, 4611686018427387904 + r.rowid as _row from ' ~ carried_table(live) ~ ' as r' -%}
    {%- do every.append(rows) -%}
    {%- do with_key.append(rows ~ ' where not ' ~ has_no_key('r', step)) -%}
  {%- endif -%}
  {{ return({
    'all': '(' ~ every | join(' union all by name ') ~ ')',
    'with_key': '(' ~ with_key | join(' union all by name ') ~ ')',
    'rows': ns.rows,
  }) }}
{% endmacro %}

{#
  Rows that only files told which are gone: they go on in the table that takes the live one's place, in the columns that both
  have; columns that are new stay empty in them. They stand behind all that was read anew: of the same version, that stays.
#}
{% macro carried_rows(live, step, relation) -%}
  select
    {%- for name in carried_columns(live, relation) %}
    {{ column_of('t', name, '') }} as {{ quoted_name('c_' ~ name) }}{{ ',' if not loop.last }}
    {%- endfor %}
  from {{ live }} as t
  where t."_airbyte_extracted_at" is null or t."_airbyte_extracted_at" <= '{{ step['carry_until'] }}'::timestamp
{%- endmacro %}

{# The same as a table beside what was staged, for a publish. #}
{% macro carry_beside(live, step, staging) %}
  {% call statement('carry') %}
    create or replace temp table {{ carried_table(live) }} as {{ carried_rows(live, step, staging) }}
  {% endcall %}
{% endmacro %}

{% macro carried_table(live) -%}
  {{ quoted_name('carried_' ~ live.identifier) }}
{%- endmacro %}

{# Names of the columns of the live table that go on in `relation`, whose columns are led by `c_`. #}
{% macro carried_columns(live, relation) -%}
  {%- set held = types_of(live) -%}
  {%- set names = [] -%}
  {%- for led, type in types_of(relation).items() if led[2:] in held -%}
    {%- if held[led[2:]] != type -%}
      {% do run_query("select error('cannot carry: column " ~ (led[2:] | replace("'", "''")) ~ " has another type now')") %}
    {%- endif -%}
    {%- do names.append(led[2:]) -%}
  {%- endfor -%}
  {{ return(names) }}
{%- endmacro %}

{% macro types_of(relation) -%}
  {%- set found = {} -%}
  {%- for row in run_query('describe ' ~ relation).rows -%}{%- do found.update({row[0]: row[1]}) -%}{%- endfor -%}
  {{ return(found) }}
{%- endmacro %}

{# A table is not put in place with fewer rows than what it replaces lets it have. #}
{% macro guard_rows(live, step) -%}
  select case when (select count(*) from {{ live }}) < {{ step['least_rows'] }}
    then error('too few rows: ' || (select count(*) from {{ live }})) end
{%- endmacro %}
