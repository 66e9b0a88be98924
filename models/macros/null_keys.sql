{#
  A record whose key is wholly NULL has no key. The stream's file says where it goes: `keep` makes it a row of its own for
  each raw id, `drop` leaves it out. Either way the model's cursor counts them, each raw id once.
#}
{% macro count_without_key(relation, step) -%}
  {%- set raw_id = column_of('r', '_airbyte_raw_id') -%}
  {{ return(run_query(
    "select count(distinct coalesce(" ~ raw_id ~ ", '')) from " ~ relation ~ " as r where " ~ has_no_key('r', step)
  ).columns[0].values()[0] | int) }}
{%- endmacro %}

{# Of these, how many the live table does not show yet. #}
{% macro count_new_without_key(incoming, live, step) -%}
  {%- set theirs = column_of('t', '_airbyte_raw_id', '') -%}
  {%- set shown = '(select ' ~ theirs ~ ' as raw_id from ' ~ live ~ ' as t where ' ~ has_no_key('t', step, '') ~ ')' -%}
  {%- set ours = column_of('r', '_airbyte_raw_id') -%}
  {{ return(run_query(
    "select count(distinct coalesce(" ~ ours ~ ", '')) from " ~ incoming ~ " as r anti join " ~ shown
    ~ " as shown on shown.raw_id is not distinct from " ~ ours ~ " where " ~ has_no_key('r', step)
  ).columns[0].values()[0] | int) }}
{%- endmacro %}

{#
  Count the records without a key in a batch, and leave them out where they are to be dropped.

  Gives how many stand in the batch, and by how many the cursor's count grows: a batch that comes again in a replay brings
  nothing new, and what is dropped shows in no table, so there each batch counts its own.
#}
{% macro sift_batch(incoming, live, step) -%}
  {%- set found = count_without_key(incoming, step) -%}
  {%- set ns = namespace(new=found) -%}
  {%- if found and step['drop_null_keys'] -%}
    {% call statement('leave_out') %}delete from {{ incoming }} as r where {{ has_no_key('r', step) }}{% endcall %}
    {%- if step['mode'] == 'replay' -%}{%- set ns.new = 0 -%}{%- endif -%}
  {%- elif found and step['mode'] != 'replace' -%}
    {%- set ns.new = count_new_without_key(incoming, live, step) -%}
  {%- endif -%}
  {{ return({'kept': 0 if step['drop_null_keys'] else found, 'new': ns.new}) }}
{%- endmacro %}

{#
  The cursor's count after a step, as an assignment; nothing where it stays. It is NULL until the first record without a key,
  so that a lake that never saw one has nothing to look up.
#}
{% macro assign_null_keys(step, new) -%}
  {%- if step['mode'] in ('replace', 'publish') -%}
    null_keys = case when {{ new }} > 0 or null_keys is not null then {{ new }} end,
  {%- elif new -%}
    null_keys = coalesce(null_keys, 0) + {{ new }},
  {%- endif -%}
{%- endmacro %}
