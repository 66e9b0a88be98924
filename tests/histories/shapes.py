"""What a history's configuration and records are to the product: a Stream, and fields of rows."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lotuslake.core.field_types import BIGINT, TIMESTAMP, VARCHAR, Struct
from lotuslake.core.stream import Field, Stream
from tests.histories.world import Config, Record

SOURCE, NAME = "shop", "items"
MODEL = f"int_{SOURCE}__{NAME}"
HAS_NULL_KEYS = any(field.name == "null_keys" for field in fields(Stream))


def path_of(name: str, at: datetime) -> str:
    return f"{SOURCE}/{NAME}/year={at.year}/month={at.month:02}/day={at.day:02}/{name}.parquet"


def to_stream(config: Config) -> Stream:
    """The stream's file as it would be parsed."""
    integer, text, moment = {"type": "integer"}, {"type": "string"}, {"type": "string", "format": "date-time"}
    info = Struct((("a", BIGINT), *([("b", BIGINT)] if config.has_member else [])))
    declared: list[tuple[str, Any, Any]] = [
        ("id", BIGINT, integer),
        ("name", VARCHAR, text),
        ("amount", BIGINT, integer),
        ("updated_at", TIMESTAMP, moment),
        ("edited_at", TIMESTAMP, moment),
        ("deleted_at", TIMESTAMP, moment),
        ("info", info, {"type": "object"}),
        *([("note", VARCHAR, text)] if config.has_note else []),
        *([("extra", BIGINT, integer)] if config.has_extra else []),
    ]
    stream = Stream(
        source=SOURCE,
        name=NAME,
        description="Items that things happen to.",
        sync_mode=config.sync_mode,
        destination_sync_mode=config.destination,
        primary_key=config.primary_key,
        cursor_field=config.cursor_field,
        fields=tuple(Field(name, type_, schema) for name, type_, schema in declared),
        landing_path=f"{SOURCE}/{NAME}",
        landing="copy" if config.is_overwrite else "reference",
        retention_days=config.retention_days,
        settle_after=timedelta(minutes=config.settle_after),
        max_shrink=config.max_shrink,
        tombstone_field="deleted_at" if config.has_tombstones else None,
    )
    chosen: dict[str, Any] = {"null_keys": config.null_keys} if HAS_NULL_KEYS else {}
    return replace(stream, **chosen)


def values_of(record: Record) -> dict[str, Any]:
    """A record's fields as the source has them; a field is absent that the catalog of its sync did not select."""
    full = not record.is_tombstone
    values: dict[str, Any] = {
        "id": record.id,
        "name": record.name,
        "amount": record.amount if full else None,
        "updated_at": moment(record.updated_at) if full else None,
        "edited_at": moment(record.edited_at) if full else None,
        "deleted_at": moment(record.amount) if record.is_tombstone else None,
    }
    members = {"a": record.amount + 1} | ({"b": record.amount + 2} if "m" in record.raw_id else {})
    values["info"] = members if full else None
    if "n" in record.raw_id:
        values["note"] = f"n{record.amount}" if full else None
    if "e" in record.raw_id:
        values["extra"] = record.amount * 2 if full else None
    return values


def moment(number: int | None) -> datetime | None:
    """A value of the source's own clock, which has nothing to do with the history's."""
    return None if number is None else datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
