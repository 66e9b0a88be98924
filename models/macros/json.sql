{#
  JSON text as it can be read. Half of an emoji (a lone surrogate such as `\ud83d`, left where a text was cut off) makes the
  whole text no JSON to DuckDB: each becomes U+FFFD, the sign for a character that is lost. Text that is no JSON even then
  becomes NULL: one bad value must not stop every query that looks into the column. `json_trouble` says which is which.
#}
{% macro valid_json(text) -%}
  case when json_valid({{ text }}) then {{ text }} when json_valid({{ mended_json(text) }}) then {{ mended_json(text) }} end
{%- endmacro %}

{# NULL where a text is JSON or missing, `mended` where characters of it were lost, `unreadable` where all of it is. #}
{% macro json_trouble(text) -%}
  case
    when json_valid({{ text }}) then null
    when json_valid({{ mended_json(text) }}) then 'mended'
    when {{ text }} is not null then 'unreadable'
  end
{%- endmacro %}

{#
  The text with every lone surrogate replaced. Escaped backslashes and whole pairs are hidden behind characters that no JSON
  text may hold (2 and 1) until that is done.
#}
{% macro mended_json(text) -%}
  replace(replace(regexp_replace(regexp_replace(
    replace({{ text }}, '\\', chr(2)),
    '\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})', chr(1) || '\1' || chr(1) || '\2', 'g'),
    '\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\\ufffd', 'g'),
    chr(1), '\u'), chr(2), '\\')
{%- endmacro %}

{# The text under the keys that follow, in JSON text; NULL where the text is no JSON or lacks them. #}
{% macro json_text(text) -%}
  json_extract_string({{ valid_json(text) }}, '$."{{ varargs | join('"."') | replace("'", "''") }}"')
{%- endmacro %}
