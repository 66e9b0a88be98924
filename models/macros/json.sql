{# JSON text that is none becomes NULL: one bad value must not stop every query that looks into the column. #}
{% macro valid_json(text) -%}
  case when json_valid({{ text }}) then {{ text }} end
{%- endmacro %}

{# The text under the keys that follow, in JSON text; NULL where the text is no JSON or lacks them. #}
{% macro json_text(text) -%}
  json_extract_string({{ valid_json(text) }}, '$."{{ varargs | join('"."') | replace("'", "''") }}"')
{%- endmacro %}
