{#
  Newest wins. The version of a row is (_airbyte_extracted_at, _cursor, _airbyte_raw_id), nulls first; DuckDB sorts NULL
  last inside a tuple, so each part is led by whether it is there.

  A tombstone marks a record deleted without erasing what was known. Two versions are kept, that of the last full row and
  that of the last tombstone; each only ever grows, so the order in which files arrive does not matter. A record is
  deleted while its tombstone is newer than its last full row.
#}
{% macro row_version(alias, has_cursor) -%}
  row({{ alias }}._airbyte_extracted_at is not null, {{ alias }}._airbyte_extracted_at,
      {% if has_cursor %}{{ alias }}._cursor is not null, {{ alias }}._cursor, {% endif -%}
      {{ alias }}._airbyte_raw_id is not null, {{ alias }}._airbyte_raw_id)
{%- endmacro %}

{% macro tombstone_version(alias, has_cursor) -%}
  row({{ alias }}._deleted_extracted_at is not null, {{ alias }}._deleted_extracted_at,
      {% if has_cursor %}false, null, {% endif -%}
      {{ alias }}._deleted_raw_id is not null, {{ alias }}._deleted_raw_id)
{%- endmacro %}

{% macro has_full_row(alias) -%}
  ({{ alias }}._airbyte_raw_id is distinct from {{ alias }}._deleted_raw_id)
{%- endmacro %}

{% macro has_tombstone(alias) -%}
  ({{ alias }}._deleted_raw_id is not null)
{%- endmacro %}

{% macro key_columns(step, alias) -%}
  {%- for name in fromjson(step['primary_key']) -%}
    {{ alias }}.{{ adapter.quote(name) }}{{ ', ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

{#
  One row a key out of `relation`, whose column `id` numbers its rows: the newest version of each record. Of rows with the
  same version the earlier one stands, so what is compared with (the live row) is put behind what comes in.
#}
{% macro newest_versions(relation, step, columns, id='rowid') -%}
  {%- if not step['has_tombstones'] %}
  select {{ quoted(columns) }} from {{ relation }}
  where {{ id }} in (
    select max_by(r.{{ id }}, ({{ row_version('r', step['has_cursor']) }}, -r.{{ id }}))
    from {{ relation }} as r group by {{ key_columns(step, 'r') }}
  )
  {%- else %}
  with best as (
    select
      max_by(r.{{ id }}, ({{ row_version('r', step['has_cursor']) }}, -r.{{ id }})) filter (where {{ has_full_row('r') }}) as full_rowid,
      max_by(r.{{ id }}, ({{ tombstone_version('r', step['has_cursor']) }}, -r.{{ id }})) filter (where {{ has_tombstone('r') }}) as tombstone_rowid
    from {{ relation }} as r group by {{ key_columns(step, 'r') }}
  ),
  states as (
    select
      s as full_row, t as tombstone,
      full_rowid is not null as known,
      tombstone_rowid is not null and (full_rowid is null
        or {{ tombstone_version('t', step['has_cursor']) }} > {{ row_version('s', step['has_cursor']) }}) as deleted
    from best
    left join {{ relation }} as s on s.{{ id }} = full_rowid
    left join {{ relation }} as t on t.{{ id }} = tombstone_rowid
  )
  select
    {%- for name in columns %}
    {%- set column = adapter.quote(name) %}
    {%- if name == 'is_deleted' %}
    deleted as is_deleted
    {%- elif is_tombstone_column(name) %}
    case when deleted then tombstone.{{ column }} else full_row.{{ column }} end as {{ column }}
    {%- else %}
    case when known then full_row.{{ column }} else tombstone.{{ column }} end as {{ column }}
    {%- endif %}{{ ',' if not loop.last }}
    {%- endfor %}
  from states
  {%- endif %}
{%- endmacro %}

{# What a tombstone says of a deletion: these columns follow the tombstone, all others keep what was known. #}
{% macro is_tombstone_column(name) -%}
  {{ return(name.startswith('deleted_') or name.startswith('_deleted_')) }}
{%- endmacro %}

{#
  Bring the temporary table `incoming` into the live table: an older version never overwrites, the same one does.

  With tombstones the live rows of the same keys join the comparison first, so that one rule decides everywhere.
#}
{% macro merge_newest(target_relation, incoming, step, columns) %}
  {%- if step['has_tombstones'] %}
    {% call statement('live_rows') %}
      insert into {{ incoming }} ({{ quoted(columns) }})
      select {{ quoted(columns) }} from {{ target_relation }} as t
      where exists (select 1 from {{ incoming }} as s where {{ same_key(step) }})
    {% endcall %}
  {%- endif %}
  {% call statement('main') %}
    merge into {{ target_relation }} as t using ({{ newest_versions(incoming, step, columns) }}) as s
    on {{ same_key(step) }}
    when matched
      {%- if not step['has_tombstones'] %}
      and {{ row_version('s', step['has_cursor']) }} >= {{ row_version('t', step['has_cursor']) }}
      {%- endif %} then update set
      {%- for name in columns %}
      {{ adapter.quote(name) }} = s.{{ adapter.quote(name) }}{{ ',' if not loop.last }}
      {%- endfor %}
    when not matched then insert ({{ quoted(columns) }}) values (
      {%- for name in columns %}s.{{ adapter.quote(name) }}{{ ', ' if not loop.last }}{% endfor -%}
    )
  {% endcall %}
{% endmacro %}

{% macro same_key(step) -%}
  {%- for name in fromjson(step['primary_key']) -%}
    s.{{ adapter.quote(name) }} is not distinct from t.{{ adapter.quote(name) }}{{ ' and ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

{% macro quoted(columns) -%}
  {%- for name in columns %}{{ adapter.quote(name) }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}
