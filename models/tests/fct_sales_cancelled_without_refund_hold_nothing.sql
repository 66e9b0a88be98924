-- A cancelled order without any refund is taken back whole.
select sales.*
from {{ ref('fct_sales') }} as sales
inner join {{ ref('int_shopify__orders') }} as orders on orders.id = sales.order_id
where
    sales.is_cancelled
    and coalesce(len(orders.refunds), 0) = 0
    and sales.order_id not in (select order_id from {{ ref('int_shopify__order_refunds') }} where order_id is not null)
    and (sales.total_sales, sales.net_sales, sales.gift_cards_sold) <> (0, 0, 0)
