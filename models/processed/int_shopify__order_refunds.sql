select
    id,
    order_id,
    shop_url,
    created_at,
    processed_at,
    note,
    restock,
    user_id,
    "return".id as return_id,
    {{ money('total_duties_set.shop_money.amount') }} as total_duties,
    refund_line_items,
    order_adjustments,
    transactions,
    {{ airbyte_columns() }}
from {{ landing() }}
