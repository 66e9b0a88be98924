{#
  One row per order that counts, figures to date, by docs/sales-definitions.md (its letters stand beside the columns).
#}
with orders as (
    select
        id as order_id,
        name as order_name,
        processed_at at time zone 'UTC' as processed_at,
        customer_id,
        email,
        coalesce(currency, '{{ var("shop_currency") }}') as currency,
        financial_status,
        cancelled_at is not null as is_cancelled,
        coalesce(taxes_included, false) as taxes_included,
        coalesce(total_price, 0) as total_price,
        coalesce(presentment_total_price, 0) as presentment_total_price,
        coalesce(total_tax, 0) as total_tax,
        coalesce(original_total_duties, 0) as total_duties,
        coalesce(total_tip_received, 0) as tips,
        line_items,
        shipping_lines,
        refunds,
        _airbyte_extracted_at as seen_at
    from {{ ref('int_shopify__orders') }}
    where not coalesce(is_deleted, false) and not coalesce(test, false)
),

lines as (
    select
        order_id,
        taxes_included,
        coalesce(line.gift_card, false) as is_gift_card,
        coalesce(line.quantity, 0) as quantity,
        coalesce({{ shop_money('line', 'price') }}, 0) * coalesce(line.quantity, 0) as paid_price,  -- P
        {{ sum_of_shop_money('line.discount_allocations', 'amount') }} as allocated,  -- A
        {{ sum_of_shop_money('line.tax_lines', 'price') }} as tax,  -- T
        coalesce(list_sum([try_cast(tax.rate as decimal(18, 12)) for tax in line.tax_lines]), 0) as tax_rate  -- R
    from (select order_id, taxes_included, unnest(line_items) as line from orders) as each_line
),

-- D: a discount is given on the price that the buyer sees; what of it was tax is no discount.
discounted_lines as (
    select
        *,
        case
            when taxes_included then {{ share_of('allocated', '1', '1 + tax_rate', digits=12) }} else allocated
        end as discount
    from lines
),

line_totals as (
    select
        order_id,
        sum(case when taxes_included then paid_price - allocated - tax + discount else paid_price end)
            filter (where not is_gift_card) as gross,  -- G
        sum(discount) filter (where not is_gift_card) as discounts,
        sum(quantity) filter (where not is_gift_card) as units,
        sum(paid_price - allocated) filter (where is_gift_card) as gift_cards,
        sum(tax) as line_tax
    from discounted_lines
    group by order_id
),

shipping_totals as (
    select
        order_id,
        sum(
            coalesce({{ shop_money('line', 'price') }}, 0)
            - {{ sum_of_shop_money('line.discount_allocations', 'amount') }}
        ) as charged  -- S
    from (select order_id, unnest(shipping_lines) as line from orders) as each_line
    group by order_id
),

-- The stream of refunds never sees a pending payment settle, a new version of the order does; an order that did not
-- change since may lack a refund that the stream has.
refunds_seen as (
    select
        order_id, seen_at, true as is_from_order,
        {{ refund_columns(money('refund.total_duties_set.shop_money.amount'), shop_money('(adjustment)', 'amount')) }}
    from (select order_id, seen_at, unnest(refunds) as refund from orders) as each_refund
    union all by name
    select
        order_id, _airbyte_extracted_at as seen_at, false as is_from_order,
        {{ refund_columns('refund.total_duties', money('(adjustment).amount')) }}
    from {{ ref('int_shopify__order_refunds') }} as refund
),

latest_refunds as (
    select *
    from refunds_seen
    qualify row_number() over (
        partition by order_id, refund_id order by seen_at desc nulls last, is_from_order desc
    ) = 1
),

refunds as (
    select
        order_id,
        coalesce(list_sum([line.subtotal for line in lines if not line.is_gift_card]), 0) as returned,  -- RL
        coalesce(list_sum([line.subtotal for line in lines if line.is_gift_card]), 0) as returned_gift_cards,  -- RG
        coalesce(list_sum([line.tax for line in lines]), 0) as line_tax,  -- RT
        coalesce(list_sum(discrepancies), 0) as discrepancy,  -- X
        duties,  -- RD
        len(payments) > 0 or len(discrepancies) > 0 as moves_cash,
        -- C: a payment in the buyer's currency becomes shop money by the order's own rate.
        coalesce(list_sum([
            case
                when payment.currency <> orders.currency and orders.presentment_total_price <> 0
                    then {{ share_of('payment.amount', 'orders.total_price', 'orders.presentment_total_price') }}
                else payment.amount
            end for payment in payments if payment.is_cash
        ]), 0) as cash,
        len([payment for payment in payments if payment.is_cash and payment.currency <> orders.currency]) > 0 as is_converted
    from latest_refunds
    inner join orders using (order_id)
),

refund_totals as (
    select
        order_id,
        sum(returned) as returned,
        sum(returned_gift_cards) as returned_gift_cards,
        sum(line_tax) as line_tax,
        sum(discrepancy) as discrepancy,
        sum(duties) as duties,
        sum(case
            when moves_cash then cash - returned - returned_gift_cards - line_tax - duties + discrepancy else 0
        end) as shipping_with_tax,  -- RS
        bool_or(is_converted) as is_converted
    from refunds
    group by order_id
),

-- Everything in one row, with 0 for what an order has none of.
charged as (
    select
        orders.*,
        coalesce(line_totals.gross, 0) as gross,
        coalesce(line_totals.discounts, 0) as line_discounts,
        coalesce(line_totals.units, 0) as units,
        coalesce(line_totals.gift_cards, 0) as gift_cards,
        coalesce(shipping_totals.charged, 0) as shipping_charged,
        orders.total_tax - coalesce(line_totals.line_tax, 0) as shipping_tax,  -- ST
        orders.is_cancelled and refund_totals.order_id is null as is_reversed,
        coalesce(refund_totals.returned, 0) as returned,
        coalesce(refund_totals.returned_gift_cards, 0) as returned_gift_cards,
        coalesce(refund_totals.line_tax, 0) as refunded_line_tax,
        coalesce(refund_totals.discrepancy, 0) as discrepancy,
        coalesce(refund_totals.duties, 0) as refunded_duties,
        coalesce(refund_totals.shipping_with_tax, 0) as refunded_with_tax,
        coalesce(refund_totals.is_converted, false) as is_converted
    from orders
    left join line_totals using (order_id)
    left join shipping_totals using (order_id)
    left join refund_totals using (order_id)
),

shipping as (
    select
        *,
        case when taxes_included then shipping_charged - shipping_tax else shipping_charged end as shipping_before_tax,  -- SN
        case when taxes_included then shipping_charged else shipping_charged + shipping_tax end as shipping_paid
    from charged
),

-- An exchange rate leaves a cent or two behind, which are neither shipping paid back nor shipping kept.
shipping_paid_back as (
    select
        *,
        case
            when is_converted and abs(refunded_with_tax) <= 0.02 then 0
            when is_converted and abs(refunded_with_tax - shipping_paid) <= 0.02 then shipping_paid
            else refunded_with_tax
        end as refunded_shipping_paid  -- RS
    from shipping
),

refunded_shipping_taxes as (
    select
        *,
        {{ share_of('refunded_shipping_paid', 'shipping_tax', 'shipping_paid') }} as refunded_shipping_tax  -- RST
    from shipping_paid_back
),

figures as (
    select
        *,
        gross as gross_sales,
        line_discounts as discounts,
        case when is_reversed then gross - line_discounts else returned - discrepancy end as returns,
        case
            when is_reversed then shipping_before_tax else refunded_shipping_paid - refunded_shipping_tax
        end as refunded_shipping,
        case
            when is_reversed then 0 else total_tax - refunded_line_tax - refunded_shipping_tax
        end as taxes,
        case when is_reversed then 0 else total_duties - refunded_duties end as duties,
        case when is_reversed then 0 else gift_cards - returned_gift_cards end as gift_cards_sold
    from refunded_shipping_taxes
)

select
    order_id,
    order_name,
    cast(processed_at at time zone '{{ var("shop_timezone") }}' as date) as sale_date,
    processed_at,
    customer_id,
    email,
    currency,
    financial_status,
    is_cancelled,
    {{ money('gross_sales') }} as gross_sales,
    {{ money('discounts') }} as discounts,
    {{ money('returns') }} as returns,
    {{ money('gross_sales - discounts - returns') }} as net_sales,
    {{ money('shipping_before_tax - refunded_shipping') }} as shipping,
    {{ money('taxes') }} as taxes,
    {{ money('duties') }} as duties,
    {{ money('gross_sales - discounts - returns + shipping_before_tax - refunded_shipping + taxes + duties') }} as total_sales,
    {{ money('tips') }} as tips,
    {{ money('gift_cards_sold') }} as gift_cards_sold,
    try_cast(units as bigint) as units,
    {{ money('refunded_shipping') }} as refunded_shipping,
    case
        when customer_id is not null
            then row_number() over (partition by customer_id order by processed_at, order_id) = 1
    end as is_first_order
from figures
