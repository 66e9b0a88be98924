{#
  Money is DECIMAL(18,2), never DOUBLE. The sources send numbers (which land as DOUBLE) or text; what is no amount becomes
  NULL. A double rounds to the cent it was written as: 19.99 is 19.99.
#}
{% macro money(amount) -%}
  try_cast({{ amount }} as decimal(18, 2))
{%- endmacro %}

{#
  `field` of `owner` in the shop's money: from its set, which says so, else the plain field, which is in it as well. An
  owner that stands for an item of a list is written `(item)`: DuckDB takes `item.x` for a column `item` where there is one.
#}
{% macro shop_money(owner, field) -%}
  coalesce({{ money(owner ~ '.' ~ field ~ '_set.shop_money.amount') }}, {{ money(owner ~ '.' ~ field) }})
{%- endmacro %}

{# The sum of `field`, in the shop's money, over the items of a list; 0 for a missing or empty list. #}
{% macro sum_of_shop_money(list, field) -%}
  coalesce(list_sum([{{ shop_money('(item)', field) }} for item in {{ list }}]), 0)
{%- endmacro %}

{#
  amount × part / whole in cents, rounded half away from zero; 0 when `whole` is 0, which is never negative. DuckDB divides
  decimals as doubles, so this one counts in whole numbers: `part` and `whole` have at most `digits` decimals. Figures too
  large for that give NULL.
#}
{% macro share_of(amount, part, whole, digits=2) -%}
  {%- set unit = '1' ~ '0' * digits ~ '::hugeint' -%}
  {%- set n = '(cast(100 * (' ~ amount ~ ') as hugeint) * cast(' ~ unit ~ ' * (' ~ part ~ ') as hugeint))' -%}
  {%- set d = 'cast(' ~ unit ~ ' * (' ~ whole ~ ') as hugeint)' -%}
  case
    when {{ whole }} = 0 then 0
    else try(cast((2 * {{ n }} + sign({{ n }}) * {{ d }}) // (2 * {{ d }}) as decimal(36, 0)) * 0.01)
  end
{%- endmacro %}

{# Text fit for matching people: lower case, no blanks around, never empty. Dots and plus tags stay. #}
{% macro normalized_email(email) -%}
  nullif(lower(trim({{ email }})), '')
{%- endmacro %}
