"""Every conversion's SQL, run by the real DuckDB: the value comes out whole, or an error that names no value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import duckdb
import pytest

from lotuslake.core.conversion import convert
from lotuslake.core.scalar_conversion import EXTRACTED_AT
from lotuslake.core.type_text import parse_type

AT_UTC = datetime(2026, 3, 1, 10, 11, 12, 345678, tzinfo=UTC)
AT = AT_UTC.replace(tzinfo=None)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def run(connection: duckdb.DuckDBPyConnection, value: str, from_: str, to: str, column: str = "it's") -> Any:
    """What becomes of a value in a table of two rows, the other one holding NULL."""
    sql = convert('"a column"', parse_type(from_), parse_type(to), column=column)
    assert sql is not None
    source = f'SELECT CAST(v AS {from_}) AS "a column" FROM (VALUES (NULL), ({value})) AS t(v)'
    statement = f'SELECT {sql} FROM ({source}) ORDER BY "a column" NULLS FIRST'
    description = connection.execute(f"DESCRIBE {statement}").fetchall()
    assert parse_type(description[0][1]) == parse_type(to)
    nothing, found = connection.execute(statement).fetchall()
    assert nothing == (None,)
    return found[0]


WHOLE_TYPES = ["TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER", "BIGINT"]
GOOD: list[tuple[str, str, str, Any]] = [
    *((type_, "BIGINT", "100", 100) for type_ in [*WHOLE_TYPES, "UBIGINT", "HUGEINT", "UHUGEINT"]),
    *((type_, "DOUBLE", "100", 100.0) for type_ in [*WHOLE_TYPES, "UBIGINT", "HUGEINT", "UHUGEINT"]),
    *((type_, "VARCHAR", "100", "100") for type_ in [*WHOLE_TYPES, "HUGEINT"]),
    ("UBIGINT", "BIGINT", "9223372036854775807", 2**63 - 1),
    ("DOUBLE", "BIGINT", "-3.0", -3),
    ("FLOAT", "BIGINT", "2.0", 2),
    ("DECIMAL(10,2)", "BIGINT", "12.00", 12),
    ("VARCHAR", "BIGINT", "' +42 '", 42),
    ("VARCHAR", "BIGINT", "'-9223372036854775808'", -(2**63)),
    ("FLOAT", "DOUBLE", "1.5", 1.5),
    ("DECIMAL(10,2)", "DOUBLE", "12.25", 12.25),
    ("VARCHAR", "DOUBLE", "'1e3'", 1000.0),
    ("BIGINT", "DOUBLE", "9007199254740992", 2.0**53),
    ("DECIMAL(10,2)", "VARCHAR", "12.20", "12.20"),
    ("DOUBLE", "VARCHAR", "0.1", "0.1"),
    ("BOOLEAN", "VARCHAR", "true", "true"),
    ("DATE", "VARCHAR", "'2026-03-01'", "2026-03-01"),
    ("UUID", "VARCHAR", "'00000000-0000-0000-0000-00000000000a'", "00000000-0000-0000-0000-00000000000a"),
    ("JSON", "VARCHAR", """'{"a": 1}'""", '{"a": 1}'),
    ("BLOB", "VARCHAR", "encode('é')", "é"),
    ("ENUM('a', 'b)')", "VARCHAR", "'b)'", "b)"),
    ("STRUCT(a BIGINT, b VARCHAR[])", "VARCHAR", "{'a': 1, 'b': ['x']}", '{"a":1,"b":["x"]}'),
    ("BIGINT[]", "VARCHAR", "[1, 2]", "[1,2]"),
    ("MAP(VARCHAR, BIGINT)", "VARCHAR", "map {'a': 1}", '{"a":1}'),
    ("DATE", "TIMESTAMP", "'2026-03-01'", MIDNIGHT),
    ("DATE", "TIMESTAMP WITH TIME ZONE", "'2026-03-01'", MIDNIGHT.replace(tzinfo=UTC)),
    ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", f"'{AT}'", AT_UTC),
    ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP", f"'{AT}+00'", AT),
    ("TIMESTAMP_S", "TIMESTAMP", "'2026-03-01 10:11:12'", AT.replace(microsecond=0)),
    ("TIMESTAMP_MS", "TIMESTAMP", "'2026-03-01 10:11:12.345'", AT.replace(microsecond=345000)),
    ("TIMESTAMP_NS", "TIMESTAMP", "'2026-03-01 10:11:12.345678'", AT),
    ("VARCHAR", "TIMESTAMP", "'2026-03-01T12:11:12.345678+02:00'", AT),
    ("VARCHAR", "TIMESTAMP", "'2026-03-01T10:11:12.345678Z'", AT),
    ("VARCHAR", "TIMESTAMP", "'2026-03-01 10:11:12.345678'", AT),
    ("VARCHAR", "TIMESTAMP WITH TIME ZONE", "'2026-03-01T12:11:12.345678+02:00'", AT_UTC),
    ("TIMESTAMP", "DATE", "'2026-03-01 00:00:00'", date(2026, 3, 1)),
    ("TIMESTAMP WITH TIME ZONE", "DATE", "'2026-03-01 00:00:00+00'", date(2026, 3, 1)),
    ("VARCHAR", "DATE", "'2026-03-01'", date(2026, 3, 1)),
    ("VARCHAR", "TIME", "'10:11:12.345678'", AT.time()),
    ("VARCHAR", "TIME", "'10:11:12Z'", time(10, 11, 12)),
    ("VARCHAR", "BOOLEAN", "'true'", True),
    ("STRUCT(A INTEGER)", "STRUCT(a BIGINT, b VARCHAR)", "{'A': 1}", {"a": 1, "b": None}),
    ("STRUCT(a INTEGER, gone VARCHAR)", "STRUCT(a VARCHAR)", "{'a': 1, 'gone': 'x'}", {"a": "1"}),
    (
        'STRUCT("a b" STRUCT(c DOUBLE))',
        'STRUCT("a b" STRUCT(c BIGINT, d DATE))',
        "{'a b': {'c': 2.0}}",
        {"a b": {"c": 2, "d": None}},
    ),
    ("INTEGER[]", "VARCHAR[]", "[1, NULL]", ["1", None]),
    ("DOUBLE[][]", "BIGINT[][]", "[[1.0], [], NULL]", [[1], [], None]),
    ("STRUCT(a INTEGER)[]", "STRUCT(a BIGINT)[]", "[{'a': 1}, NULL]", [{"a": 1}, None]),
    ("VARCHAR", "STRUCT(a BIGINT, b VARCHAR)", """'{"a": 1, "b": "x"}'""", {"a": 1, "b": "x"}),
    ("JSON", "STRUCT(a BIGINT, b VARCHAR)", """'{"a": 1}'""", {"a": 1, "b": None}),
    ("VARCHAR", "STRUCT(o STRUCT(n DOUBLE))", """'{"o": {"n": 0.5}}'""", {"o": {"n": 0.5}}),
    ("VARCHAR", "STRUCT(o VARCHAR)", """'{"o": {"n": 1}}'""", {"o": '{"n":1}'}),
    ("VARCHAR", "STRUCT(t TIMESTAMP)", """'{"t": "2026-03-01T12:11:12.345678+02:00"}'""", {"t": AT}),
    ("VARCHAR", "STRUCT(a BIGINT)", """'{"a": 1, "undeclared": 2}'""", {"a": 1}),
    ("VARCHAR", "STRUCT(a STRUCT(b DATE), c BIGINT[])", """'{"a": null, "c": null}'""", {"a": None, "c": None}),
    ("VARCHAR", "STRUCT(a STRUCT(b DATE), c BIGINT[])", "'{}'", {"a": None, "c": None}),
    ("VARCHAR", "STRUCT(a BIGINT)", "'null'", None),
    ("VARCHAR", "STRUCT(a DOUBLE, b BOOLEAN)", """'{"a": 1, "b": true}'""", {"a": 1.0, "b": True}),
    ("VARCHAR", "STRUCT(c VARCHAR)", """'{"c": 2}'""", {"c": "2"}),
    ("VARCHAR", "BIGINT[]", "'[1, null, 2]'", [1, None, 2]),
    ("VARCHAR", "STRUCT(a BIGINT[])[]", """'[{"a": [1]}, {}]'""", [{"a": [1]}, {"a": None}]),
    ("VARCHAR", "STRUCT(a BIGINT)[]", """'[{"a": 1}]'""", [{"a": 1}]),
]
BAD: list[tuple[str, str, str]] = [
    ("DOUBLE", "BIGINT", "4711.5"),
    ("DOUBLE", "BIGINT", "4711e30"),
    ("DOUBLE", "BIGINT", "'nan'"),
    ("DECIMAL(10,2)", "BIGINT", "4711.25"),
    ("UBIGINT", "BIGINT", "9223372036854775808"),
    ("HUGEINT", "BIGINT", "47110000000000000000000"),
    ("VARCHAR", "BIGINT", "'4711.5'"),
    ("VARCHAR", "BIGINT", "'4711_000'"),
    ("VARCHAR", "BIGINT", "'47110000000000000000000'"),
    ("VARCHAR", "BIGINT", "''"),
    ("VARCHAR", "DOUBLE", "'4711 euro'"),
    ("BIGINT", "DOUBLE", "9007199254740993"),
    ("UHUGEINT", "DOUBLE", "340282366920938463463374607431768211455"),
    ("BLOB", "VARCHAR", r"'4711\xFF'"),
    ("VARCHAR", "TIMESTAMP", "'secret 4711'"),
    ("VARCHAR", "TIMESTAMP WITH TIME ZONE", "'2026-13-47'"),
    ("TIMESTAMP", "DATE", "'2026-03-01 10:47:11'"),
    ("TIMESTAMP WITH TIME ZONE", "DATE", "'2026-03-01 10:47:11+00'"),
    ("VARCHAR", "DATE", "'2026-03-01 10:47:11'"),
    ("VARCHAR", "DATE", "'secret 4711'"),
    ("VARCHAR", "TIME", "'10:47:11+02:00'"),
    ("VARCHAR", "TIME", "'10:47:11.1234567'"),
    ("VARCHAR", "TIME", "'47:11:00'"),
    ("VARCHAR", "BOOLEAN", "'secret'"),
    ("STRUCT(a DOUBLE)", "STRUCT(a BIGINT)", "{'a': 4711.5}"),
    ("DOUBLE[]", "BIGINT[]", "[4711.5]"),
    ("VARCHAR", "STRUCT(a BIGINT)", "'secret 4711'"),
    ("VARCHAR", "STRUCT(a BIGINT)", "'[4711]'"),
    ("VARCHAR", "STRUCT(a BIGINT)", """'{"a": 4711.5}'"""),
    ("VARCHAR", "STRUCT(o STRUCT(a BIGINT))", """'{"o": [4711]}'"""),
    ("VARCHAR", "STRUCT(a BIGINT[])", """'{"a": 4711}'"""),
    ("VARCHAR", "STRUCT(d DATE)", """'{"d": "2026-03-01T10:47:11Z"}'"""),
    ("VARCHAR", "BIGINT[]", "'[4711.5]'"),
    ("VARCHAR", "BIGINT[]", """'{"secret": 4711}'"""),
]
NONE: list[tuple[str, str]] = [
    ("BOOLEAN", "BIGINT"),
    ("BOOLEAN", "DOUBLE"),
    ("DATE", "BIGINT"),
    ("TIMESTAMP", "BIGINT"),
    ("BIGINT", "TIMESTAMP"),
    ("BIGINT", "BOOLEAN"),
    ("BIGINT", "DATE"),
    ("TIMESTAMP", "TIME"),
    ("UUID", "BIGINT"),
    ("INTERVAL", "DOUBLE"),
    ("STRUCT(a BIGINT)", "BIGINT"),
    ("BIGINT[]", "STRUCT(a BIGINT)"),
    ("STRUCT(a BIGINT)", "BIGINT[]"),
    ("BIGINT", "STRUCT(a BIGINT)"),
    ("BIGINT", "BIGINT[]"),
    ("STRUCT(a BOOLEAN)", "STRUCT(a BIGINT)"),
    ("BOOLEAN[]", "BIGINT[]"),
    ("VARCHAR", "STRUCT(a BLOB)"),
    ("VARCHAR", "BLOB[]"),
    ("VARCHAR", "STRUCT(a BLOB[], b BIGINT)[]"),
]


@pytest.mark.parametrize(("from_", "to", "value", "expected"), GOOD)
def test_a_value_that_fits_comes_out_whole(
    connection: duckdb.DuckDBPyConnection, from_: str, to: str, value: str, expected: object
) -> None:
    found = run(connection, value, from_, to)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("from_", "to", "value"), BAD)
def test_a_value_that_would_change_is_an_error_that_does_not_repeat_it(
    connection: duckdb.DuckDBPyConnection, from_: str, to: str, value: str
) -> None:
    with pytest.raises(duckdb.Error) as raised:
        run(connection, value, from_, to)
    message = str(raised.value)
    assert not any(part in message for part in ("4711", "47:11", "secret", "9007", "9223", "3402", "2026"))
    assert "column it's holds" in message or from_ == "BLOB"


@pytest.mark.parametrize(("from_", "to"), NONE)
def test_where_no_lossless_way_is_known_there_is_none(from_: str, to: str) -> None:
    assert convert("x", parse_type(from_), parse_type(to)) is None


@pytest.mark.parametrize("type_", ["BIGINT", "STRUCT(a BIGINT)", "VARCHAR[]"])
def test_the_same_type_is_taken_as_it_is(type_: str) -> None:
    assert convert("x", parse_type(type_), parse_type(type_)) == "x"


@pytest.mark.parametrize(
    ("from_", "to", "value", "expected"),
    [
        ("BIGINT", "TIMESTAMP", "1772359872345", AT.replace(microsecond=345000)),
        ("BIGINT", "TIMESTAMP WITH TIME ZONE", "1772359872345", AT_UTC.replace(microsecond=345000)),
        ("TIMESTAMP", "BIGINT", "'2026-03-01 10:11:12.345'", 1772359872345),
        ("TIMESTAMP WITH TIME ZONE", "BIGINT", "'2026-03-01 10:11:12.345+00'", 1772359872345),
    ],
)
def test_the_instant_of_extraction_may_be_epoch_milliseconds(
    connection: duckdb.DuckDBPyConnection, from_: str, to: str, value: str, expected: object
) -> None:
    assert run(connection, value, from_, to, EXTRACTED_AT) == expected


WEIRD_NAMES = [
    "a b",
    'say "hi"',
    "ünïcödé 😀",
    "select",
    "group",
    "A",
    "a,b",
    "(x)",
    "[y]",
    "it's",
    "STRUCT",
    "1st",
    "a.b",
]


@pytest.mark.parametrize("name", WEIRD_NAMES)
@pytest.mark.parametrize("outer", ["{}", "{}[]", "STRUCT(inner_ {}, z BIGINT)", "{}[][]"])
def test_duckdbs_text_of_a_type_is_read_back_whatever_the_names(
    connection: duckdb.DuckDBPyConnection, name: str, outer: str
) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    written = outer.format(f"STRUCT({quoted} DECIMAL(18,3), plain TIMESTAMP WITH TIME ZONE)")
    described = connection.execute(f"DESCRIBE SELECT CAST(NULL AS {written}) AS x").fetchall()[0][1]
    assert parse_type(described) == parse_type(written)
    again = connection.execute(f"DESCRIBE SELECT CAST(NULL AS {parse_type(described)}) AS x").fetchall()[0][1]
    assert again == described


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("MAP(VARCHAR, STRUCT(a INTEGER[]))", "MAP(VARCHAR,STRUCT(a INTEGER[]))"),
        ("UNION(num INTEGER, str VARCHAR)", "UNION(num INTEGER,str VARCHAR)"),
        ("ENUM('it''s', 'a)', 'b, (c')", "ENUM('it''s','a)','b, (c')"),
        ("DECIMAL(18, 3)[]", "DECIMAL(18,3)[]"),
        ("FLOAT[3]", "FLOAT[]"),
        ("MAP(VARCHAR, DECIMAL(4,1)[])[2][]", "MAP(VARCHAR,DECIMAL(4,1)[])[][]"),
        ("STRUCT(m MAP(DATE, TIME), e ENUM('x'))", 'STRUCT("m" MAP(DATE,TIME), "e" ENUM(\'x\'))'),
        ("TIMESTAMP_NS", "TIMESTAMP_NS"),
        ("INTERVAL", "INTERVAL"),
    ],
)
def test_types_with_parameters_keep_them(connection: duckdb.DuckDBPyConnection, written: str, expected: str) -> None:
    described = connection.execute(f"DESCRIBE SELECT CAST(NULL AS {written}) AS x").fetchall()[0][1]
    assert str(parse_type(described)) == expected
