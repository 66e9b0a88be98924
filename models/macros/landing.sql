{#
  The landing rows that this step of a processed model reads.

  `int_shopify__orders` reads stream `shopify/orders`: the engine lays its rows out under that stream's name, in the types
  that the stream's file declares, with instants as TIMESTAMP in UTC whatever form the data files hold.
#}
{% macro landing() -%}
  memory.main.{{ quoted_name('stg_' ~ model.name[4:]) }}
{%- endmacro %}

{#
  The columns that tell which version of a record a row shows. Every processed model ends its select list with them.

  The engine's own are led by `lotuslake:` in `landing()`, which no field's name can be, and lose that here. They are called
  `_cursor`, `_deleted_extracted_at`, `_deleted_raw_id` unless the stream has a field of that name: then `_` comes before it.
  `is_deleted`, where the source sends tombstones, is always the lake's: a field of that name needs another in the model.
#}
{% macro airbyte_columns() -%}
  columns('^(?:(_airbyte_raw_id|_airbyte_extracted_at|_airbyte_generation_id)|lotuslake:(.+))$') as '\1\2'
{%- endmacro %}
