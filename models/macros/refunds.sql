{#
  What a refund says in money, as columns of one shape: the two places that hold refunds land in different types (text in
  an order's own `refunds`, numbers in the stream). `duties` and `adjustment` are the amounts that differ in name too; NULL
  amounts count as 0. Each adjustment is called `(adjustment)`.
#}
{% macro refund_columns(duties, adjustment) -%}
  refund.id as refund_id,
  coalesce([
    {
      subtotal: coalesce({{ shop_money('(line)', 'subtotal') }}, 0),
      tax: coalesce({{ shop_money('(line)', 'total_tax') }}, 0),
      is_gift_card: coalesce((line).line_item.gift_card, false)
    } for line in refund.refund_line_items
  ], []) as lines,
  coalesce([
    coalesce({{ adjustment }}, 0)
    for adjustment in refund.order_adjustments if (adjustment).kind = 'refund_discrepancy'
  ], []) as discrepancies,
  coalesce([
    {
      amount: coalesce({{ money('(payment).amount') }}, 0),
      currency: (payment).currency,
      is_cash: coalesce((payment).kind = 'refund' and (payment).status = 'success', false)
    } for payment in refund.transactions
  ], []) as payments,
  coalesce({{ duties }}, 0) as duties
{%- endmacro %}
