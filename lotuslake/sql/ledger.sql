-- Reading and writing the ledger, `meta.files`.

-- name: load_entries
SELECT
    seq, path, etag, size_bytes, last_modified, rows, status, reason, batch_id, recorded_at, data_path, generation_id,
    newest_extracted_at, content_hash, sync_id, oldest_extracted_at,
    coalesce(min(seq) FILTER (WHERE status IN ('registered', 'copied')) OVER (PARTITION BY path), 0) AS readable_seq
FROM (
    -- A lake that is only read may be of an older version, which lacks these: then they are NULL.
    SELECT NULL::BIGINT AS sync_id, NULL::TIMESTAMP AS oldest_extracted_at WHERE false
    UNION ALL BY NAME
    SELECT * FROM lakehouse.meta.files
)
WHERE stream = $stream AND ($since IS NULL OR partition_date IS NULL OR partition_date >= $since)
QUALIFY row_number() OVER (PARTITION BY path ORDER BY seq DESC) = 1
ORDER BY seq

-- name: newest_known
SELECT max(partition_date), max(last_modified) FILTER (
    WHERE status IN ('registered', 'copied', 'empty') AND last_modified <= $until::TIMESTAMPTZ
)
FROM lakehouse.meta.files WHERE stream = $stream

-- name: append_entries
-- One JSON text: a list parameter for each column takes DuckDB a hundred times as long.
INSERT INTO lakehouse.meta.files BY NAME
SELECT $stream AS stream, $batch_id AS batch_id, now() AS recorded_at, unnest(from_json($entries, '[{
    "seq": "BIGINT", "path": "VARCHAR", "etag": "VARCHAR", "size_bytes": "BIGINT", "last_modified": "TIMESTAMPTZ",
    "rows": "BIGINT", "status": "VARCHAR", "reason": "VARCHAR", "partition_date": "DATE", "data_path": "VARCHAR",
    "generation_id": "BIGINT", "newest_extracted_at": "TIMESTAMP", "content_hash": "VARCHAR",
    "sync_id": "BIGINT", "oldest_extracted_at": "TIMESTAMP"
}]'), recursive := true)

-- name: append_batch
INSERT INTO lakehouse.meta.batches BY NAME
SELECT
    $batch_id AS batch_id, $run_id AS run_id, $stream AS stream, $action AS action, $files AS files, $rows AS rows,
    $size_bytes AS size_bytes, $first_seq AS first_seq, $last_seq AS last_seq, now() AS recorded_at

-- name: find_batch
SELECT count(*) FROM lakehouse.meta.batches WHERE batch_id = $batch_id

-- name: findings
SELECT finding_id, kind, stream, subject, reason, since_at FROM lakehouse.meta.findings
WHERE list_contains($streams, stream) ORDER BY stream, kind, subject

-- name: load_raised
WITH raised AS (
    SELECT * FROM lakehouse.meta.raised WHERE stream = $stream
    QUALIFY row_number() OVER (PARTITION BY finding_id ORDER BY recorded_at DESC) = 1
)
SELECT finding_id, kind, stream, subject, reason, recorded_at FROM raised WHERE is_open ORDER BY kind, subject

-- name: is_raised
SELECT is_open FROM lakehouse.meta.raised WHERE finding_id = $id ORDER BY recorded_at DESC LIMIT 1

-- name: accept
INSERT INTO lakehouse.meta.accepted SELECT unnest($ids::VARCHAR[]), $reason, $by, $now

-- name: record_run
INSERT INTO lakehouse.meta.runs
VALUES ($run_id, $command, $version, $started_at, $ended_at, $exit_code, $message)

-- name: record_tests
INSERT INTO lakehouse.meta.test_results
SELECT
    $run_id, unnest($test::VARCHAR[]), unnest($model::VARCHAR[]), unnest($stream::VARCHAR[]), unnest($status::VARCHAR[]),
    unnest($failures::BIGINT[]), unnest($message::VARCHAR[]), $now

-- name: record_raised
INSERT INTO lakehouse.meta.raised
SELECT
    unnest($id::VARCHAR[]), unnest($kind::VARCHAR[]), unnest($stream::VARCHAR[]), unnest($subject::VARCHAR[]),
    unnest($reason::VARCHAR[]), $is_open, now()

-- name: record_tested
INSERT INTO lakehouse.meta.tested_models
SELECT $run_id, unnest($model::VARCHAR[]), unnest($version::BIGINT[]), $now

-- name: load_tested
SELECT model, arg_max(version, tested_at) FROM lakehouse.meta.tested_models GROUP BY model

-- name: load_freshness
SELECT stream, warn_after_seconds, error_after_seconds FROM lakehouse.meta.streams
QUALIFY row_number() OVER (PARTITION BY stream ORDER BY recorded_at DESC) = 1

-- name: record_freshness
INSERT INTO lakehouse.meta.streams VALUES ($stream, $warn_after, $error_after, now())
