-- Where the lake stands. Reads only.

-- name: streams
WITH freshness AS (
    SELECT stream, error_after_seconds FROM lakehouse.meta.streams
    QUALIFY row_number() OVER (PARTITION BY stream ORDER BY recorded_at DESC) = 1
),
files AS (
    SELECT * FROM lakehouse.meta.files QUALIFY row_number() OVER (PARTITION BY stream, path ORDER BY seq DESC) = 1
)
SELECT
    stream,
    count(*) FILTER (WHERE status IN ('registered', 'copied')),
    coalesce(sum(rows) FILTER (WHERE status IN ('registered', 'copied')), 0)::BIGINT,
    coalesce(sum(size_bytes) FILTER (WHERE status IN ('registered', 'copied')), 0)::BIGINT,
    max(last_modified) FILTER (WHERE status IN ('registered', 'copied', 'empty')),
    coalesce(max(seq), 0),
    any_value(error_after_seconds)
FROM files LEFT JOIN freshness USING (stream)
GROUP BY stream ORDER BY stream

-- name: findings
SELECT stream, kind, count(*) FROM lakehouse.meta.findings GROUP BY ALL ORDER BY ALL

-- name: commands
SELECT command, exit_code, ended_at FROM lakehouse.meta.runs
QUALIFY row_number() OVER (PARTITION BY command ORDER BY ended_at DESC) = 1
ORDER BY command

-- name: snapshots
SELECT count(*), min(snapshot_time) FROM ducklake_snapshots('lakehouse')

-- name: meta_tables
SELECT DISTINCT table_name FROM duckdb_columns()
WHERE database_name = 'lakehouse' AND schema_name = 'meta' AND starts_with(table_name, $prefix)
ORDER BY table_name
