{#
  The engine says what to do next in `memory.main.step`, one row a model. A step's first statement proves that nobody
  else has moved the model since it was planned; its last one moves the cursor, in the transaction that writes the rows.
#}
{% macro load_step() %}
  {% set found = run_query("select * from memory.main.step where model = '" ~ model.name ~ "'") %}
  {% if found.rows | length != 1 %}
    {% do exceptions.raise_compiler_error(model.name ~ ' is built by `lotuslake transform`, which lays out its input.') %}
  {% endif %}
  {% do return(found.rows[0]) %}
{% endmacro %}

{% macro cursor_table() -%}
  {{ target.database }}.meta.{{ adapter.quote('cursor_' ~ model.name) }}
{%- endmacro %}

{#
  A rebuild's progress and its staging table have the same suffix: none, or the part's name where several programs share
  the work. A replay has a progress and no staging table.
#}
{% macro rebuild_table(part) -%}
  {{ target.database }}.meta.{{ adapter.quote('rebuild_' ~ model.name ~ ('_' ~ part if part else '')) }}
{%- endmacro %}

{% macro staging_table(live, part) -%}
  {{ live.incorporate(path={'identifier': live.identifier ~ '__rebuild' ~ ('_' ~ part if part else '')}) }}
{%- endmacro %}

{# The parts that a publish takes together. #}
{% macro parts_of(step) -%}
  {%- set parts = [] -%}
  {%- for number in range(step['shards'] | int) -%}{%- do parts.append('shard_' ~ number) -%}{%- endfor -%}
  {{ return(parts if step['shards'] | int > 1 else ['']) }}
{%- endmacro %}

{% macro guard_cursor(step) -%}
  select case when (select version from {{ cursor_table() }}) is distinct from {{ step['version'] }}
    then error('lost race: another process has moved {{ model.name }}') end
{%- endmacro %}

{% macro guard_rebuild(step, part) -%}
  select case when not exists (
    select 1 from {{ rebuild_table(part) }} as r, memory.main.step as step
    where step.model = '{{ model.name }}' and r.position = step.rebuild_position and r.epoch = step.epoch
      and r.model_hash = step.model_hash and r.generation_id is not distinct from step.generation_id
  ) then error('lost race: another process has moved the rebuild of {{ model.name }}') end
{%- endmacro %}

{# Versions of the models that this one reads, as seen by the transaction that reads them. #}
{% macro upstream_versions() -%}
  {%- set parts = [] -%}
  {%- for id in model.depends_on.nodes | sort if id.startswith('model.') -%}
    {%- set name = id.split('.')[-1] -%}
    {%- do parts.append("'" ~ name ~ "', (select version from " ~ target.database ~ ".meta." ~ adapter.quote('cursor_' ~ name) ~ ")") -%}
  {%- endfor -%}
  json_object({{ parts | join(', ') }})::varchar
{%- endmacro %}

{# `more` are further assignments, each with a comma behind it. #}
{% macro advance_cursor(more='') -%}
  update {{ cursor_table() }} set
    {{ more }}
    version = step.version + 1,
    position = step.position,
    epoch = step.epoch,
    generation_id = step.generation_id,
    model_hash = step.model_hash,
    upstreams = {{ upstream_versions() }},
    built_by = step.built_by,
    read_snapshot = step.read_snapshot,
    run_id = step.run_id,
    updated_at = now()
  from memory.main.step as step
  where step.model = '{{ model.name }}'
{%- endmacro %}

{% macro advance_rebuild(part) -%}
  update {{ rebuild_table(part) }} set position = step.progress, updated_at = now()
  from memory.main.step as step
  where step.model = '{{ model.name }}'
{%- endmacro %}
