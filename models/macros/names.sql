{#
  Fields may bear any name, also that of an alias in these macros, or `rowid`, which then hides DuckDB's own. Two rules keep
  users' names and ours apart:

  - In the tables that a step makes for itself (the batch that comes in, what a rebuild has staged) each column of the model
    is led by `c_`; no name of ours begins so.
  - Where users' columns stand under their own names, each is written behind the alias of its own table, which DuckDB looks
    up before any column of that name. An alias never stands alone, nor in a query below its own.
#}
{% macro quoted_name(name) -%}
  "{{ name | replace('"', '""') }}"
{%- endmacro %}

{# A column of the model in the table behind `alias`: led by `c_` there, or under its own name where `lead` is empty. #}
{% macro column_of(alias, name, lead='c_') -%}
  {{ alias }}.{{ quoted_name(lead ~ name) }}
{%- endmacro %}

{# What a query gives, each column led by `c_`. `select *` brings the columns that `airbyte_columns()` takes the mark from. #}
{% macro led_columns(sql) -%}
  select columns('(?s)^(?:lotuslake:)?(.*)$') as 'c_\1' from (
  {{ sql }}
  )
{%- endmacro %}

{# Columns of the model in a table made of `led_columns(sql)`. #}
{% macro columns_of(relation, sql) -%}
  {%- set columns = [] -%}
  {%- for name in names_of(relation) -%}{%- do columns.append(name[2:]) -%}{%- endfor -%}
  {%- do refuse_twins(columns | map('lower') | list, sql) -%}
  {{ return(columns) }}
{%- endmacro %}

{% macro names_of(relation) -%}
  {{ return(run_query('describe ' ~ relation).columns[0].values() | list) }}
{%- endmacro %}

{# DuckDB calls the second of two columns `id` quietly `id_1`: a column of the source could pass for one of the lake's. #}
{% macro refuse_twins(columns, sql) -%}
  {%- for name in columns if name ~ '_1' in columns -%}
    {%- if (names_of('(\n' ~ sql ~ '\n)') | map('lower') | map('replace', 'lotuslake:', '') | list).count(name) > 1 -%}
      {%- do exceptions.raise_compiler_error(
        'the column ' ~ name ~ ' comes twice: give one of them another name, such as `' ~ name ~ ' as source_' ~ name
        ~ '`. What airbyte_columns() gives, is_deleted among it, is the lake\'s own.'
      ) -%}
    {%- endif -%}
  {%- endfor -%}
{%- endmacro %}
