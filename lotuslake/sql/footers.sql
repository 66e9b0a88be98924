-- Facts of Parquet files from their footers.

-- name: facts
WITH shapes AS (
    SELECT
        file_name,
        md5(string_agg(
            concat_ws('|', name, type, type_length, repetition_type, num_children, converted_type, scale, "precision", logical_type),
            chr(10) ORDER BY column_id
        )) AS shape
    FROM parquet_schema($files) GROUP BY file_name
),
statistics AS (
    SELECT
        file_name,
        max(try_cast(coalesce(stats_max_value, stats_max) AS BIGINT))
            FILTER (WHERE path_in_schema = '_airbyte_generation_id') AS generation_id,
        max(coalesce(
            make_timestamp(try_cast(coalesce(stats_max_value, stats_max) AS BIGINT) * 1000),
            CAST(try_cast(coalesce(stats_max_value, stats_max) AS TIMESTAMPTZ) AS TIMESTAMP)
        )) FILTER (WHERE path_in_schema = '_airbyte_extracted_at') AS newest_extracted_at
    FROM parquet_metadata($files)
    WHERE path_in_schema IN ('_airbyte_generation_id', '_airbyte_extracted_at')
    GROUP BY file_name
)
SELECT file.file_name, file.num_rows, shapes.shape, statistics.generation_id, statistics.newest_extracted_at
FROM parquet_file_metadata($files) AS file
INNER JOIN shapes USING (file_name)
LEFT JOIN statistics USING (file_name)

-- name: describe
DESCRIBE SELECT * FROM read_parquet($file, hive_partitioning = false)
