select * from {{ landing() }}
