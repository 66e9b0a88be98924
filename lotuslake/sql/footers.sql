-- Facts of Parquet files from their footers, each read once.

-- name: facts
WITH footers AS MATERIALIZED (
    SELECT
        parquet_file_metadata[1].file_name AS file_name,
        parquet_file_metadata[1].num_rows AS num_rows,
        md5(array_to_string(list_transform(parquet_schema, lambda part: concat_ws(
            '|', part.name, part.type, part.type_length, part.repetition_type, part.num_children, part.converted_type,
            part.scale, part."precision", part.logical_type
        )), chr(10))) AS shape,
        list_transform(parquet_metadata, lambda chunk: {
            path: chunk.path_in_schema, rows: chunk.row_group_num_rows,
            least: coalesce(chunk.stats_min_value, chunk.stats_min),
            greatest: coalesce(chunk.stats_max_value, chunk.stats_max),
            nulls: chunk.stats_null_count, size: chunk.total_compressed_size, position: chunk.data_page_offset
        }) AS chunks
    FROM parquet_full_metadata($files)
)
SELECT
    file_name, num_rows, shape,
    list_max([
        try_cast(chunk.greatest AS BIGINT) FOR chunk IN chunks IF chunk.path = '_airbyte_generation_id'
    ]) AS generation_id,
    list_max([
        coalesce(
            make_timestamp(try_cast(chunk.greatest AS BIGINT) * 1000),
            CAST(try_cast(chunk.greatest AS TIMESTAMPTZ) AS TIMESTAMP)
        ) FOR chunk IN chunks IF chunk.path = '_airbyte_extracted_at'
    ]) AS newest_extracted_at,
    md5(concat_ws('|', shape, num_rows, md5(array_to_string(list_transform(chunks, lambda chunk: concat_ws(
        '|', chunk.path, chunk.rows, chunk.least, chunk.greatest, chunk.nulls, chunk.size, chunk.position
    )), chr(10))))) AS content_hash
FROM footers

-- name: describe
DESCRIBE SELECT * FROM read_parquet($file, hive_partitioning = false)

-- name: schema
SELECT name, num_children FROM parquet_schema($file)
