-- What the catalog holds of streams, also of those whose file is gone from the project.

-- name: fences
SELECT DISTINCT table_name FROM duckdb_columns()
WHERE database_name = 'lakehouse' AND schema_name = 'meta' AND starts_with(table_name, $prefix)

-- name: tables_of
SELECT DISTINCT schema_name, table_name FROM duckdb_columns()
WHERE database_name = 'lakehouse' AND (
    (schema_name = 'landing' AND table_name = 'stg_' || $slug)
    OR (schema_name = 'processed' AND (
        table_name = 'int_' || $slug OR starts_with(table_name, 'int_' || $slug || '__rebuild')
    ))
    OR (schema_name = 'meta' AND (
        table_name IN ('fence_' || $slug, 'cursor_int_' || $slug, 'rebuild_int_' || $slug)
        OR regexp_full_match(table_name, 'rebuild_int_' || $slug || '_(shard_[0-9]+|replay_[0-9]*_[0-9]*)')
    ))
)

-- name: forget_accepted
DELETE FROM lakehouse.meta.accepted WHERE list_contains(string_split(finding_id, ':'), $stream)
