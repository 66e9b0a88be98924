"""One `streams/{source}/{stream}.yml` as a Stream."""

from __future__ import annotations

from typing import Any, cast

from lotuslake.config.field_schemas import parse_fields
from lotuslake.config.options import OPTION_KEYS, Options, parse_options
from lotuslake.config.options import PLACES as OPTION_PLACES
from lotuslake.config.section import Section, describe, nearest
from lotuslake.core.field_types import Scalar
from lotuslake.core.stream import DestinationSyncMode, Field, LandingMode, Stream, SyncMode

STREAM_OWN_KEYS = (
    "sync_mode",
    "destination_sync_mode",
    "primary_key",
    "cursor_field",
    "fields",
    "landing_path",
    "tombstone_field",
)
STREAM_KEYS = ("description", *STREAM_OWN_KEYS, *OPTION_KEYS)
DEFAULT_TOMBSTONE_FIELD = "deleted_at"
# Where a key belongs that stands here, and what Airbyte, or a habit from elsewhere, calls ours.
PLACES = {
    **{key: place for key, place in OPTION_PLACES.items() if key not in OPTION_KEYS},
    **dict.fromkeys(
        ("definition_id", "start_date", "schedule", "namespace", "secrets", "configuration", "connection_id"),
        "it is the source's: write it into _source.yml beside this file",
    ),
    "defaults": "it belongs into _source.yml; write the option itself here",
    **dict.fromkeys(("type", "format", "properties"), "a field's schema stands under fields, below the field's name"),
    **dict.fromkeys(("name", "stream"), "the file's own name is the stream's: drop it"),
    "json_schema": "write its properties under fields",
    "selected_fields": "what stands under fields is what is selected: drop it",
    **dict.fromkeys(("default_cursor_field", "cursor"), "write cursor_field"),
    **dict.fromkeys(("source_defined_primary_key", "key", "keys"), "write primary_key"),
}


def parse_stream(section: Section, source: str, name: str, defaults: Options) -> Stream:
    """A stream from the keys of its file. Raises ConfigError, or MistakesError with everything that is wrong."""
    section.refuse_unknown(STREAM_KEYS, PLACES)
    sync_mode, destination_sync_mode = _modes(section)
    nothing: tuple[Field, ...] = ()
    fields = section.attempt(lambda: parse_fields(section), nothing)
    options = parse_options(section, defaults)
    by_default: LandingMode = "copy" if destination_sync_mode == "overwrite" else "reference"
    stream = Stream(
        source=source,
        name=name,
        description=section.text("description"),
        sync_mode=sync_mode,
        destination_sync_mode=destination_sync_mode,
        primary_key=section.attempt(lambda: _primary_key(section, fields), ()),
        cursor_field=section.attempt(lambda: _cursor_field(section, fields, sync_mode), None),
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
        tombstone_field=section.attempt(lambda: _tombstone_field(section, fields, sync_mode), None),
    )
    section.raise_mistakes()
    return stream


def _modes(section: Section) -> tuple[SyncMode, DestinationSyncMode]:
    sync_mode = _mode(section, "sync_mode", ("full_refresh", "incremental"))
    destination = _mode(section, "destination_sync_mode", ("append", "overwrite"))
    if (sync_mode, destination) == ("incremental", "overwrite"):
        section.note("destination_sync_mode", "must be append when sync_mode is incremental")
    return cast("SyncMode", sync_mode), cast("DestinationSyncMode", destination)


def _mode(section: Section, key: str, options: tuple[str, str]) -> str:
    """One of the two; the first where it is wrong, after which nothing else need be wrong."""
    given = section.attempt(lambda: section.require(key, f"write {' or '.join(sorted(options))}"), None)
    return options[0] if given is None else section.choice(key, options)


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
    if not fields:
        # What is wrong with the fields is told already.
        return name
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
        section.note(
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
