-- What the views and macros of the lake stand for, as statements; also those of former snapshots, which AT can show.

-- name: definitions
SELECT view_name, sql
FROM __ducklake_metadata_lakehouse.ducklake_view
UNION ALL
SELECT m.macro_name, CASE WHEN i.type = 'scalar' THEN 'SELECT ' || i.sql ELSE i.sql END
FROM __ducklake_metadata_lakehouse.ducklake_macro AS m
INNER JOIN __ducklake_metadata_lakehouse.ducklake_macro_impl AS i ON i.macro_id = m.macro_id

-- name: tables
-- Named as they are written in a query.
SELECT table_schema || '.' || table_name AS name, if(table_type = 'VIEW', 'view', 'table') AS kind
FROM information_schema.tables
WHERE table_catalog = 'lakehouse' AND table_schema IN ('landing', 'processed', 'enriched', 'meta')
ORDER BY table_schema = 'meta', table_schema, table_name
