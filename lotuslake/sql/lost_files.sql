-- Files under the data root that the catalog names, and what the store holds there.

-- name: named
WITH tables AS (
    SELECT
        t.table_id, s.schema_name, t.table_name,
        CASE WHEN t.path_is_relative
            THEN CASE WHEN s.path_is_relative THEN $data_root || s.path ELSE s.path END || t.path ELSE t.path END AS folder
    FROM __ducklake_metadata_lakehouse.ducklake_table AS t
    INNER JOIN __ducklake_metadata_lakehouse.ducklake_schema AS s ON s.schema_id = t.schema_id
    WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL
      AND (len($schemas::VARCHAR[]) = 0 OR list_contains($schemas::VARCHAR[], s.schema_name))
),
files AS (
    SELECT table_id, path, path_is_relative, begin_snapshot, end_snapshot, record_count AS rows
    FROM __ducklake_metadata_lakehouse.ducklake_data_file
    UNION ALL
    SELECT table_id, path, path_is_relative, begin_snapshot, end_snapshot, 0 AS rows
    FROM __ducklake_metadata_lakehouse.ducklake_delete_file
),
named AS (
    SELECT
        schema_name, table_name, CASE WHEN f.path_is_relative THEN t.folder || f.path ELSE f.path END AS path,
        f.rows, f.begin_snapshot
    FROM files AS f INNER JOIN tables AS t ON t.table_id = f.table_id
    WHERE f.end_snapshot IS NULL
)
-- A landing table also reads raw objects, which are not the lake's own.
SELECT schema_name, table_name, path, rows, begin_snapshot FROM named WHERE starts_with(path, $data_root)

-- name: there
SELECT file FROM glob($patterns::VARCHAR[])

-- name: snapshot_before
SELECT max(snap.snapshot_id)
FROM __ducklake_metadata_lakehouse.ducklake_snapshot AS snap
INNER JOIN __ducklake_metadata_lakehouse.ducklake_table AS t
    ON t.begin_snapshot <= snap.snapshot_id AND (t.end_snapshot IS NULL OR t.end_snapshot > snap.snapshot_id)
INNER JOIN __ducklake_metadata_lakehouse.ducklake_schema AS s ON s.schema_id = t.schema_id
WHERE snap.snapshot_id < $begin_snapshot AND s.schema_name = $schema AND t.table_name = $name

-- name: read_between
-- Files that a table has read after the first position and up to the second, and that are gone by now.
WITH files AS (
    SELECT
        status,
        min(seq) FILTER (WHERE status IN ('registered', 'copied')) OVER (PARTITION BY stream, path) AS readable_seq
    FROM lakehouse.meta.files
    WHERE 'int_' || replace(stream, '/', '__') = $model
    QUALIFY row_number() OVER (PARTITION BY stream, path ORDER BY seq DESC) = 1
)
SELECT count(*) FROM files
WHERE readable_seq > $after AND readable_seq <= $until AND status NOT IN ('registered', 'copied')
