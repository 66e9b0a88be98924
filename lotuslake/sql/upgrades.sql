-- The version of the lake's own tables, and the steps from one version to the next.
--
-- `to_N` brings a lake of version N - 1 to version N, in one commit with its number. `to_N_cursor` (`_fence`, `_rebuild`)
-- is done to each table `meta.cursor_*`, whose quoted name stands for {table}. A lake without `meta.lake_version` is of
-- version 1. Steps only add: an older program that is at work meanwhile ends unharmed. A step that was released is never
-- changed again; `meta.sql` and `models.sql` say what a new lake begins with, which a test compares with what the steps give.

-- name: load_version
SELECT version, program_version FROM lakehouse.meta.lake_version

-- name: create_version
-- The first statement of its commit: of two programs, the loser finds the table made.
CREATE TABLE lakehouse.meta.lake_version AS
SELECT $version::BIGINT AS version, $program_version::VARCHAR AS program_version, now() AS upgraded_at

-- name: move_version
-- The first statement of its commit: two programs cannot both change the row.
UPDATE lakehouse.meta.lake_version SET version = $version, program_version = $program_version, upgraded_at = now()
WHERE version = $version - 1

-- name: to_2
-- The sync that wrote a file, and the whole span of when its rows were extracted.
ALTER TABLE lakehouse.meta.files ADD COLUMN sync_id BIGINT;
ALTER TABLE lakehouse.meta.files ADD COLUMN oldest_extracted_at TIMESTAMP;

-- name: to_2_cursor
-- What a model's table was built by (key, cursor field and sync mode as JSON), and rows whose key is NULL.
ALTER TABLE {table} ADD COLUMN built_by VARCHAR;
ALTER TABLE {table} ADD COLUMN null_keys BIGINT;
