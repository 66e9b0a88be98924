"""Data files of the demo: Airbyte's layout, and values that survive the round trip."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotuslake.core.field_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    TIMESTAMP,
    VARCHAR,
    ColumnType,
    ListOf,
    Struct,
)
from lotuslake.core.stream import Field, Stream
from lotuslake.demo import LandedRecord, Shop, arrow_schema, to_parquet_bytes, write_files

AT = datetime(2026, 11, 1, 3, 0, 5, 250_000, tzinfo=UTC)


def _stream(*fields: tuple[str, ColumnType], source_name: str | None = None) -> Stream:
    made = tuple(Field(name, type_, {}, source_name=source_name) for name, type_ in fields)
    return Stream("shop", "things", "", "incremental", "append", ("id",), None, made, "shop/things")


def _record(data: dict[str, Any]) -> LandedRecord:
    return LandedRecord(data, AT, "0b5c3f6e-9a1d-4c55-a0fe-2f1f2a3b4c5d", 41_010, 1)


def _read(stream: Stream, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    body = to_parquet_bytes(stream, [_record(row) for row in rows])
    return pq.read_table(io.BytesIO(body)).to_pylist()


def test_arrow_schema_is_airbytes() -> None:
    inner = Struct((("at", TIMESTAMP), ("sku", VARCHAR)))
    stream = _stream(
        ("id", BIGINT), ("price", DOUBLE), ("ok", BOOLEAN), ("day", DATE), ("lines", ListOf(inner)), ("extra", VARCHAR)
    )
    change = pa.struct([("field", pa.string()), ("change", pa.string()), ("reason", pa.string())])
    line = pa.struct([("at", pa.timestamp("us", tz="UTC")), ("sku", pa.string())])
    expected: list[pa.Field[Any]] = [
        pa.field("_airbyte_raw_id", pa.string()),
        pa.field("_airbyte_extracted_at", pa.timestamp("ms", tz="UTC")),
        pa.field("_airbyte_meta", pa.struct([("sync_id", pa.int64()), ("changes", pa.list_(change))])),
        pa.field("_airbyte_generation_id", pa.int64()),
        pa.field("id", pa.int64()),
        pa.field("price", pa.float64()),
        pa.field("ok", pa.bool_()),
        pa.field("day", pa.date32()),
        pa.field("lines", pa.list_(pa.field("element", line))),
        pa.field("extra", pa.string()),
    ]
    assert arrow_schema(stream) == pa.schema(expected)


def test_parquet_types_are_airbytes() -> None:
    body = to_parquet_bytes(_stream(("id", BIGINT), ("at", TIMESTAMP)), [_record({"id": 1})])
    file = pq.ParquetFile(io.BytesIO(body))
    columns = {file.schema.column(n).path: file.schema.column(n) for n in range(len(file.schema))}
    extracted = columns["_airbyte_extracted_at"]
    assert extracted.physical_type == "INT64"
    logical = json.loads(extracted.logical_type.to_json())
    assert (logical["Type"], logical["timeUnit"], logical["isAdjustedToUTC"]) == ("Timestamp", "milliseconds", True)
    assert json.loads(columns["at"].logical_type.to_json())["timeUnit"] == "microseconds"
    assert {"_airbyte_meta.sync_id", "_airbyte_meta.changes.list.element.reason"} <= set(columns)
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"


def test_airbytes_own_values() -> None:
    (row,) = _read(_stream(("id", BIGINT)), {"id": 5})
    assert row["_airbyte_extracted_at"] == AT
    assert row["_airbyte_meta"] == {"sync_id": 41_010, "changes": []}
    assert row["_airbyte_generation_id"] == 1


@pytest.mark.parametrize(
    ("type_", "value", "landed"),
    [
        (TIMESTAMP, "2026-03-01T10:00:00-08:00", datetime(2026, 3, 1, 18, tzinfo=UTC)),
        (TIMESTAMP, "2026-03-01T10:00:00.123456Z", datetime(2026, 3, 1, 10, 0, 0, 123_456, tzinfo=UTC)),
        (TIMESTAMP, "2026-03-01T10:00:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (TIMESTAMP, "next week", None),
        (TIMESTAMP, 5, None),
        (DATE, "2026-03-01", date(2026, 3, 1)),
        (DATE, "1 March", None),
        (BIGINT, "12", None),
        (BIGINT, 1.5, None),
        (BIGINT, 2**63, None),
        (DOUBLE, 3, 3.0),
        (DOUBLE, "3", None),
        (BOOLEAN, "yes", None),
        (VARCHAR, {"a": [1, "é"]}, '{"a":[1,"é"]}'),
        (VARCHAR, [], "[]"),
        (VARCHAR, "plain", "plain"),
        (Struct((("a", BIGINT),)), {"a": 1, "undeclared": 2}, {"a": 1}),
        (Struct((("a", BIGINT),)), "no object", None),
        (Struct((("flow_triggers", BIGINT),)), {"flow-triggers": 1}, {"flow_triggers": 1}),
        (ListOf(BIGINT), [1, None, "x"], [1, None, None]),
        (ListOf(BIGINT), "no list", None),
        (BIGINT, None, None),
    ],
)
def test_values_fit_their_type_or_become_null(type_: ColumnType, value: object, landed: object) -> None:
    good, bad = _read(_stream(("it", type_)), {"it": value}, {})
    assert good["it"] == landed
    assert bad["it"] is None


def test_a_renamed_column_reads_its_source_name() -> None:
    (row,) = _read(_stream(("opened_at", VARCHAR), source_name="opened-at"), {"opened-at": "now"})
    assert row["opened_at"] == "now"


_FIRST, _LAST = AT.replace(year=1700, tzinfo=None), AT.replace(year=2200, tzinfo=None)
_SCALARS: dict[ColumnType, st.SearchStrategy[Any]] = {
    BIGINT: st.integers(-(2**63), 2**63 - 1),
    DOUBLE: st.floats(allow_nan=False),
    BOOLEAN: st.booleans(),
    VARCHAR: st.text(st.characters(codec="utf-8")),
    DATE: st.dates(date(1, 1, 1)),
    TIMESTAMP: st.datetimes(_FIRST, _LAST, timezones=st.just(UTC)),
}
_TYPES = st.recursive(
    st.sampled_from(list(_SCALARS)),
    lambda inner: (
        inner.map(ListOf)
        | st.lists(inner, min_size=1, max_size=3).map(
            lambda parts: Struct(tuple((f"f{n}", p) for n, p in enumerate(parts)))
        )
    ),
    max_leaves=5,
)


def _values(type_: ColumnType) -> st.SearchStrategy[Any]:
    match type_:
        case ListOf(element):
            return st.none() | st.lists(_values(element), max_size=3)
        case Struct(fields):
            return st.none() | st.fixed_dictionaries({name: _values(part) for name, part in fields})
        case _:
            return st.none() | _SCALARS[type_]


def _as_sent(value: Any) -> Any:
    """The JSON form that the API would send."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case list():
            return [_as_sent(item) for item in value]
        case dict():
            return {key: _as_sent(item) for key, item in value.items()}
    return value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_round_trip(data: st.DataObject) -> None:
    type_ = data.draw(_TYPES)
    values = data.draw(st.lists(_values(type_), min_size=1, max_size=4))
    rows = _read(_stream(("it", type_)), *({"it": _as_sent(value)} for value in values))
    assert [row["it"] for row in rows] == values


def test_every_stream_of_the_project_reads_back(shop: Shop, streams: tuple[Stream, ...]) -> None:
    for stream in streams:
        file = next(write_files(shop, [stream], "increment"))
        table = pq.read_table(io.BytesIO(file.body))
        assert table.num_rows == file.rows
        assert table.schema.equals(arrow_schema(stream))
        cursor = stream.cursor_field
        assert cursor is None or table[cursor].null_count <= 3, "only tombstones lack a cursor"
        for key in stream.primary_key:
            assert table[key].null_count == 0
