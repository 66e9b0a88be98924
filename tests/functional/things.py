"""Stream `test/things` and its data files, as Airbyte writes them or spoilt on purpose."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from lotuslake.demo.parquet import META_TYPE
from tests.functional.program import Project, make_project

Array: TypeAlias = "pa.Array[Any]"

STREAM = "test/things"
BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
TODAY = datetime.now(UTC).date()

STREAM_FILE = """
description: Things that a test needs.
sync_mode: incremental
destination_sync_mode: append
primary_key: [id]
cursor_field: updated_at
fields:
  id: {type: integer}
  updated_at: {type: string, format: date-time}
  name: {type: string}
  price: {type: number}
  amount: {type: integer}
  day: {type: string, format: date}
  active: {type: boolean}
  address: {type: object, properties: {city: {type: string}, zip: {type: string}}}
  parts: {type: array, items: {type: object, properties: {sku: {type: string}, amount: {type: integer}}}}
  either: {oneOf: [{type: string}, {type: number}]}
"""
MODEL = """
select id, updated_at, name, price, amount, day, active, address, parts, either, {{ airbyte_columns() }}
from {{ landing() }}
"""
ADDRESS = pa.struct([pa.field("city", pa.string()), pa.field("zip", pa.string())])
PARTS = pa.list_(pa.struct([pa.field("sku", pa.string()), pa.field("amount", pa.int64())]))
EITHER = pa.struct([pa.field("type", pa.string()), pa.field("string", pa.string()), pa.field("number", pa.float64())])


def things_project(root: Path, *, stream_file: str = STREAM_FILE, model: str = MODEL) -> Project:
    """A project with this one stream and its model."""
    return make_project(root, {STREAM: stream_file}, {"processed/int_test__things.sql": model})


def extracted_at(key: int) -> datetime:
    """When the row of a key was extracted."""
    return BEGINNING + timedelta(minutes=key)


def columns(ids: Sequence[int], **changed: Array | None) -> dict[str, Array]:
    """The columns of a data file; `changed` replaces some, adds others, and leaves out those that are None."""
    utc_ms, utc_us = pa.timestamp("ms", tz="UTC"), pa.timestamp("us", tz="UTC")
    standard: dict[str, Array] = {
        "_airbyte_raw_id": pa.array([f"raw-{key}" for key in ids], pa.string()),
        "_airbyte_extracted_at": pa.array([extracted_at(key) for key in ids], utc_ms),
        "_airbyte_meta": pa.array([{"sync_id": 1, "changes": []} for _ in ids], META_TYPE),
        "_airbyte_generation_id": pa.array([0 for _ in ids], pa.int64()),
        "id": pa.array(ids, pa.int64()),
        "updated_at": pa.array([extracted_at(key) for key in ids], utc_us),
        "name": pa.array([f"thing {key}" for key in ids], pa.string()),
        "price": pa.array([key + 0.5 for key in ids], pa.float64()),
        "amount": pa.array(ids, pa.int64()),
        "day": pa.array([date(2026, 11, 1) for _ in ids], pa.date32()),
        "active": pa.array([True for _ in ids], pa.bool_()),
        "address": pa.array([{"city": "Berlin", "zip": "10115"} for _ in ids], ADDRESS),
        "parts": pa.array([[{"sku": "a", "amount": 1}] for _ in ids], PARTS),
        "either": pa.array([{"type": "number", "string": None, "number": 1.5} for _ in ids], EITHER),
    }
    return {name: array for name, array in (standard | changed).items() if array is not None}


def data_file(ids: Sequence[int], **changed: Array | None) -> bytes:
    """A Parquet file with a row for each id."""
    return parquet(columns(ids, **changed))


def parquet(arrays: dict[str, Array]) -> bytes:
    """A Parquet file of these columns."""
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays), sink, store_schema=False)
    return sink.getvalue()


def key_of(name: str, *, days_ago: int = 0) -> str:
    """A key in the folder of a day, as Airbyte lays files out."""
    day = TODAY - timedelta(days=days_ago)
    return f"{STREAM}/year={day.year}/month={day.month:02}/day={day.day:02}/{name}"
