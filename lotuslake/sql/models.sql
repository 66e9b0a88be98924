-- Cursors of models, progress of rebuilds, and the step that a dbt run is told to take.

-- name: create_step
CREATE OR REPLACE TABLE memory.main.step (
    model VARCHAR, mode VARCHAR, version BIGINT, position BIGINT, epoch BIGINT, generation_id BIGINT, model_hash VARCHAR,
    rebuild_position BIGINT, read_snapshot BIGINT, run_id VARCHAR, primary_key VARCHAR, has_cursor BOOLEAN,
    has_tombstones BOOLEAN, progress BIGINT, part VARCHAR, shards BIGINT, least_rows BIGINT, carry_until TIMESTAMP,
    built_by VARCHAR, version_columns VARCHAR, drop_null_keys BOOLEAN
)

-- name: lay_out_step
INSERT INTO memory.main.step VALUES (
    $model, $mode, $version, $position, $epoch, $generation_id, $model_hash, $rebuild_position,
    (SELECT id FROM lakehouse.current_snapshot()), $run_id, $primary_key, $has_cursor, $has_tombstones,
    $progress, $part, $shards, $least_rows, $carry_until, $built_by, $version_columns, $drop_null_keys
)

-- name: cursor_columns
version BIGINT, position BIGINT, epoch BIGINT, generation_id BIGINT, model_hash VARCHAR, upstreams VARCHAR,
read_snapshot BIGINT, run_id VARCHAR, updated_at TIMESTAMPTZ, built_by VARCHAR, null_keys BIGINT

-- name: find_cursors
SELECT table_name, list(column_name) FROM duckdb_columns()
WHERE database_name = $lake AND schema_name = 'meta' AND starts_with(table_name, 'cursor_')
GROUP BY table_name
