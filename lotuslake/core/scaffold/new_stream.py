"""Which fields, key, cursor and sync mode a new stream gets."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotuslake.core.discovery import DiscoveredStream, discovered_type
from lotuslake.core.errors import ConfigError
from lotuslake.core.field_types import Scalar
from lotuslake.core.json_schema import sanitize_name


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person asked for; empty where the connector is to decide."""

    fields: tuple[str, ...] = ()
    sync_mode: str = ""
    primary_key: tuple[str, ...] = ()
    cursor_field: str = ""


@dataclass(frozen=True, slots=True)
class NewStream:
    """Everything that the files of a stream say. ``fields`` are discovered schemas by source name, key first."""

    source: str
    name: str
    sync_mode: str
    primary_key: tuple[str, ...]
    cursor_field: str
    fields: Mapping[str, Any]
    left_out: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """`source/stream`."""
        return f"{self.source}/{self.name}"

    @property
    def model(self) -> str:
        """Name of the processed model."""
        return f"int_{self.source}__{self.name}"

    @property
    def has_tombstones(self) -> bool:
        """As in the stream file: an incremental stream that declares `deleted_at` takes it for a tombstone."""
        return self.sync_mode == "incremental" and "deleted_at" in self.fields

    def column(self, field: str) -> str:
        """The column that a field lands in."""
        return sanitize_name(field)


def plan_new_stream(source: str, found: DiscoveredStream, wishes: Wishes) -> NewStream:
    """A stream that Airbyte will take. Raises ConfigError for a wish that the connector cannot fulfil."""
    usable = {name: schema for name, schema in found.properties.items() if _is_usable(name, schema)}
    stream = f"{source}/{found.name}"
    for name in wishes.fields:
        if name not in usable:
            raise ConfigError(f"{stream}: --fields names {name!r}, {_why_not(name, found, usable)}", stream=stream)
    primary_key = _primary_key(stream, found, wishes, usable)
    sync_mode, cursor = _sync_mode(stream, found, wishes, usable)
    first = list(dict.fromkeys([*primary_key, *([cursor] if cursor else [])]))
    chosen = [*first, *(name for name in wishes.fields or usable if name not in first)]
    return NewStream(
        source=source,
        name=found.name,
        sync_mode=sync_mode,
        primary_key=primary_key,
        cursor_field=cursor,
        fields={name: usable[name] for name in chosen},
        left_out=() if wishes.fields else tuple(name for name in found.properties if name not in usable),
    )


def _is_usable(name: str, schema: Mapping[str, Any]) -> bool:
    column = sanitize_name(name).lower()
    # As in config/field_schemas.py: Airbyte keeps these for itself.
    is_kept = column.startswith("_airbyte_")
    return bool(column) and not is_kept and discovered_type(schema) is not None


def _why_not(name: str, found: DiscoveredStream, usable: Mapping[str, Any]) -> str:
    if name in found.properties:
        return "which cannot become a column"
    near = difflib.get_close_matches(name, usable, n=1)
    return "which the source does not have" + (f"; did you mean {near[0]!r}?" if near else "")


def _primary_key(stream: str, found: DiscoveredStream, wishes: Wishes, usable: Mapping[str, Any]) -> tuple[str, ...]:
    own = tuple(".".join(path) for path in found.primary_key)
    if wishes.primary_key and own and sorted(wishes.primary_key) != sorted(own):
        raise ConfigError(f"{stream}: the source defines its own key [{', '.join(own)}]; leave --primary-key out")
    key = own or wishes.primary_key or (("id",) if _is_scalar("id", usable) else ())
    if not key:
        raise ConfigError(f"{stream}: the source defines no key; name one with --primary-key", stream=stream)
    _require_scalars(stream, "primary key", key, usable)
    return key


def _sync_mode(stream: str, found: DiscoveredStream, wishes: Wishes, usable: Mapping[str, Any]) -> tuple[str, str]:
    """(sync mode, cursor): incremental where the source can, unless asked otherwise."""
    offered = found.sync_modes or ("full_refresh",)
    if wishes.sync_mode and wishes.sync_mode not in offered:
        raise ConfigError(f"{stream}: the source reads it by {' or '.join(offered)} alone", stream=stream)
    own = ".".join(found.default_cursor)
    if found.has_own_cursor and own and wishes.cursor_field not in ("", own):
        raise ConfigError(f"{stream}: the source defines its own cursor {own!r}; leave --cursor-field out")
    cursor = wishes.cursor_field or own
    if wishes.sync_mode == "full_refresh" or "incremental" not in offered:
        return "full_refresh", ""
    if not cursor and wishes.sync_mode == "incremental":
        raise ConfigError(f"{stream}: the source names no cursor; choose one with --cursor-field", stream=stream)
    if not cursor:
        return "full_refresh", ""
    _require_scalars(stream, "cursor", (cursor,), usable)
    return "incremental", cursor


def _require_scalars(stream: str, what: str, names: Sequence[str], usable: Mapping[str, Any]) -> None:
    for name in names:
        if not _is_scalar(name, usable):
            raise ConfigError(f"{stream}: the {what} {name!r} is no top-level field with a single value", stream=stream)


def _is_scalar(name: str, usable: Mapping[str, Any]) -> bool:
    return name in usable and isinstance(discovered_type(usable[name]), Scalar)
