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
chunks AS (
    SELECT
        file_name, path_in_schema, row_group_id, column_id, coalesce(stats_min_value, stats_min) AS least,
        coalesce(stats_max_value, stats_max) AS greatest, row_group_num_rows, stats_null_count, total_compressed_size,
        data_page_offset
    FROM parquet_metadata($files)
),
statistics AS (
    SELECT
        file_name,
        max(try_cast(greatest AS BIGINT)) FILTER (WHERE path_in_schema = '_airbyte_generation_id') AS generation_id,
        max(coalesce(
            make_timestamp(try_cast(greatest AS BIGINT) * 1000), CAST(try_cast(greatest AS TIMESTAMPTZ) AS TIMESTAMP)
        )) FILTER (WHERE path_in_schema = '_airbyte_extracted_at') AS newest_extracted_at,
        md5(string_agg(
            concat_ws(
                '|', path_in_schema, row_group_num_rows, least, greatest, stats_null_count, total_compressed_size,
                data_page_offset
            ),
            chr(10) ORDER BY row_group_id, column_id
        )) AS content
    FROM chunks GROUP BY file_name
)
SELECT
    file.file_name, file.num_rows, shapes.shape, statistics.generation_id, statistics.newest_extracted_at,
    md5(concat_ws('|', shapes.shape, file.num_rows, statistics.content)) AS content_hash
FROM parquet_file_metadata($files) AS file
INNER JOIN shapes USING (file_name)
LEFT JOIN statistics USING (file_name)

-- name: describe
DESCRIBE SELECT * FROM read_parquet($file, hive_partitioning = false)
