-- Files that the catalog names and the store no longer holds, for the tables of models.

-- name: named
WITH tables AS (
    SELECT
        t.table_id, s.schema_name, t.table_name,
        CASE WHEN t.path_is_relative
            THEN CASE WHEN s.path_is_relative THEN $data_root || s.path ELSE s.path END || t.path ELSE t.path END AS folder
    FROM __ducklake_metadata_lakehouse.ducklake_table AS t
    INNER JOIN __ducklake_metadata_lakehouse.ducklake_schema AS s ON s.schema_id = t.schema_id
    WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND s.schema_name IN ('processed', 'enriched')
),
files AS (
    SELECT table_id, path, path_is_relative, begin_snapshot, end_snapshot
    FROM __ducklake_metadata_lakehouse.ducklake_data_file
    UNION ALL
    SELECT table_id, path, path_is_relative, begin_snapshot, end_snapshot
    FROM __ducklake_metadata_lakehouse.ducklake_delete_file
)
SELECT
    schema_name, table_name, CASE WHEN f.path_is_relative THEN t.folder || f.path ELSE f.path END, f.begin_snapshot
FROM files AS f INNER JOIN tables AS t ON t.table_id = f.table_id
WHERE f.end_snapshot IS NULL

-- name: there
SELECT file FROM glob([$data_root || 'processed/**', $data_root || 'enriched/**'])

-- name: snapshot_before
SELECT max(snap.snapshot_id)
FROM __ducklake_metadata_lakehouse.ducklake_snapshot AS snap
INNER JOIN __ducklake_metadata_lakehouse.ducklake_table AS t
    ON t.begin_snapshot <= snap.snapshot_id AND (t.end_snapshot IS NULL OR t.end_snapshot > snap.snapshot_id)
INNER JOIN __ducklake_metadata_lakehouse.ducklake_schema AS s ON s.schema_id = t.schema_id
WHERE snap.snapshot_id < $begin_snapshot AND s.schema_name = $schema AND t.table_name = $name
