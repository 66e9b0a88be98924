"""Stream `test/sightings`, some of whose records have no key, and what its tables must show, in plain Python."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

STREAM, MODEL = "test/sightings", "int_test__sightings"
BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
SQL = "select shop, id, updated_at, note, deleted_at, {{ airbyte_columns() }} from {{ landing() }}"


def stream_file(null_keys: str = "", key: str = "[shop, id]") -> str:
    """The stream's file; without a word on null keys it keeps them."""
    option = f"null_keys: {null_keys}\n" if null_keys else ""
    return f"""
description: What was seen in the shops.
sync_mode: incremental
destination_sync_mode: append
primary_key: {key}
cursor_field: updated_at
{option}fields:
  shop: {{type: string}}
  id: {{type: integer}}
  updated_at: {{type: string, format: date-time}}
  note: {{type: string}}
  deleted_at: {{type: string, format: date-time}}
"""


@dataclass(frozen=True)
class Sighting:
    """A version of a record; of one key a later minute is newer. ``raw`` tells it from all others."""

    shop: str | None
    id: int | None
    minute: int
    raw: str
    is_tombstone: bool = False

    @property
    def extracted_at(self) -> datetime:
        return BEGINNING + timedelta(minutes=self.minute)

    @property
    def has_key(self) -> bool:
        return self.shop is not None or self.id is not None


def sightings_file(records: Sequence[Sighting]) -> bytes:
    """A data file as Airbyte writes it."""
    utc = pa.timestamp("us", tz="UTC")
    columns: dict[str, Any] = {
        "_airbyte_raw_id": pa.array([one.raw for one in records], pa.string()),
        "_airbyte_extracted_at": pa.array([one.extracted_at for one in records], pa.timestamp("ms", tz="UTC")),
        "_airbyte_generation_id": pa.array([0 for _ in records], pa.int64()),
        "shop": pa.array([one.shop for one in records], pa.string()),
        "id": pa.array([one.id for one in records], pa.int64()),
        "updated_at": pa.array([None if one.is_tombstone else one.extracted_at for one in records], utc),
        "note": pa.array([None if one.is_tombstone else f"note {one.raw}" for one in records], pa.string()),
        "deleted_at": pa.array([one.extracted_at if one.is_tombstone else None for one in records], utc),
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, store_schema=False)
    return sink.getvalue()


def path_of(name: str) -> str:
    """A key in the folder of today, so that no look-back leaves it out."""
    day = datetime.now(UTC)
    return f"{STREAM}/year={day:%Y}/month={day:%m}/day={day:%d}/{name}.parquet"


Shown = tuple[str | None, int | None, str | None, bool, str]


def shown(records: Iterable[Sighting], *, keeps: bool) -> list[Shown]:
    """`(shop, id, note, is_deleted, raw id)` of every record: a key's newest full version under its newest tombstone.

    A record without a key is what its raw id says, and stands for itself or nowhere.
    """
    versions: dict[object, dict[bool, Sighting]] = {}
    for record in sorted(records, key=lambda one: (one.minute, one.raw)):
        told_by = (record.shop, record.id) if record.has_key else record.raw
        if record.has_key or keeps:
            versions.setdefault(told_by, {})[record.is_tombstone] = record
    rows: list[Shown] = []
    for found in versions.values():
        full, gone = found.get(False), found.get(True)
        one = full or gone
        assert one is not None
        deleted = gone is not None and (full is None or gone.minute > full.minute)
        rows.append((one.shop, one.id, None if one.is_tombstone else f"note {one.raw}", deleted, one.raw))
    return sorted(rows, key=repr)


SHOWN = f"SELECT shop, id, note, is_deleted, _airbyte_raw_id FROM processed.{MODEL}"


def without_key(first: int, number: int, minute: int = 1) -> list[Sighting]:
    """A run of records without a key."""
    return [Sighting(None, None, minute, f"none {n}") for n in range(first, first + number)]


WITH_KEY = [
    Sighting("a", 1, 1, "a1"),
    Sighting("a", 1, 3, "a1 again"),
    # A key in part: NULL is a value like any other.
    Sighting("a", None, 1, "a-"),
    Sighting("a", None, 2, "a- again"),
    Sighting(None, 1, 1, "-1"),
    Sighting(None, 1, 2, "-1 gone", is_tombstone=True),
    Sighting("b", None, 1, "b-"),
]
GONE_WITHOUT_KEY = [Sighting(None, None, 4, "none, gone", is_tombstone=True)]
