{# The folder of a model is its schema: models/processed → processed, models/enriched → enriched. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {%- set folder = node.original_file_path.split('/')[0] -%}
  {{ custom_schema_name or (folder if folder in ('processed', 'enriched') else target.schema) }}
{%- endmacro %}
