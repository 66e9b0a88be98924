"""The rule of `processed` tables in plain Python, as a reference: the newest version of each record wins.

The version of a row is (``_airbyte_extracted_at``, ``_cursor``, ``_airbyte_raw_id``), nulls first. A tombstone marks a
record deleted without erasing what was known: the newest full row and the newest tombstone are kept side by side.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lotuslake.core.stream import Stream
from lotuslake.testing.files import Row

Version = tuple[tuple[Any, ...], ...]


def with_version(stream: Stream, row: Row) -> Row:
    """A landed row with all declared fields and the columns that tell versions apart."""
    full: Row = {"_airbyte_generation_id": None, **{field.name: None for field in stream.fields}, **row}
    if stream.cursor_field is not None:
        full["_cursor"] = row.get(stream.cursor_field)
    if stream.tombstone_field is not None:
        deleted = row.get(stream.tombstone_field) is not None
        full["is_deleted"] = deleted
        full["_deleted_extracted_at"] = row["_airbyte_extracted_at"] if deleted else None
        full["_deleted_raw_id"] = row["_airbyte_raw_id"] if deleted else None
    return full


def newest_versions(stream: Stream, rows: Iterable[Row]) -> list[Row]:
    """One row a key. Of rows with the same version the earlier one stands, so put the live table behind what is new."""
    by_key: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        by_key.setdefault(tuple(row.get(name) for name in stream.primary_key), []).append(row)
    return [_newest(versions) for versions in by_key.values()]


def _newest(versions: list[Row]) -> Row:
    # A tombstone that was merged into a full row stands in a row with another id than its own.
    full_rows = [row for row in versions if row.get("_deleted_raw_id") != row["_airbyte_raw_id"]]
    tombstones = [row for row in versions if row.get("_deleted_raw_id") is not None]
    full = max(full_rows, key=_version, default=None)
    tombstone = max(tombstones, key=_tombstone_version, default=None)
    if tombstone is None:
        return dict(full or {})
    known = dict(full or tombstone)
    deleted = full is None or _tombstone_version(tombstone) > _version(full)
    told_by = tombstone if deleted else (full or {})
    names = (name for name in {**tombstone, **known} if name.startswith(("deleted_", "_deleted_")))
    return {**known, **{name: told_by.get(name) for name in names}, "is_deleted": deleted}


def _version(row: Row) -> Version:
    return (
        _nulls_first(row["_airbyte_extracted_at"]),
        _nulls_first(row.get("_cursor")),
        _nulls_first(row["_airbyte_raw_id"]),
    )


def _tombstone_version(row: Row) -> Version:
    return (_nulls_first(row["_deleted_extracted_at"]), _nulls_first(None), _nulls_first(row["_deleted_raw_id"]))


def _nulls_first(value: Any) -> tuple[Any, ...]:
    return () if value is None else (value,)
