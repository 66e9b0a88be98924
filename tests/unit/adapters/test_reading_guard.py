"""What `lotuslake query` lets through, judged on DuckDB's own parse trees, with every function of DuckDB looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from lotuslake.adapters.duckdb_opening import extension_path
from lotuslake.adapters.reading_guard import reading_only
from lotuslake.core.errors import ConfigError
from lotuslake.core.reading_functions import COLLATIONS, EXPRESSIONS, REFUSED, TABLES

READS = [
    "SELECT 1",
    "SELECT 1;",
    "-- why\nSELECT 1 -- that is why",
    "(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1",
    "FROM t",
    "TABLE t",
    "VALUES (1), (2)",
    "WITH a AS (SELECT 1) FROM a",
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3) FROM c",
    "DESCRIBE t",
    "DESCRIBE SELECT 1",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "SUMMARIZE t",
    "SUMMARIZE SELECT 1",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "EXPLAIN (FORMAT json) SELECT 1",
    "/* why */ EXPLAIN (ANALYZE, FORMAT json) FROM t",
    "PIVOT t ON i IN (1, 2) USING count(*)",
    "FROM (UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b)",
    "SELECT i FROM t AT (VERSION => 1)",
    "SELECT count(*), sum(i) OVER (ORDER BY i), any_value(i) FILTER (i > 1) FROM t GROUP BY ALL QUALIFY true",
    "SELECT [x + 1 FOR x IN [1, 2] IF x > 1], list_transform([1], lambda x: x + 1), {'a': 1}.a, MAP {'k': 1}['k']",
    "SELECT CAST('1' AS DECIMAL(9,2)), '1'::ENUM('1'), extract(year FROM now()), 'a' COLLATE de, icu_collate_de('a')",
    "SELECT trim(BOTH 'x' FROM 'xax'), 'a' LIKE 'b', 'a' SIMILAR TO 'b', -1, 2 ** 3, 'a' || 'b', current_date, \"UPPER\"('A')",
    "SELECT * FROM t ASOF JOIN (FROM t) AS u ON t.i >= u.i, range(3), unnest([1]) AS n(x), LATERAL (SELECT t.i)",
    "SELECT * FROM read_parquet('x.parquet'), 'y.csv', glob('*')",
    "FROM lakehouse.snapshots()",
    "FROM ducklake_table_changes('lakehouse', 'main', 't', 0, 1)",
    "FROM ducklake_list_files('lakehouse', 't')",
    "FROM good_view",
    "FROM __ducklake_metadata_lakehouse.ducklake_snapshot",
    "SELECT count(*) FROM __ducklake_metadata_lakehouse.main.ducklake_data_file",
]
WRITES = {
    "DELETE FROM t": "one statement that only reads",
    "INSERT INTO t VALUES (1)": "one statement that only reads",
    "UPDATE t SET i = 1": "one statement that only reads",
    "MERGE INTO t USING t AS u ON true WHEN MATCHED THEN DELETE": "one statement that only reads",
    "TRUNCATE t": "one statement that only reads",
    "CREATE TABLE x AS SELECT 1": "one statement that only reads",
    "CREATE MACRO x() AS 1": "one statement that only reads",
    "CREATE SECRET x (TYPE s3)": "one statement that only reads",
    "DROP TABLE t": "one statement that only reads",
    "ALTER TABLE t ADD j INT": "one statement that only reads",
    "COMMENT ON TABLE t IS 'x'": "one statement that only reads",
    "COPY t TO 'x.csv'": "one statement that only reads",
    "COPY (SELECT 1) TO 'x.csv'": "one statement that only reads",
    "EXPORT DATABASE 'x'": "one statement that only reads",
    "IMPORT DATABASE 'x'": "one statement that only reads",
    "ATTACH 'x' AS x": "one statement that only reads",
    "DETACH lakehouse": "one statement that only reads",
    "USE memory": "one statement that only reads",
    "LOAD httpfs": "one statement that only reads",
    "INSTALL spatial": "one statement that only reads",
    "SET memory_limit = '1GB'": "one statement that only reads",
    "SET VARIABLE x = 1": "one statement that only reads",
    "RESET memory_limit": "one statement that only reads",
    "BEGIN": "one statement that only reads",
    "COMMIT": "one statement that only reads",
    "CHECKPOINT": "one statement that only reads",
    "VACUUM": "one statement that only reads",
    "ANALYZE": "one statement that only reads",
    "PREPARE p AS SELECT 1": "one statement that only reads",
    "EXECUTE p": "one statement that only reads",
    "DEALLOCATE p": "one statement that only reads",
    "PRAGMA version": "write FROM function(…)",
    "PRAGMA import_database('x')": "write FROM function(…)",
    "CALL ducklake_snapshots('lakehouse')": "write FROM function(…)",
    "CALL ducklake_expire_snapshots('lakehouse')": "one statement that only reads",
    "PIVOT t ON i": "PIVOT has to name its columns",
    "SELECT 1; SELECT 2": "one statement that only reads",
    "SELECT 1; DROP TABLE t": "one statement that only reads",
    "": "one statement that only reads",
    ";": "one statement that only reads",
    "EXPLAIN ANALYZE DELETE FROM t": "one statement that only reads",
    "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1": "one statement that only reads",
    "EXPLAIN DROP TABLE t": "one statement that only reads",
    "WITH x AS (DELETE FROM t RETURNING *) FROM x": "does not run",
    "SELEKT 1": 'syntax error at or near "SELEKT"',
    "SELECT 1 INTO x": "does not run",
    "FROM ducklake_expire_snapshots('lakehouse', older_than => now())": "ducklake_expire_snapshots: it changes the lake",
    "FROM DUCKLAKE_CLEANUP_OLD_FILES('lakehouse', cleanup_all => true)": "ducklake_cleanup_old_files: it changes the lake",
    "FROM ducklake_merge_adjacent_files('lakehouse')": "lotuslake maintain",
    "FROM ducklake_add_data_files('lakehouse', 't', 'x.parquet')": "ducklake_add_data_files",
    "FROM lakehouse.merge_adjacent_files()": "merge_adjacent_files",
    "FROM lakehouse.set_option('expire_older_than', '1 day')": "set_option",
    'FROM "lakehouse"."main"."set_option"(\'a\', \'b\')': "set_option",
    "FROM postgres_query('__ducklake_metadata_lakehouse', 'DELETE FROM x RETURNING *')": "it speaks to another database",
    "FROM postgres_execute('__ducklake_metadata_lakehouse', 'DELETE FROM x')": "postgres_execute",
    "FROM query('DELETE FROM t')": "query: it runs what it is given",
    "FROM query_table('t')": "query_table",
    "FROM json_execute_serialized_sql('{}')": "json_execute_serialized_sql",
    "SELECT json_serialize_plan('SELECT 1')": "json_serialize_plan",
    "SELECT nextval('s')": "nextval",
    "SELECT write_log('x')": "write_log",
    "FROM enable_logging(storage => 'file')": "enable_logging",
    "FROM checkpoint()": "checkpoint",
    "FROM pandas_scan(0)": "pandas_scan: it is for DuckDB's own use",
    "FROM duckdb_secrets()": "it shows credentials",
    "SELECT getenv('PGPASSWORD')": "getenv: it is not on the list",
    "SELECT summ(1)": "did you mean sum?",
    "SELECT read_text('x')": "it stands in FROM",
    "FROM lower('x')": "it gives no table",
    # However deep, and wherever a function may stand.
    "SELECT (SELECT count(*) FROM query('x'))": "query",
    "WITH a AS (FROM query('x')) SELECT 1": "query",
    "WITH a AS MATERIALIZED (WITH b AS (FROM query('x')) FROM b) SELECT 1": "query",
    "DESCRIBE FROM query('x')": "query",
    "SUMMARIZE FROM query('x')": "query",
    "EXPLAIN FROM query('x')": "query",
    "EXPLAIN ANALYZE SELECT * FROM (FROM query('x'))": "query",
    "FROM t WHERE EXISTS (FROM query('x'))": "query",
    "FROM t JOIN (FROM query('x')) AS q ON true": "query",
    "SELECT 1 UNION ALL SELECT * FROM query('x')": "query",
    "SELECT 1 ORDER BY nextval('s')": "nextval",
    "SELECT 1 LIMIT nextval('s')": "nextval",
    "SELECT DISTINCT ON (nextval('s')) 1": "nextval",
    "SELECT sum(1) OVER (PARTITION BY nextval('s'))": "nextval",
    "SELECT sum(1) OVER w FROM t WINDOW w AS (ORDER BY nextval('s'))": "nextval",
    "SELECT count(*) FILTER (nextval('s') > 0) FROM t": "nextval",
    "SELECT 1 FROM t GROUP BY nextval('s') HAVING true": "nextval",
    "FROM t QUALIFY nextval('s') > 0": "nextval",
    "SELECT CASE WHEN true THEN nextval('s') END": "nextval",
    "SELECT [nextval('s') FOR x IN [1]]": "nextval",
    "SELECT list_transform([1], lambda x: nextval('s'))": "nextval",
    "SELECT {'a': nextval('s')}": "nextval",
    "VALUES (nextval('s'))": "nextval",
    "FROM range(nextval('s'))": "nextval",
    "FROM read_csv('x', columns => {'a': nextval('s')})": "nextval",
    "FROM t AT (VERSION => nextval('s'))": "nextval",
    "PIVOT t ON i IN (1) USING nextval('s')": "nextval",
    "SELECT COLUMNS(c -> nextval('s') > 0) FROM t": "nextval",
    "SELECT * REPLACE (nextval('s') AS i) FROM t": "nextval",
    "SELECT system.main.nextval('s')": "nextval",
    # Hidden in the lake itself.
    "FROM bad_view": "ducklake_cleanup_old_files",
    "FROM s.view_of_view": "ducklake_cleanup_old_files",
    "FROM was_bad AT (VERSION => 1)": "query",
    "SELECT lower('A')": "query",
    "FROM generate_series(3)": "query",
    "FROM sly()": "sly: it is not on the list",
    # Hidden in the catalog's own database, of which DuckDB does not even list the views.
    "FROM __ducklake_metadata_lakehouse.ducklake_sly": "and ducklake_sly is none",
    "FROM __DUCKLAKE_metadata_lakehouse.main.ducklake_sly": "and ducklake_sly is none",
    "FROM __ducklake_metadata_lakehouse.sly.ducklake_snapshot": "and ducklake_snapshot is none",
    "SELECT __ducklake_metadata_lakehouse.upper('a')": "and upper is none",
    "FROM __ducklake_metadata_lakehouse.main.range(3)": "and range is none",
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A lake with a table, and with views and macros by somebody who may write to it."""
    folder = tmp_path_factory.mktemp("lake")
    with connect(folder) as connection:
        for statement in (
            "CREATE TABLE t AS SELECT 1 AS i",
            "CREATE SCHEMA s",
            "CREATE VIEW good_view AS SELECT upper('a') AS a FROM t",
            "CREATE VIEW bad_view AS FROM ducklake_cleanup_old_files('lakehouse', cleanup_all => true)",
            "CREATE VIEW s.view_of_view AS SELECT 1 FROM (FROM bad_view)",
            "CREATE VIEW was_bad AS FROM query('SELECT 1')",
            "CREATE OR REPLACE VIEW was_bad AS SELECT 1",
            # Found before DuckDB's own of the same name.
            "CREATE MACRO lower(x) AS (SELECT count(*) FROM query('SELECT 1'))",
            "CREATE MACRO generate_series(n) AS TABLE FROM query('SELECT 1')",
            "CREATE MACRO sly() AS TABLE SELECT 1",
        ):
            connection.execute(statement)
        yield connection


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name in ("ducklake", "httpfs", "postgres_scanner"):
        connection.execute(f"LOAD '{extension_path(name)}'")
    connection.execute(f"ATTACH 'ducklake:{folder}/c.ducklake' AS lakehouse (DATA_PATH '{folder}/data/')")
    connection.execute("USE lakehouse")
    return connection


@pytest.mark.parametrize("sql", READS)
def test_what_reads_goes_through(lake: duckdb.DuckDBPyConnection, sql: str) -> None:
    kinds = [statement.type.name for statement in lake.extract_statements(reading_only(lake, sql))]
    assert kinds == ["EXPLAIN" if "EXPLAIN" in sql else "SELECT"]


@pytest.mark.parametrize("sql", WRITES)
def test_what_may_write_is_refused_by_name(lake: duckdb.DuckDBPyConnection, sql: str) -> None:
    with pytest.raises(ConfigError) as refused:
        reading_only(lake, sql)
    assert WRITES[sql] in refused.value.message


def test_what_runs_is_what_was_judged(lake: duckdb.DuckDBPyConnection) -> None:
    assert reading_only(lake, "SELECT 1 -- as it is") == "SELECT 1 -- as it is"
    assert reading_only(lake, "-- a\n explain analyze SELECT 1 -- b") == "EXPLAIN analyze  SELECT 1 -- b"
    with pytest.raises(ConfigError):
        reading_only(lake, "EXPLAIN /* a */ ANALYZE DROP TABLE t")


def test_a_statement_nested_beyond_pythons_depth_is_no_bug(lake: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        reading_only(lake, "SELECT " + "+".join(["1"] * 900))


def test_every_function_of_this_duckdb_was_looked_at(tmp_path: Path) -> None:
    """A new one, of a later version or another extension, is refused until somebody has put it on a list."""
    with connect(tmp_path) as connection:
        rows = connection.execute("SELECT DISTINCT function_name, function_type FROM duckdb_functions()").fetchall()
    expressions = {name.casefold() for name, kind in rows if kind in {"scalar", "aggregate", "macro"}}
    tables = {name.casefold() for name, kind in rows if kind in {"table", "table_macro"}}
    # Those are called by PRAGMA and CALL alone, which are no SELECT.
    assert {kind for _, kind in rows} == {"scalar", "aggregate", "macro", "table", "table_macro", "pragma"}
    allowed = {name for name in expressions if name in EXPRESSIONS or name.startswith(COLLATIONS)}
    assert sorted(expressions - allowed - REFUSED.keys()) == []
    assert sorted(tables - TABLES - REFUSED.keys()) == []
    assert sorted((allowed & REFUSED.keys()) | (TABLES & REFUSED.keys())) == []
    # The lists name nothing that is not there, so that a typing error or an older version's function does not linger.
    syntax = {"unnest", "overlay"}  # the parser's own
    assert sorted(EXPRESSIONS - expressions - syntax) == []
    assert sorted(TABLES - tables) == []


def test_functions_with_side_effects_by_duckdbs_own_word_are_the_harmless_ones(tmp_path: Path) -> None:
    with connect(tmp_path) as connection:
        rows = connection.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE has_side_effects OR stability = 'VOLATILE'"
        ).fetchall()
    harmless = {
        *("random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "sleep_ms", "error", "stats"),
        *("current_connection_id", "current_query", "current_query_id", "current_transaction_id"),
    }
    assert {name for (name,) in rows} & EXPRESSIONS == harmless


def test_the_danger_is_real(tmp_path: Path) -> None:
    """With this DuckDB a lake that is attached for reading only loses files all the same: the list is no formality."""
    with connect(tmp_path) as connection:
        connection.execute("CALL lakehouse.set_option('data_inlining_row_limit', 0)")
        connection.execute("CREATE TABLE t AS SELECT range AS i FROM range(10)")
        connection.execute("DROP TABLE t")
        connection.execute("CALL ducklake_expire_snapshots('lakehouse', older_than => now())")
    before = list(tmp_path.rglob("*.parquet"))
    assert before
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{extension_path('ducklake')}'")
        connection.execute(f"ATTACH 'ducklake:{tmp_path}/c.ducklake' AS lakehouse (READ_ONLY)")
        with pytest.raises(duckdb.Error, match="read-only mode"):
            connection.execute("FROM ducklake_cleanup_old_files('lakehouse', cleanup_all => true)").fetchall()
    assert list(tmp_path.rglob("*.parquet")) == []
