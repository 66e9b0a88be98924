-- Tables and views of schema `meta` in a new lake; `upgrades.sql` brings an older one to the same form. Two programs may make
-- them at once: the loser of a race finds them made.

-- name: tables
CREATE TABLE IF NOT EXISTS lakehouse.meta.files (
    stream VARCHAR, seq BIGINT, path VARCHAR, etag VARCHAR, size_bytes BIGINT, last_modified TIMESTAMPTZ, rows BIGINT,
    status VARCHAR, reason VARCHAR, batch_id VARCHAR, recorded_at TIMESTAMPTZ,
    partition_date DATE, data_path VARCHAR, generation_id BIGINT, newest_extracted_at TIMESTAMP, content_hash VARCHAR,
    sync_id BIGINT, oldest_extracted_at TIMESTAMP
);
CREATE TABLE IF NOT EXISTS lakehouse.meta.batches (
    batch_id VARCHAR, run_id VARCHAR, stream VARCHAR, action VARCHAR, files BIGINT, rows BIGINT, size_bytes BIGINT,
    first_seq BIGINT, last_seq BIGINT, recorded_at TIMESTAMPTZ
);
CREATE TABLE IF NOT EXISTS lakehouse.meta.runs (
    run_id VARCHAR, command VARCHAR, version VARCHAR, started_at TIMESTAMPTZ, ended_at TIMESTAMPTZ, exit_code INTEGER,
    message VARCHAR
);
CREATE TABLE IF NOT EXISTS lakehouse.meta.streams (
    stream VARCHAR, warn_after_seconds BIGINT, error_after_seconds BIGINT, recorded_at TIMESTAMPTZ
);
CREATE TABLE IF NOT EXISTS lakehouse.meta.test_results (
    run_id VARCHAR, test VARCHAR, model VARCHAR, stream VARCHAR, status VARCHAR, failures BIGINT, message VARCHAR,
    tested_at TIMESTAMPTZ
);
CREATE TABLE IF NOT EXISTS lakehouse.meta.tested_models (
    run_id VARCHAR, model VARCHAR, version BIGINT, tested_at TIMESTAMPTZ
);
CREATE TABLE IF NOT EXISTS lakehouse.meta.raised (
    finding_id VARCHAR, kind VARCHAR, stream VARCHAR, subject VARCHAR, reason VARCHAR, is_open BOOLEAN,
    recorded_at TIMESTAMPTZ
);
CREATE TABLE IF NOT EXISTS lakehouse.meta.accepted (
    finding_id VARCHAR, reason VARCHAR, accepted_by VARCHAR, accepted_at TIMESTAMPTZ
);

-- name: current_files
CREATE VIEW IF NOT EXISTS lakehouse.meta.current_files AS
SELECT * FROM meta.files QUALIFY row_number() OVER (PARTITION BY stream, path ORDER BY seq DESC) = 1;

-- name: findings
CREATE VIEW IF NOT EXISTS lakehouse.meta.findings AS
WITH current_streams AS (
    SELECT * FROM meta.streams QUALIFY row_number() OVER (PARTITION BY stream ORDER BY recorded_at DESC) = 1
),
current_tests AS (
    SELECT * FROM meta.test_results QUALIFY row_number() OVER (PARTITION BY test, stream ORDER BY tested_at DESC) = 1
),
newest_files AS (
    SELECT stream, max(last_modified) AS newest_file_at FROM meta.current_files
    -- What is further ahead than two clocks may differ tells nothing of how fresh a stream is.
    WHERE status IN ('registered', 'copied', 'empty') AND last_modified <= now() + INTERVAL 5 MINUTE GROUP BY stream
),
raised AS (
    SELECT * FROM meta.raised QUALIFY row_number() OVER (PARTITION BY finding_id ORDER BY recorded_at DESC) = 1
),
every_finding AS (
    SELECT
        concat_ws(':', status, stream, path, etag) AS finding_id, status AS kind, stream, path AS subject,
        coalesce(reason, 'the object is gone from the store; its rows left landing') AS reason, recorded_at AS since_at
    FROM meta.current_files WHERE status IN ('quarantined', 'missing')
    UNION ALL
    SELECT finding_id, kind, stream, subject, reason, recorded_at FROM raised WHERE is_open
    UNION ALL
    SELECT
        concat_ws(':', 'test', stream, test, failures), 'test', stream, test,
        concat('data test ', status, ', ', failures, ' rows', coalesce(': ' || nullif(message, ''), '')), tested_at
    FROM current_tests WHERE status IN ('fail', 'error')
    UNION ALL
    SELECT
        concat_ws(':', 'stale', s.stream, n.newest_file_at::VARCHAR), 'stale', s.stream, '',
        concat('no new file since ', strftime(n.newest_file_at, '%Y-%m-%d %H:%M'), ' UTC'), n.newest_file_at
    FROM current_streams AS s INNER JOIN newest_files AS n ON n.stream = s.stream
    WHERE n.newest_file_at < now() - to_seconds(s.error_after_seconds)
)
SELECT f.* FROM every_finding AS f WHERE f.finding_id NOT IN (SELECT finding_id FROM meta.accepted);

-- name: stream_status
CREATE VIEW IF NOT EXISTS lakehouse.meta.stream_status AS
SELECT
    stream,
    count(*) FILTER (WHERE status IN ('registered', 'copied')) AS files,
    coalesce(sum(rows) FILTER (WHERE status IN ('registered', 'copied')), 0)::BIGINT AS rows,
    coalesce(sum(size_bytes) FILTER (WHERE status IN ('registered', 'copied')), 0)::BIGINT AS size_bytes,
    count(*) FILTER (WHERE status = 'quarantined') AS quarantined_files,
    count(*) FILTER (WHERE status = 'missing') AS missing_files,
    max(last_modified) AS newest_file_at,
    max(seq) AS head_seq
FROM meta.current_files GROUP BY stream;
