"""One `streams/{source}/{stream}.yml` as a Stream."""

from __future__ import annotations

from typing import Any, cast

from lotuslake.config.field_schemas import parse_fields
from lotuslake.config.options import OPTION_KEYS, Options, parse_options
from lotuslake.config.section import Section, describe, nearest
from lotuslake.core.field_types import Scalar
from lotuslake.core.stream import DestinationSyncMode, Field, LandingMode, Stream, SyncMode

STREAM_KEYS = (
    "description",
    "sync_mode",
    "destination_sync_mode",
    "primary_key",
    "cursor_field",
    "fields",
    "landing_path",
    "tombstone_field",
    *OPTION_KEYS,
)
DEFAULT_TOMBSTONE_FIELD = "deleted_at"


def parse_stream(section: Section, source: str, name: str, defaults: Options) -> Stream:
    """A stream from the keys of its file. Raises ConfigError for the first thing that is wrong."""
    section.refuse_unknown(STREAM_KEYS)
    sync_mode, destination_sync_mode = _modes(section)
    fields = parse_fields(section)
    options = parse_options(section, defaults)
    by_default: LandingMode = "copy" if destination_sync_mode == "overwrite" else "reference"
    return Stream(
        source=source,
        name=name,
        description=section.text("description"),
        sync_mode=sync_mode,
        destination_sync_mode=destination_sync_mode,
        primary_key=_primary_key(section, fields),
        cursor_field=_cursor_field(section, fields, sync_mode),
        fields=fields,
        landing_path=_landing_path(section, f"{source}/{name}"),
        landing=options.landing or by_default,
        batch=options.batch,
        lookback_days=options.lookback_days,
        freshness=options.freshness,
        retention_days=options.retention_days,
        settle_after=options.settle_after,
        max_shrink=options.max_shrink,
        null_keys=options.null_keys,
        tombstone_field=_tombstone_field(section, fields, sync_mode),
    )


def _modes(section: Section) -> tuple[SyncMode, DestinationSyncMode]:
    section.require("sync_mode", "write incremental or full_refresh")
    section.require("destination_sync_mode", "write append or overwrite")
    sync_mode = section.choice("sync_mode", ("incremental", "full_refresh"))
    destination = section.choice("destination_sync_mode", ("append", "overwrite"))
    if (sync_mode, destination) == ("incremental", "overwrite"):
        raise section.error("destination_sync_mode", "must be append when sync_mode is incremental")
    return cast("SyncMode", sync_mode), cast("DestinationSyncMode", destination)


def _primary_key(section: Section, fields: tuple[Field, ...]) -> tuple[str, ...]:
    """`id`, `[id]` or Airbyte's `[[id]]`."""
    value = section.require("primary_key", "name the fields that identify a record, such as [id]")
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list) or not parts:
        raise section.error("primary_key", f"must be a list of field names, not {describe(value)}")
    columns = tuple(_column(section, "primary_key", part, fields) for part in parts)
    if len(set(columns)) < len(columns):
        raise section.error("primary_key", "names a field twice")
    return columns


def _cursor_field(section: Section, fields: tuple[Field, ...], sync_mode: SyncMode) -> str | None:
    """`updated_at` or Airbyte's `[updated_at]`."""
    value = section.values.get("cursor_field")
    if sync_mode == "incremental":
        value = section.require("cursor_field", "an incremental stream needs the field that tells newer from older")
    if value is None:
        return None
    return _column(section, "cursor_field", value, fields)


def _column(section: Section, key: str, value: Any, fields: tuple[Field, ...]) -> str:
    """The column of a field that a key names, by its name at the source or as a column."""
    if isinstance(value, list) and len(value) > 1 and all(isinstance(part, str) for part in value):
        raise section.error(key, f"names the nested path {'.'.join(value)!r}; only top-level fields can be used")
    name = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(name, str):
        raise section.error(key, f"must name a field, not {describe(name)}")
    names = {field.source_name or field.name: field for field in fields}
    field = names.get(name) or next((field for field in fields if field.name == name), None)
    if field is None:
        raise section.error(key, f"names {name!r}, which is not under fields{nearest(name, names)}")
    if not isinstance(field.type, Scalar):
        raise section.error(key, f"names {name!r}, which is an object or a list; name a field with a single value")
    return field.name


def _landing_path(section: Section, default: str) -> str:
    """A relative path below the landing root, without a slash at its end."""
    path = section.text("landing_path", default)
    parts = path.removesuffix("/").split("/")
    odd = any(char in path for char in "*?[]\\:") or not path.isprintable()
    if odd or any(part in ("", ".", "..") for part in parts):
        raise section.error(
            "landing_path",
            f"is {describe(path)}: write a relative path below the landing root, such as {default}, "
            "without '.', '..', empty parts or any of * ? [ ] \\ :",
        )
    return "/".join(parts)


def _tombstone_field(section: Section, fields: tuple[Field, ...], sync_mode: SyncMode) -> str | None:
    """The field that is filled in on a deletion record; `null` turns tombstones off."""
    if section.is_null("tombstone_field"):
        return None
    if "tombstone_field" in section:
        return _column(section, "tombstone_field", section.values["tombstone_field"], fields)
    declared = any(field.name == DEFAULT_TOMBSTONE_FIELD for field in fields)
    return DEFAULT_TOMBSTONE_FIELD if declared and sync_mode == "incremental" else None
