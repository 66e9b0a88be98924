-- Facts of Parquet files from their footers, each read once.

-- name: facts
-- A fact is NULL where a row group does not tell it: the rows do then. Statistics of text are no bounds of what it means.
WITH footers AS MATERIALIZED (
    SELECT
        parquet_file_metadata[1].file_name AS file_name,
        parquet_file_metadata[1].num_rows AS num_rows,
        md5(array_to_string(list_transform(parquet_schema, lambda part: concat_ws(
            '|', part.name, part.type, part.type_length, part.repetition_type, part.num_children, part.converted_type,
            part.scale, part."precision", part.logical_type
        )), chr(10))) AS shape,
        list_transform(parquet_metadata, lambda chunk: {
            path: chunk.path_in_schema, rows: chunk.row_group_num_rows, type: chunk.type, codec: chunk.compression,
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
        list_transform(
            list_filter(chunks, lambda chunk: chunk.path = '_airbyte_generation_id'), lambda chunk: {
                greatest: CASE WHEN chunk.type IN ('INT32', 'INT64') THEN try_cast(chunk.greatest AS BIGINT) END
            }
        ) AS generations,
        list_filter(chunks, lambda chunk: chunk.path = '_airbyte_meta, sync_id') AS syncs,
        list_transform(
            list_filter(chunks, lambda chunk: chunk.path = '_airbyte_extracted_at' AND chunk.type = 'INT64'), lambda chunk: {
                least: coalesce(
                    try(make_timestamp(try_cast(chunk.least AS BIGINT) * 1000)),
                    CAST(try_cast(chunk.least AS TIMESTAMPTZ) AS TIMESTAMP)
                ),
                greatest: coalesce(
                    try(make_timestamp(try_cast(chunk.greatest AS BIGINT) * 1000)),
                    CAST(try_cast(chunk.greatest AS TIMESTAMPTZ) AS TIMESTAMP)
                )
            }
        ) AS extractions,
        list_filter(chunks, lambda chunk: chunk.path = '_airbyte_raw_id') AS raw_ids
    FROM footers
)
SELECT
    file_name, num_rows, shape,
    CASE WHEN list_bool_and(list_transform(generations, lambda span: span.greatest IS NOT NULL))
        THEN list_max(list_transform(generations, lambda span: span.greatest)) END AS generation_id,
    CASE WHEN list_bool_and(list_transform(extractions, lambda span: span.greatest IS NOT NULL))
        THEN list_max(list_transform(extractions, lambda span: span.greatest)) END AS newest_extracted_at,
    CASE WHEN coalesce(list_bool_and(list_transform(raw_ids, lambda chunk: chunk.greatest IS NOT NULL)), true)
        THEN md5(concat_ws('|', shape, num_rows, md5(array_to_string(list_transform(chunks, lambda chunk: concat_ws(
            '|', chunk.path, chunk.rows, chunk.least, chunk.greatest, chunk.nulls, chunk.size, chunk.position
        )), chr(10))))) END AS content_hash,
    CASE WHEN list_bool_and(list_transform(syncs, lambda chunk: coalesce(
        chunk.least = chunk.greatest AND chunk.least = syncs[1].least AND coalesce(chunk.nulls, 0) = 0, false
    ))) THEN try_cast(syncs[1].least AS BIGINT) END AS sync_id,
    CASE WHEN list_bool_and(list_transform(extractions, lambda span: span.least IS NOT NULL))
        THEN list_min(list_transform(extractions, lambda span: span.least)) END AS oldest_extracted_at,
    list_distinct(list_transform(chunks, lambda chunk: chunk.codec)) AS codecs
FROM of_airbyte

-- name: shapes
-- Which files have the same schema, to the letter.
SELECT file_name, md5(string_agg(concat_ws(
    '|', name, type, type_length, repetition_type, num_children, converted_type, scale, "precision", logical_type
), chr(10) ORDER BY place))
FROM (SELECT *, row_number() OVER () AS place FROM parquet_schema($files))
GROUP BY file_name

-- name: plain
-- As little as a reader must know to read a file at all: whether it is the file or the statement above that is wrong.
SELECT num_rows FROM parquet_file_metadata($file)

-- name: elements
SELECT name, coalesce(num_children, 0), coalesce(logical_type, '') FROM parquet_schema($file)

-- name: describe
DESCRIBE SELECT * FROM read_parquet($file, hive_partitioning = false)
