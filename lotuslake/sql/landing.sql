-- What the catalog holds of landing tables.

-- name: elsewhere
SELECT file.path
FROM __ducklake_metadata_lakehouse.ducklake_data_file AS file
INNER JOIN __ducklake_metadata_lakehouse.ducklake_table AS t ON t.table_id = file.table_id AND t.end_snapshot IS NULL
INNER JOIN __ducklake_metadata_lakehouse.ducklake_schema AS s ON s.schema_id = t.schema_id
WHERE s.schema_name = 'landing' AND t.table_name = $table AND file.end_snapshot IS NULL AND NOT file.path_is_relative
    AND NOT starts_with(file.path, $landing_root) AND NOT starts_with(file.path, $data_root)
LIMIT 1
