{#
  Newest wins. The version of a row is (_airbyte_extracted_at, cursor, _airbyte_raw_id), nulls first; DuckDB sorts NULL last
  inside a tuple, so each part is led by whether it is there.

  A tombstone marks a record deleted without erasing what was known. Two versions are kept, that of the last full row and
  that of the last tombstone; each only ever grows, so the order in which files arrive does not matter. A record is
  deleted while its tombstone is newer than its last full row.

  A record is identified by its key. One whose key is wholly NULL is no version of another: its raw id identifies it.
#}
{% macro row_version(alias, step, lead='c_') -%}
  {%- set names = version_names(step) -%}
  {{ version_tuple(alias, ['_airbyte_extracted_at', names['cursor'], '_airbyte_raw_id'] | select | list, lead) }}
{%- endmacro %}

{% macro version_tuple(alias, names, lead) -%}
  row(
    {%- for name in names %}
      {{- column_of(alias, name, lead) }} is not null, {{ column_of(alias, name, lead) }}{{ ', ' if not loop.last }}
    {%- endfor -%}
  )
{%- endmacro %}

{% macro tombstone_version(alias, step) -%}
  {%- set names = version_names(step) -%}
  row({{ column_of(alias, names['deleted_extracted_at']) }} is not null, {{ column_of(alias, names['deleted_extracted_at']) }},
      {% if names['cursor'] %}false, null, {% endif -%}
      {{ column_of(alias, names['deleted_raw_id']) }} is not null, {{ column_of(alias, names['deleted_raw_id']) }})
{%- endmacro %}

{# What the lake's own columns are called in this model: see `lotuslake/core/version_columns.py`. #}
{% macro version_names(step) -%}
  {{ return(fromjson(step['version_columns'])) }}
{%- endmacro %}

{% macro has_full_row(alias, step) -%}
  ({{ column_of(alias, '_airbyte_raw_id') }} is distinct from {{ column_of(alias, version_names(step)['deleted_raw_id']) }})
{%- endmacro %}

{% macro has_tombstone(alias, step) -%}
  ({{ column_of(alias, version_names(step)['deleted_raw_id']) }} is not null)
{%- endmacro %}

{% macro has_no_key(alias, step, lead='c_') -%}
  ({%- for name in fromjson(step['primary_key']) -%}
    {{ column_of(alias, name, lead) }} is null{{ ' and ' if not loop.last }}
  {%- endfor -%})
{%- endmacro %}

{#
  What tells a record from all others, as a list of expressions. `keyless` says whether there are any without a key: where
  there are none, nobody has to look.
#}
{% macro identity(alias, step, keyless, lead='c_') -%}
  {%- set parts = [] -%}
  {%- for name in fromjson(step['primary_key']) -%}{%- do parts.append(column_of(alias, name, lead)) -%}{%- endfor -%}
  {%- if keyless -%}
    {%- set raw_id = column_of(alias, '_airbyte_raw_id', lead) -%}
    {%- do parts.append('case when ' ~ has_no_key(alias, step, lead) ~ ' then ' ~ raw_id ~ ' end') -%}
  {%- endif -%}
  {{ return(parts) }}
{%- endmacro %}

{# Whether the rows behind `s` and `t` are versions of one record; those behind `t` stand under their own names. #}
{% macro same_record(step, keyless, lead='c_') -%}
  {%- for ours in identity('s', step, keyless, lead) -%}
    {{ ours }} is not distinct from {{ identity('t', step, keyless, '')[loop.index0] }}{{ ' and ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

{#
  One row a record out of `relation`, whose column `id` numbers its rows: the newest version of each. Of rows with the same
  version the earlier one stands, so what is compared with (the live row) is put behind what comes in.
#}
{% macro newest_versions(relation, step, columns, keyless, id='rowid') -%}
  {%- set names = version_names(step) -%}
  {%- set version = '(' ~ row_version('r', step) ~ ', -r.' ~ id ~ ')' -%}
  {%- if not step['has_tombstones'] %}
  select {% for name in columns %}r.{{ quoted_name('c_' ~ name) }} as {{ quoted_name(name) }}{{ ', ' if not loop.last }}{% endfor %}
  from {{ relation }} as r
  where r.{{ id }} in (
    select max_by(r.{{ id }}, {{ version }})
    from {{ relation }} as r group by {{ identity('r', step, keyless) | join(', ') }}
  )
  {%- else %}
  {%- set deleted = '(best.tombstone is not null and (best.full_row is null or '
    ~ tombstone_version('t', step) ~ ' > ' ~ row_version('s', step) ~ '))' %}
  with best as (
    select
      max_by(r.{{ id }}, {{ version }}) filter (where {{ has_full_row('r', step) }}) as full_row,
      max_by(r.{{ id }}, ({{ tombstone_version('r', step) }}, -r.{{ id }})) filter (where {{ has_tombstone('r', step) }}) as tombstone
    from {{ relation }} as r group by {{ identity('r', step, keyless) | join(', ') }}
  )
  select
    {%- for name in columns %}
    {%- if name == names['is_deleted'] %}
    {{ deleted }}
    {%- elif is_tombstone_column(name, step) %}
    case when {{ deleted }} then {{ column_of('t', name) }} else {{ column_of('s', name) }} end
    {%- else %}
    case when best.full_row is not null then {{ column_of('s', name) }} else {{ column_of('t', name) }} end
    {%- endif %} as {{ quoted_name(name) }}{{ ',' if not loop.last }}
    {%- endfor %}
  from best
  left join {{ relation }} as s on s.{{ id }} = best.full_row
  left join {{ relation }} as t on t.{{ id }} = best.tombstone
  {%- endif %}
{%- endmacro %}

{#
  What a tombstone says of a deletion: the tombstone field, the fields that are called `deleted_…`, and its own version. They
  follow the tombstone, all others keep what was known.
#}
{% macro is_tombstone_column(name, step) -%}
  {%- set names = version_names(step) -%}
  {{ return(
    name in (names['tombstone'], names['deleted_extracted_at'], names['deleted_raw_id']) or name.startswith('deleted_')
  ) }}
{%- endmacro %}

{#
  Bring the temporary table `incoming` into the live table: an older version never overwrites, the same one does.

  With tombstones the live rows of the same records join the comparison first, so that one rule decides everywhere.
#}
{% macro merge_newest(target_relation, incoming, step, columns, keyless) %}
  {%- if step['has_tombstones'] %}
    {% call statement('live_rows') %}
      insert into {{ incoming }} ({{ column_list(columns, 'c_') }})
      select {% for name in columns %}{{ column_of('t', name, '') }}{{ ', ' if not loop.last }}{% endfor %}
      from {{ target_relation }} as t
      semi join {{ incoming }} as s on {{ same_record(step, keyless) }}
    {% endcall %}
  {%- endif %}
  {% call statement('main') %}
    merge into {{ target_relation }} as t using ({{ newest_versions(incoming, step, columns, keyless) }}) as s
    on {{ same_record(step, keyless, lead='') }}
    when matched
      {%- if not step['has_tombstones'] %}
      and {{ row_version('s', step, lead='') }} >= {{ row_version('t', step, lead='') }}
      {%- endif %} then update set
      {%- for name in columns %}
      {{ quoted_name(name) }} = {{ column_of('s', name, '') }}{{ ',' if not loop.last }}
      {%- endfor %}
    when not matched then insert ({{ column_list(columns) }}) values (
      {%- for name in columns %}{{ column_of('s', name, '') }}{{ ', ' if not loop.last }}{% endfor -%}
    )
  {% endcall %}
{% endmacro %}

{% macro column_list(columns, lead='') -%}
  {%- for name in columns %}{{ quoted_name(lead ~ name) }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}
