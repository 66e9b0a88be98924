"""The rule of `processed` tables in plain Python, as a reference: the newest version of each record wins.

The version of a row is (``_airbyte_extracted_at``, cursor, ``_airbyte_raw_id``), nulls first. A tombstone marks a record
deleted without erasing what was known: the newest full row and the newest tombstone are kept side by side. A record
without a key is identified by its raw id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lotuslake.core.stream import Stream
from lotuslake.core.version_columns import VersionColumns, name_version_columns
from lotuslake.testing.files import Row

Version = tuple[tuple[Any, ...], ...]


def with_version(stream: Stream, row: Row) -> Row:
    """A landed row with all declared fields and the columns that tell versions apart."""
    names = name_version_columns(stream)
    full: Row = {"_airbyte_generation_id": None, **{field.name: None for field in stream.fields}, **row}
    if names.cursor is not None and stream.cursor_field is not None:
        full[names.cursor] = row.get(stream.cursor_field)
    if names.is_deleted and names.deleted_extracted_at and names.deleted_raw_id and stream.tombstone_field:
        deleted = row.get(stream.tombstone_field) is not None
        full[names.is_deleted] = deleted
        full[names.deleted_extracted_at] = row["_airbyte_extracted_at"] if deleted else None
        full[names.deleted_raw_id] = row["_airbyte_raw_id"] if deleted else None
    return full


def has_no_key(stream: Stream, row: Row) -> bool:
    """Whether the key is wholly NULL."""
    return all(row.get(name) is None for name in stream.primary_key)


def raw_ids_without_key(stream: Stream, rows: Iterable[Row]) -> set[Any]:
    """The records without a key, each raw id once."""
    return {row["_airbyte_raw_id"] for row in rows if has_no_key(stream, row)}


def newest_versions(stream: Stream, rows: Iterable[Row]) -> list[Row]:
    """One row a record. Of rows with the same version the earlier one stands, so put the live table behind what is new."""
    by_record: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple(row.get(name) for name in stream.primary_key)
        if not has_no_key(stream, row):
            by_record.setdefault(key, []).append(row)
        elif stream.null_keys == "keep":
            by_record.setdefault((*key, row["_airbyte_raw_id"]), []).append(row)
    return [_newest(name_version_columns(stream), versions) for versions in by_record.values()]


def _newest(names: VersionColumns, versions: list[Row]) -> Row:
    # A tombstone that was merged into a full row stands in a row with another id than its own.
    deleted_by = [row.get(names.deleted_raw_id or "") for row in versions]
    full_rows = [row for row, by in zip(versions, deleted_by, strict=True) if by != row["_airbyte_raw_id"]]
    tombstones = [row for row, by in zip(versions, deleted_by, strict=True) if by is not None]
    full = max(full_rows, key=lambda row: _version(names, row), default=None)
    tombstone = max(tombstones, key=lambda row: _tombstone_version(names, row), default=None)
    if tombstone is None:
        return dict(full or {})
    known = dict(full or tombstone)
    deleted = full is None or _tombstone_version(names, tombstone) > _version(names, full)
    told_by = tombstone if deleted else (full or {})
    of_tombstones = {name for name in {**tombstone, **known} if name.startswith("deleted_")}
    of_tombstones |= {name for name in (names.tombstone, names.deleted_extracted_at, names.deleted_raw_id) if name}
    return {**known, **{name: told_by.get(name) for name in of_tombstones}, str(names.is_deleted): deleted}


def _version(names: VersionColumns, row: Row) -> Version:
    return (
        _nulls_first(row["_airbyte_extracted_at"]),
        _nulls_first(row.get(names.cursor or "")),
        _nulls_first(row["_airbyte_raw_id"]),
    )


def _tombstone_version(names: VersionColumns, row: Row) -> Version:
    return (
        _nulls_first(row[names.deleted_extracted_at or ""]),
        _nulls_first(None),
        _nulls_first(row[names.deleted_raw_id or ""]),
    )


def _nulls_first(value: Any) -> tuple[Any, ...]:
    return () if value is None else (value,)
