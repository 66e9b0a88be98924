{#
  The landing rows that this step of a processed model reads.

  `int_shopify__orders` reads stream `shopify/orders`: the engine lays its rows out under that stream's name, in the types
  that the stream's file declares, with instants as TIMESTAMP in UTC whatever form the data files hold.
#}
{% macro landing() -%}
  memory.main.{{ adapter.quote('stg_' ~ model.name[4:]) }}
{%- endmacro %}

{# The columns that tell which version of a record a row shows. Every processed model ends its select list with them. #}
{% macro airbyte_columns() -%}
  columns('^(_airbyte_raw_id|_airbyte_extracted_at|_airbyte_generation_id|_cursor|is_deleted|_deleted_extracted_at|_deleted_raw_id)$')
{%- endmacro %}
