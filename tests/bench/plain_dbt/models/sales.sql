{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge') }}
select range as id, now() as updated_at from range(500)
