"""Data files as Airbyte's S3 destination writes them, footer for footer. docs/airbyte-files.md names every source.

Written by pyarrow from a JSON schema and plain values, then given the footer of parquet-avro. Nothing of the product is used.
"""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.parquet_footer import (
    BINARY,
    CREATED_BY,
    ELEMENT_NAME,
    KEY_VALUES,
    LIST,
    REPETITION,
    SCHEMA,
    STATISTICS,
    STRUCT,
    Value,
    chunks,
    rewrite,
)

Json = dict[str, Any]
Codec = Literal["none", "snappy", "gzip", "brotli", "zstd"]

MR_VERSION = b"parquet-mr version 1.14.2 (build e7937382e7894f4780c90eb6f896e163d2ae1ea6)"
# parquet-java writes no bounds that are longer together (ParquetMetadataConverter.MAX_STATS_SIZE).
MAX_STATISTICS = 4096
_BOUNDS = (1, 2, 5, 6)


def airbyte_file(
    schema: Mapping[str, Json],
    records: Sequence[Json],
    *,
    extracted_at: datetime = datetime(2026, 11, 1, tzinfo=UTC),
    generation_id: int = 0,
    sync_id: int = 1,
    codec: Codec = "none",
    dictionary: bool = True,
    name: str = "default.things",
) -> bytes:
    """A file of these records; ``schema`` are the declared properties, in JSON schema."""
    fields = [*_airbyte_fields(), *(pa.field(name, _arrow(of)) for name, of in schema.items())]
    rows = [
        {
            "_airbyte_raw_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{sync_id}/{generation_id}/{number}")),
            "_airbyte_extracted_at": extracted_at,
            "_airbyte_meta": {"sync_id": sync_id, "changes": []},
            "_airbyte_generation_id": generation_id,
            **{name: _value(record.get(name), of) for name, of in schema.items()},
        }
        for number, record in enumerate(records)
    ]
    sink = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist(rows, schema=pa.schema(fields)),
        sink,
        compression=codec,
        use_dictionary=dictionary,
        store_schema=False,
        version="2.6",
        write_time_adjusted_to_utc=True,
        write_page_index=True,
    )

    def as_parquet_avro(footer: Value) -> None:
        footer.value[CREATED_BY] = Value(BINARY, MR_VERSION)
        root = footer[SCHEMA].value[0]
        root[ELEMENT_NAME].value = name.encode()
        root.value.pop(REPETITION, None)
        # The Avro schema itself stands there; readers that are not parquet-avro pass it over.
        pairs = {"parquet.avro.schema": json.dumps({"type": "record", "name": name}), "writer.model.name": "avro"}
        footer.value[KEY_VALUES] = Value(LIST, [_pair(key, text) for key, text in pairs.items()])
        for chunk in chunks(footer):
            statistics = chunk.value.get(STATISTICS)
            if (
                statistics is not None
                and sum(len(statistics[n].value) for n in (5, 6) if n in statistics.value) > MAX_STATISTICS
            ):
                for number in _BOUNDS:
                    statistics.value.pop(number, None)

    return rewrite(sink.getvalue(), as_parquet_avro)


def _pair(key: str, text: str) -> Value:
    return Value(STRUCT, {1: Value(BINARY, key.encode()), 2: Value(BINARY, text.encode())})


def _airbyte_fields() -> list[Any]:
    words = [pa.field(name, pa.string(), nullable=False) for name in ("field", "change", "reason")]
    changes = pa.list_(pa.field("element", pa.struct(words), nullable=False))
    meta = pa.struct([pa.field("sync_id", pa.int64(), nullable=False), pa.field("changes", changes, nullable=False)])
    return [
        pa.field("_airbyte_raw_id", pa.string(), nullable=False),
        pa.field("_airbyte_extracted_at", pa.timestamp("ms", tz="UTC"), nullable=False),
        pa.field("_airbyte_meta", meta, nullable=False),
        pa.field("_airbyte_generation_id", pa.int64(), nullable=False),
    ]


def _arrow(schema: Json) -> pa.DataType:
    if "oneOf" in schema:
        parts = [pa.field(_name(option), _arrow(option)) for option in schema["oneOf"]]
        return pa.struct([pa.field("type", pa.string(), nullable=False), *parts])
    match schema["type"], schema.get("format"):
        case "string", "date":
            return pa.date32()
        case "string", "time":
            return pa.time64("us")
        case "string", "date-time":
            return pa.timestamp("us", tz="UTC")
        case "object", _ if schema.get("properties"):
            return pa.struct([pa.field(name, _arrow(of)) for name, of in schema["properties"].items()])
        case "array", _ if schema.get("items"):
            return pa.list_(pa.field("element", _arrow(schema["items"])))
        case "integer", _:
            return pa.int64()
        case "number", _:
            return pa.float64()
        case "boolean", _:
            return pa.bool_()
        case _:
            return pa.string()


def _value(value: Any, schema: Json) -> Any:
    """What stands in the file for a JSON value: the connector's texts for numbers become numbers (AirbyteValueCoercer)."""
    if value is None:
        return None
    if "oneOf" in schema:
        option = next(option for option in schema["oneOf"] if isinstance(value, _PYTHON[option["type"]]))
        return {"type": _name(option), _name(option): _value(value, option)}
    if schema.get("properties"):
        return {name: _value(value.get(name), of) for name, of in schema["properties"].items()}
    if schema.get("items"):
        return [_value(item, schema["items"]) for item in value]
    make: Callable[[Any], Any] = _SCALARS.get((schema["type"], schema.get("format")), _as_text)
    return make(value)


def _as_text(value: Any) -> str:
    """Objects and arrays without a schema, and whatever stands where a text was declared."""
    return value if isinstance(value, str) else json.dumps(value)


def _time(value: str) -> time:
    return time.fromisoformat(value).replace(tzinfo=None)


_SCALARS: dict[tuple[str, str | None], Callable[[Any], Any]] = {
    ("integer", None): int,
    ("number", None): float,
    ("boolean", None): bool,
    ("string", "date"): date.fromisoformat,
    ("string", "time"): _time,
    ("string", "date-time"): datetime.fromisoformat,
}


def _name(option: Json) -> str:
    return str(option["type"])


_PYTHON: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "object": dict,
    "array": list,
}
