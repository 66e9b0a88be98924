"""Functions that `lotuslake query` may call, and those that were looked at and may not.

Every function of DuckDB 1.5.5 with the lake's extensions stands here: what a later version brings is refused until it was
looked at. ``EXPRESSIONS`` are called in expressions, ``TABLES`` in FROM. All of them only read: data, files and objects
that the person who asks may read anyway, and DuckDB's own state. None can change the lake, a file, or a service.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text in lower case, as names are compared."""
    return frozenset(text.casefold().split())


EXPRESSIONS = words("""
    !__postfix !~~ !~~* % & && * ** + - ->> / // <-> << <=> <@ >> @ @> ^ ^@ | || ~ ~~ ~~* ~~~
    abs acos acosh add age aggregate ago alias any_value apply approx_count_distinct approx_quantile approx_top_k
    arbitrary arg_max arg_max_null arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last argmax argmin array_agg
    array_aggr array_aggregate array_append array_apply array_cat array_concat array_contains array_cosine_distance
    array_cosine_similarity array_cross_product array_distance array_distinct array_dot_product array_extract
    array_filter array_grade_up array_has array_has_all array_has_any array_indexof array_inner_product
    array_intersect array_length array_negative_dot_product array_negative_inner_product array_pop_back
    array_pop_front array_position array_prepend array_push_back array_push_front array_reduce array_resize
    array_reverse array_reverse_sort array_select array_slice array_sort array_to_json array_to_string
    array_to_string_comma_default array_transform array_unique array_value array_where array_zip ascii asin asinh atan
    atan2 atanh avg bar base64 bin bit_and bit_count bit_length bit_or bit_position bit_xor bitstring bitstring_agg
    bool_and bool_or can_cast_implicitly cardinality cast_to_type cbrt ceil ceiling century char_length
    character_length chr col_description combine concat concat_ws constant_or_null contains corr cos cosh cot count
    count_if count_star countif covar_pop covar_samp create_sort_key cume_dist current_catalog current_connection_id
    current_database current_date current_localtime current_localtimestamp current_query current_query_id current_role
    current_schema current_schemas current_setting current_transaction_id current_user damerau_levenshtein date_add
    date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek
    dayofyear days_in_month decade decode degrees dense_rank divide editdist3 element_at encode ends_with entropy
    enum_code enum_first enum_last enum_range enum_range_boundary epoch epoch_ms epoch_ns epoch_us equi_width_bins era
    error even exp factorial favg fdiv fill filter finalize first first_value flatten floor fmod format
    formatReadableDecimalSize formatReadableSize format_bytes format_pg_type format_type from_base64 from_binary
    from_hex from_json from_json_strict fsum gamma gcd gen_random_uuid generate_series generate_subscripts geomean
    geometric_mean get_bit get_block_size get_current_time get_current_timestamp get_type getvariable grade_up
    greatest greatest_common_divisor group_concat hamming has_any_column_privilege has_column_privilege
    has_database_privilege has_foreign_data_wrapper_privilege has_function_privilege has_language_privilege
    has_schema_privilege has_sequence_privilege has_server_privilege has_table_privilege has_tablespace_privilege hash
    hex histogram histogram_exact hour icu_sort_key ilike_escape in_search_path inet_client_addr inet_client_port
    inet_server_addr inet_server_port instr is_histogram_other_bin isfinite isinf isnan isodow isoyear jaccard
    jaro_similarity jaro_winkler_similarity json json_array json_array_length json_contains json_deserialize_sql
    json_exists json_extract json_extract_path json_extract_path_text json_extract_string json_group_array
    json_group_object json_group_structure json_keys json_merge_patch json_object json_pretty json_quote
    json_serialize_sql json_structure json_transform json_transform_strict json_type json_valid json_value julian
    kahan_sum kurtosis kurtosis_pop lag last last_day last_value lcase lcm lead least least_common_multiple left
    left_grapheme len length length_grapheme levenshtein lgamma like_escape list list_aggr list_aggregate
    list_any_value list_append list_apply list_approx_count_distinct list_avg list_bit_and list_bit_or list_bit_xor
    list_bool_and list_bool_or list_cat list_concat list_contains list_cosine_distance list_cosine_similarity
    list_count list_distance list_distinct list_dot_product list_element list_entropy list_extract list_filter
    list_first list_grade_up list_has list_has_all list_has_any list_histogram list_indexof list_inner_product
    list_intersect list_kurtosis list_kurtosis_pop list_last list_mad list_max list_median list_min list_mode
    list_negative_dot_product list_negative_inner_product list_pack list_position list_prepend list_product
    list_reduce list_resize list_reverse list_reverse_sort list_select list_sem list_skewness list_slice list_sort
    list_stddev_pop list_stddev_samp list_string_agg list_sum list_transform list_unique list_value list_var_pop
    list_var_samp list_where list_zip listagg ln log log10 log2 lower lpad ltrim mad make_date make_time
    make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz make_type map map_concat map_contains
    map_contains_entry map_contains_value map_entries map_extract map_extract_value map_from_entries map_keys
    map_to_pg_oid map_values max max_by md5 md5_number md5_number_lower md5_number_upper mean median microsecond
    millennium millisecond min min_by minute mismatches mod mode month monthname multiply murmur3_32 nanosecond
    nextafter nfc_normalize normalized_interval not_ilike_escape not_like_escape now nth_value ntile nullif
    obj_description octet_length ord overlay parse_dirname parse_dirpath parse_duckdb_log_message parse_filename
    parse_formatted_bytes parse_path percent_rank pg_collation_is_visible pg_conf_load_time pg_conversion_is_visible
    pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_viewdef pg_has_role pg_is_other_temp_schema
    pg_my_temp_schema pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible pg_postmaster_start_time
    pg_size_pretty pg_sleep pg_table_is_visible pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible
    pg_ts_template_is_visible pg_type_is_visible pg_typeof pi position postgres_hstore_get postgres_hstore_to_json pow
    power prefix printf product quantile quantile_cont quantile_disc quarter radians random range rank rank_dense
    reduce regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace
    regexp_split_to_array regexp_split_to_table regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope
    regr_sxx regr_sxy regr_syy remap_struct repeat replace replace_type reservoir_quantile reverse right
    right_grapheme round round_even roundbankers row row_number row_to_json rpad rtrim second sem session_user set_bit
    setseed sha1 sha256 shobj_description sign signbit sin sinh skewness sleep_ms split split_part sqrt st_asbinary
    st_astext st_aswkb st_aswkt st_crs st_geomfromwkb st_intersects_extent st_setcrs starts_with stats stddev
    stddev_pop stddev_samp str_split str_split_regex strftime string_agg string_split string_split_regex
    string_to_array strip_accents strlen strpos strptime struct_concat struct_contains struct_extract
    struct_extract_at struct_has struct_indexof struct_insert struct_keys struct_pack struct_position struct_update
    struct_values substr substring substring_grapheme subtract suffix sum sum_no_overflow sumkahan switch tan tanh
    time_bucket timetz_byte_comparable timezone timezone_hour timezone_minute to_base to_base64 to_binary to_centuries
    to_days to_decades to_hex to_hours to_json to_microseconds to_millennia to_milliseconds to_minutes to_months
    to_quarters to_seconds to_timestamp to_weeks to_years today transaction_timestamp translate trim trunc
    try_strptime txid_current typeof ucase unbin unhex unicode union_extract union_tag union_value unnest unpivot_list
    upper url_decode url_encode user uuid uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 var_pop var_samp
    variance variant_bytes_to_variant variant_extract variant_normalize variant_to_parquet_variant variant_typeof
    vector_type version wavg week weekday weekofyear weighted_avg xor year yearweek
""")
# One for each language and region of the ICU library.
COLLATIONS = "icu_collate_"

TABLES = words("""
    duckdb_approx_database_count duckdb_columns duckdb_connection_count duckdb_constraints duckdb_coordinate_systems
    duckdb_databases duckdb_dependencies duckdb_extensions duckdb_external_file_cache duckdb_functions duckdb_indexes
    duckdb_keywords duckdb_log_contexts duckdb_logs duckdb_logs_parsed duckdb_memory duckdb_optimizers
    duckdb_prepared_statements duckdb_profiling_settings duckdb_schemas duckdb_secret_types duckdb_sequences
    duckdb_settings duckdb_table_sample duckdb_tables duckdb_temporary_files duckdb_types duckdb_variables
    duckdb_views ducklake_current_snapshot ducklake_last_committed_snapshot ducklake_list_files ducklake_options
    ducklake_settings ducklake_snapshots ducklake_table_changes ducklake_table_deletions ducklake_table_info
    ducklake_table_insertions generate_series glob histogram histogram_values icu_calendar_names json_each json_tree
    parquet_bloom_probe parquet_file_metadata parquet_full_metadata parquet_kv_metadata parquet_metadata parquet_scan
    parquet_schema pg_timezone_names pragma_collations pragma_database_size pragma_metadata_info pragma_platform
    pragma_show pragma_storage_info pragma_table_info pragma_user_agent pragma_version range read_blob read_csv
    read_csv_auto read_json read_json_auto read_json_objects read_json_objects_auto read_ndjson read_ndjson_auto
    read_ndjson_objects read_parquet read_text repeat repeat_row sniff_csv summary test_all_types test_vector_types
    unnest
""")
# Functions of the lake itself, which `duckdb_functions()` does not name: `FROM lakehouse.snapshots()`.
TABLES_OF_THE_LAKE = words("""
    current_snapshot last_committed_snapshot options settings snapshots table_changes table_deletions table_info
    table_insertions
""")

# The catalog's own database, under the name that DuckLake attaches it by, and its tables.
METADATA = "__ducklake_metadata"
METADATA_SCHEMAS = frozenset({"", "main", "public"})
METADATA_TABLES = words("""
    ducklake_column ducklake_column_mapping ducklake_column_tag ducklake_data_file ducklake_delete_file
    ducklake_file_column_stats ducklake_file_partition_value ducklake_file_variant_stats
    ducklake_files_scheduled_for_deletion ducklake_inlined_data_tables ducklake_macro ducklake_macro_impl
    ducklake_macro_parameters ducklake_metadata ducklake_name_mapping ducklake_partition_column ducklake_partition_info
    ducklake_schema ducklake_schema_versions ducklake_snapshot ducklake_snapshot_changes ducklake_sort_expression
    ducklake_sort_info ducklake_table ducklake_table_column_stats ducklake_table_stats ducklake_tag ducklake_view
""")

_CHANGES_THE_LAKE = """
    ducklake_add_data_files ducklake_cleanup_old_files ducklake_commit ducklake_delete_orphaned_files
    ducklake_expire_snapshots ducklake_flush_inlined_data ducklake_merge_adjacent_files ducklake_rewrite_data_files
    ducklake_set_commit_message ducklake_set_option merge_adjacent_files set_commit_message set_option
"""
_RUNS_WHAT_IT_IS_GIVEN = """
    json_execute_serialized_sql json_serialize_plan python_map_function query query_table
"""
_SPEAKS_TO_ANOTHER_DATABASE = """
    pg_clear_cache postgres_attach postgres_configure_pool postgres_execute postgres_query postgres_scan
    postgres_scan_pushdown read_duckdb read_postgres_binary
"""
_CHANGES_DUCKDB = """
    checkpoint currval disable_logging disable_profiling enable_logging enable_profiling force_checkpoint nextval
    truncate_duckdb_logs write_log
"""
# They take what they are given for an address in memory, or for a state that only DuckDB itself can have made.
_IS_DUCKDBS_OWN = """
    __internal_compress_integral_ubigint __internal_compress_integral_uinteger __internal_compress_integral_usmallint
    __internal_compress_integral_utinyint __internal_compress_string_hugeint __internal_compress_string_ubigint
    __internal_compress_string_uhugeint __internal_compress_string_uinteger __internal_compress_string_usmallint
    __internal_compress_string_utinyint __internal_decompress_integral_bigint __internal_decompress_integral_hugeint
    __internal_decompress_integral_integer __internal_decompress_integral_smallint
    __internal_decompress_integral_ubigint __internal_decompress_integral_uhugeint
    __internal_decompress_integral_uinteger __internal_decompress_integral_usmallint __internal_decompress_string
    arrow_scan arrow_scan_dumb ducklake_scan pandas_scan seq_scan
"""
_SHOWS_CREDENTIALS = """
    duckdb_secrets which_secret
"""
# Why each of the others is refused.
REFUSED = {
    name: reason
    for names, reason in (
        (_CHANGES_THE_LAKE, "it changes the lake or its files; lotuslake maintain does the upkeep"),
        (_RUNS_WHAT_IT_IS_GIVEN, "it runs what it is given, unseen; write the statement itself"),
        (_SPEAKS_TO_ANOTHER_DATABASE, "it speaks to another database"),
        (_CHANGES_DUCKDB, "it changes DuckDB's state or writes a file"),
        (_IS_DUCKDBS_OWN, "it is for DuckDB's own use"),
        (_SHOWS_CREDENTIALS, "it shows credentials"),
    )
    for name in names.split()
}
