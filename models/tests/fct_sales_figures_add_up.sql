-- Net is gross less discounts and returns; the total is net with shipping, taxes and duties.
select *
from {{ ref('fct_sales') }}
where
    net_sales is distinct from gross_sales - discounts - returns
    or total_sales is distinct from net_sales + shipping + taxes + duties
