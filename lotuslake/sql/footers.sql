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
),
of_airbyte AS (
    -- Filtered before anything is made of them: an expression in a list comprehension meets every element, IF or not.
    SELECT
        *,
        list_filter(chunks, lambda chunk: chunk.path = '_airbyte_generation_id') AS generations,
        list_filter(chunks, lambda chunk: chunk.path = '_airbyte_meta, sync_id') AS syncs,
        list_transform(
            list_filter(chunks, lambda chunk: chunk.path = '_airbyte_extracted_at'), lambda chunk: {
                least: coalesce(
                    try(make_timestamp(try_cast(chunk.least AS BIGINT) * 1000)),
                    CAST(try_cast(chunk.least AS TIMESTAMPTZ) AS TIMESTAMP)
                ),
                greatest: coalesce(
                    try(make_timestamp(try_cast(chunk.greatest AS BIGINT) * 1000)),
                    CAST(try_cast(chunk.greatest AS TIMESTAMPTZ) AS TIMESTAMP)
                )
            }
        ) AS extractions
    FROM footers
)
SELECT
    file_name, num_rows, shape,
    list_max(list_transform(generations, lambda chunk: try_cast(chunk.greatest AS BIGINT))) AS generation_id,
    list_max(list_transform(extractions, lambda span: span.greatest)) AS newest_extracted_at,
    md5(concat_ws('|', shape, num_rows, md5(array_to_string(list_transform(chunks, lambda chunk: concat_ws(
        '|', chunk.path, chunk.rows, chunk.least, chunk.greatest, chunk.nulls, chunk.size, chunk.position
    )), chr(10))))) AS content_hash,
    CASE WHEN list_bool_and(list_transform(syncs, lambda chunk: coalesce(
        chunk.least = chunk.greatest AND chunk.least = syncs[1].least AND coalesce(chunk.nulls, 0) = 0, false
    ))) THEN try_cast(syncs[1].least AS BIGINT) END AS sync_id,
    -- Of a row group that does not tell, the oldest row is not known.
    CASE WHEN list_bool_and(list_transform(extractions, lambda span: span.least IS NOT NULL))
        THEN list_min(list_transform(extractions, lambda span: span.least)) END AS oldest_extracted_at
FROM of_airbyte

-- name: describe
DESCRIBE SELECT * FROM read_parquet($file, hive_partitioning = false)
