-- Cursors of models, progress of rebuilds, and the step that a dbt run is told to take.

-- name: create_step
CREATE OR REPLACE TABLE memory.main.step (
    model VARCHAR, mode VARCHAR, version BIGINT, position BIGINT, epoch BIGINT, generation_id BIGINT, model_hash VARCHAR,
    rebuild_position BIGINT, read_snapshot BIGINT, run_id VARCHAR, primary_key VARCHAR, has_cursor BOOLEAN,
    has_tombstones BOOLEAN, progress BIGINT, part VARCHAR, shards BIGINT, version_columns VARCHAR, drop_null_keys BOOLEAN
)

-- name: lay_out_step
INSERT INTO memory.main.step VALUES (
    $model, $mode, $version, $position, $epoch, $generation_id, $model_hash, $rebuild_position,
    (SELECT id FROM lakehouse.current_snapshot()), $run_id, $primary_key, $has_cursor, $has_tombstones,
    $progress, $part, $shards, $version_columns, $drop_null_keys
)

-- name: cursor_columns
version BIGINT, position BIGINT, epoch BIGINT, generation_id BIGINT, model_hash VARCHAR, upstreams VARCHAR,
read_snapshot BIGINT, run_id VARCHAR, updated_at TIMESTAMPTZ, null_keys BIGINT
