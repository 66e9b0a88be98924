"""Records of a stream as Parquet, laid out exactly as Airbyte's S3 destination does it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from lotuslake.core.field_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
    ColumnType,
    ListOf,
    Scalar,
    Struct,
)
from lotuslake.core.json_schema import sanitize_name
from lotuslake.core.stream import Stream
from lotuslake.demo.money import Json

_Array: TypeAlias = "pa.Array[Any]"
_Field: TypeAlias = "pa.Field[Any]"

META_TYPE = pa.struct(
    [
        pa.field("sync_id", pa.int64()),
        pa.field(
            "changes",
            pa.list_(
                pa.struct(
                    [pa.field("field", pa.string()), pa.field("change", pa.string()), pa.field("reason", pa.string())]
                )
            ),
        ),
    ]
)
_AIRBYTE_FIELDS = (
    pa.field("_airbyte_raw_id", pa.string()),
    pa.field("_airbyte_extracted_at", pa.timestamp("ms", tz="UTC")),
    pa.field("_airbyte_meta", META_TYPE),
    pa.field("_airbyte_generation_id", pa.int64()),
)
_ARROW_TYPES: dict[Scalar, pa.DataType] = {
    BIGINT: pa.int64(),
    DOUBLE: pa.float64(),
    BOOLEAN: pa.bool_(),
    VARCHAR: pa.string(),
    DATE: pa.date32(),
    TIME: pa.time64("us"),
    TIMESTAMP: pa.timestamp("us", tz="UTC"),
    TIMESTAMPTZ: pa.timestamp("us", tz="UTC"),
}

_AS_TEXT: set[type] = {str, type(None)}
_SENT_AS: dict[Scalar, set[type]] = {
    BIGINT: {int, type(None)},
    DOUBLE: {int, float, type(None)},
    BOOLEAN: {bool, type(None)},
    VARCHAR: _AS_TEXT,
}


@dataclass(frozen=True, slots=True)
class LandedRecord:
    """One record as a sync landed it: the API's record and Airbyte's four columns."""

    data: Json
    extracted_at: datetime
    raw_id: str
    sync_id: int
    generation_id: int


@cache
def arrow_type(type_: ColumnType) -> pa.DataType:
    """The Arrow type of a landing type."""
    match type_:
        case Scalar():
            return _ARROW_TYPES[type_]
        case ListOf(element):
            return pa.list_(pa.field("element", arrow_type(element)))
        case Struct():
            return pa.struct(_struct_fields(type_))


def _struct_fields(type_: Struct) -> list[_Field]:
    return [pa.field(name, arrow_type(part)) for name, part in type_.fields]


def arrow_schema(stream: Stream) -> pa.Schema:
    """The schema of a data file: Airbyte's columns, then the declared fields in order."""
    declared: list[_Field] = [pa.field(field.name, arrow_type(field.type)) for field in stream.fields]
    fields: list[_Field] = [*_AIRBYTE_FIELDS, *declared]
    return pa.schema(fields)


def to_parquet_bytes(stream: Stream, records: Sequence[LandedRecord]) -> bytes:
    """One data file. The same records give the same bytes; values that do not fit their type become null."""
    airbyte: list[_Array] = [
        pa.array([record.raw_id for record in records], pa.string()),
        pa.array([record.extracted_at for record in records], pa.timestamp("ms", tz="UTC")),
        pa.array([{"sync_id": record.sync_id, "changes": []} for record in records], META_TYPE),
        pa.array([record.generation_id for record in records], pa.int64()),
    ]
    declared = [
        _column(field.type, [record.data.get(field.source_name or field.name) for record in records])
        for field in stream.fields
    ]
    table = pa.Table.from_arrays([*airbyte, *declared], schema=arrow_schema(stream))
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="snappy", store_schema=False)
    return sink.getvalue()


def _column(type_: ColumnType, values: list[Any]) -> _Array:
    if not values:
        return _nulls(type_, 0)
    match type_:
        case Struct():
            return _struct_column(type_, values)
        case ListOf():
            return _list_column(type_, values)
        case Scalar():
            return _scalar_column(type_, values)


def _struct_column(type_: Struct, values: list[Any]) -> _Array:
    rows = [value if isinstance(value, dict) else None for value in values]
    keys = {_landed_name(key): key for row in rows if row is not None for key in row}
    parts = []
    for name, part in type_.fields:
        if key := keys.get(name):
            parts.append(_column(part, [row.get(key) if row is not None else None for row in rows]))
        else:
            parts.append(_nulls(part, len(rows)))
    mask = pa.array([row is None for row in rows], pa.bool_())
    return pa.StructArray.from_arrays(parts, fields=_struct_fields(type_), mask=mask)


def _nulls(type_: ColumnType, length: int) -> _Array:
    arrow: Any = arrow_type(type_)
    nulls: _Array = pa.nulls(length, arrow)
    return nulls


@cache
def _landed_name(key: str) -> str:
    return sanitize_name(key)


def _list_column(type_: ListOf, values: list[Any]) -> _Array:
    offsets: list[int | None] = []
    flat: list[Any] = []
    for value in values:
        is_list = isinstance(value, list)
        offsets.append(len(flat) if is_list else None)
        if is_list:
            flat.extend(value)
    offsets.append(len(flat))
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), _column(type_.element, flat), type=arrow_type(type_)
    )  # fmt: skip


def _scalar_column(type_: Scalar, values: list[Any]) -> _Array:
    """All at once when every value is of the type that the API sends, else one by one."""
    arrow = _ARROW_TYPES[type_]
    if {type(value) for value in values} <= _SENT_AS.get(type_, _AS_TEXT):
        try:
            return pa.array(values, arrow) if type_ in _SENT_AS else pa.array(values, pa.string()).cast(arrow)
        except (ValueError, OverflowError):
            pass  # one of them does not fit after all
    return pa.array([_fitting(type_, value) for value in values], arrow)


def _fitting(type_: Scalar, value: Any) -> Any:
    """The value in its type, or None when it is missing or does not fit."""
    if value is None:
        return None
    try:
        return _PARSERS[type_](value)
    except (ValueError, TypeError, OverflowError):
        return None


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _text(value: Any) -> str:
    """A string as it is; anything else as JSON, which is how objects without properties land."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text.encode()  # lone surrogates do not fit
    return text


def _timestamp(value: Any) -> datetime:
    """An ISO date-time; without an offset it is UTC."""
    parsed = datetime.fromisoformat(value)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


_PARSERS: dict[Scalar, Callable[[Any], Any]] = {
    BIGINT: _integer,
    DOUBLE: _number,
    BOOLEAN: _boolean,
    VARCHAR: _text,
    DATE: date.fromisoformat,
    TIME: time.fromisoformat,
    TIMESTAMP: _timestamp,
    TIMESTAMPTZ: _timestamp,
}
