-- Upkeep. DuckLake takes ownership of every file that was added to a table: once no snapshot needs it, it is scheduled
-- for deletion, be it a raw object or a converted copy that a newer table reads. Neither may be deleted.

--
-- DuckLake's functions are asked for their rows: `SELECT count(*) FROM ducklake_expire_snapshots(…)` lists what would go, and
-- nothing goes.

-- name: own_tables
SELECT schema_name, table_name FROM duckdb_tables()
WHERE database_name = 'lakehouse' AND schema_name <> 'landing' AND NOT internal
ORDER BY ALL

-- name: spare_foreign_files
DELETE FROM __ducklake_metadata_lakehouse.ducklake_files_scheduled_for_deletion
WHERE NOT starts_with(CASE WHEN path_is_relative THEN $data_root || path ELSE path END, $data_root)
   OR CASE WHEN path_is_relative THEN $data_root || path ELSE path END
      IN (SELECT path FROM __ducklake_metadata_lakehouse.ducklake_data_file WHERE NOT path_is_relative)

-- name: expire
FROM ducklake_expire_snapshots('lakehouse', older_than => $before)

-- name: clean_up
FROM ducklake_cleanup_old_files('lakehouse', older_than => $before)

-- name: delete_orphans
FROM ducklake_delete_orphaned_files('lakehouse', older_than => $before)

-- name: lake_id
-- Made with the lake, kept as long as it lives, and copied with its catalog.
SELECT t.table_uuid
FROM __ducklake_metadata_lakehouse.ducklake_table AS t
INNER JOIN __ducklake_metadata_lakehouse.ducklake_schema AS s ON s.schema_id = t.schema_id
WHERE s.schema_name = 'meta' AND t.table_name = 'files' AND t.end_snapshot IS NULL
