-- No order is lost and none is counted twice on the way from the orders, nor does one appear that is no sale.
select orders.id, sales.order_id
from (
    select id from {{ ref('int_shopify__orders') }} where is_deleted is not true and test is not true
) as orders
full join {{ ref('fct_sales') }} as sales on sales.order_id = orders.id
where orders.id is null or sales.order_id is null
