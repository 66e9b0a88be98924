-- A lake whose roots lie elsewhere than when its catalog was written.

-- name: newest_own_file
SELECT
    CASE WHEN t.path_is_relative
        THEN CASE WHEN s.path_is_relative THEN $data_root || s.path ELSE s.path END || t.path ELSE t.path END || file.path
FROM __ducklake_metadata_lakehouse.ducklake_data_file AS file
INNER JOIN __ducklake_metadata_lakehouse.ducklake_table AS t ON t.table_id = file.table_id AND t.end_snapshot IS NULL
INNER JOIN __ducklake_metadata_lakehouse.ducklake_schema AS s ON s.schema_id = t.schema_id
WHERE file.end_snapshot IS NULL AND file.path_is_relative
ORDER BY file.data_file_id DESC
LIMIT 1

-- name: is_there
SELECT count(*) FROM glob($path)

-- name: data_path
UPDATE __ducklake_metadata_lakehouse.ducklake_metadata SET value = $data_root WHERE key = 'data_path'

-- name: data_files
UPDATE __ducklake_metadata_lakehouse.ducklake_data_file SET path = $after || substr(path, length($before) + 1)
WHERE NOT path_is_relative AND starts_with(path, $before)

-- name: delete_files
UPDATE __ducklake_metadata_lakehouse.ducklake_delete_file SET path = $after || substr(path, length($before) + 1)
WHERE NOT path_is_relative AND starts_with(path, $before)

-- name: scheduled_files
UPDATE __ducklake_metadata_lakehouse.ducklake_files_scheduled_for_deletion
SET path = $after || substr(path, length($before) + 1)
WHERE NOT path_is_relative AND starts_with(path, $before)
