"""What a connector's `discover` says of its streams, kept for one version of the connector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lotuslake.core.field_types import ColumnType
from lotuslake.core.json_schema import FieldSchemaError, column_type

# What decides a landing type. Everything else of a connector's JSON schema is left out of the kept file.
_TYPE_KEYS = ("type", "format", "airbyte_type")
_UNION_KEYS = ("oneOf", "anyOf", "allOf")

ChangeKind = Literal["appeared", "vanished", "changed"]


@dataclass(frozen=True, slots=True)
class DiscoveredStream:
    """A stream as the connector offers it; ``properties`` are simplified JSON schemas by the source's own names.

    ``cursor`` and ``primary_key`` are the source's own where it defines them, as paths; else empty.
    """

    name: str
    properties: Mapping[str, Any]
    sync_modes: tuple[str, ...]
    has_own_cursor: bool = False
    default_cursor: tuple[str, ...] = ()
    primary_key: tuple[tuple[str, ...], ...] = ()
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """All streams of one connector version, by name."""

    connector: str
    version: str
    streams: Mapping[str, DiscoveredStream]

    @property
    def label(self) -> str:
        """How messages name the connector."""
        return f"{self.connector} {self.version}"


@dataclass(frozen=True, slots=True)
class DiscoveryChange:
    """One difference between two discoveries; ``field`` is empty for the stream itself."""

    stream: str
    field: str
    kind: ChangeKind
    before: str = ""
    after: str = ""


def simplify_schema(schema: Any, *, keep_description: bool = False, keep_order: bool = False) -> dict[str, Any]:
    """A JSON schema with only what decides its landing type, and its description where asked.

    Properties come in order of their names, since connectors list them as they please and a new order is no change;
    ``keep_order`` is for stream files.
    """
    if not isinstance(schema, Mapping):
        return {}

    def inner(part: Any) -> dict[str, Any]:
        return simplify_schema(part, keep_order=keep_order)

    simple: dict[str, Any] = {key: schema[key] for key in _TYPE_KEYS if key in schema}
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and properties:
        names = properties if keep_order else sorted(properties)
        simple["properties"] = {str(name): inner(properties[name]) for name in names}
    if "items" in schema:
        items = schema["items"]
        simple["items"] = [inner(item) for item in items] if isinstance(items, list) else inner(items)
    for key in _UNION_KEYS:
        if isinstance(schema.get(key), list):
            simple[key] = [inner(option) for option in schema[key]]
    description = schema.get("description")
    if keep_description and isinstance(description, str) and description.strip():
        simple["description"] = " ".join(description.split())
    return simple


def discovered_type(schema: Mapping[str, Any]) -> ColumnType | None:
    """The type that a discovered property lands as; None where Airbyte itself could not say."""
    try:
        return column_type(schema)
    except FieldSchemaError:
        return None


def discovery_document(discovery: Discovery) -> dict[str, Any]:
    """The content of `_discovered.json`: streams and fields by name, keys as in Airbyte's protocol."""
    return {
        "connector": discovery.connector,
        "version": discovery.version,
        "streams": {name: _stream_document(discovery.streams[name]) for name in sorted(discovery.streams)},
    }


def compare_discoveries(before: Discovery | None, after: Discovery) -> list[DiscoveryChange]:
    """What appeared, vanished or changed, by stream and field."""
    known = before.streams if before else {}
    changes: list[DiscoveryChange] = []
    for name in sorted({*known, *after.streams}):
        if name not in after.streams:
            changes.append(DiscoveryChange(name, "", "vanished"))
        elif name not in known:
            changes.append(DiscoveryChange(name, "", "appeared"))
        else:
            changes.extend(_stream_changes(known[name], after.streams[name]))
    return changes


def _stream_document(stream: DiscoveredStream) -> dict[str, Any]:
    document: dict[str, Any] = {"supported_sync_modes": list(stream.sync_modes)}
    if stream.namespace:
        document["namespace"] = stream.namespace
    if stream.has_own_cursor:
        document["source_defined_cursor"] = True
    if stream.default_cursor:
        document["default_cursor_field"] = list(stream.default_cursor)
    if stream.primary_key:
        document["source_defined_primary_key"] = [list(path) for path in stream.primary_key]
    properties = {name: stream.properties[name] for name in sorted(stream.properties)}
    return document | {"json_schema": {"type": "object", "properties": properties}}


def _stream_changes(before: DiscoveredStream, after: DiscoveredStream) -> Iterator[DiscoveryChange]:
    for label, old, new in (
        ("(sync modes)", ", ".join(before.sync_modes), ", ".join(after.sync_modes)),
        ("(cursor)", _cursor_text(before), _cursor_text(after)),
        ("(primary key)", _key_text(before), _key_text(after)),
    ):
        if old != new:
            yield DiscoveryChange(after.name, label, "changed", old, new)
    for field in sorted({*before.properties, *after.properties}):
        old, new = _type_text(before.properties.get(field)), _type_text(after.properties.get(field))
        if field not in after.properties:
            yield DiscoveryChange(after.name, field, "vanished", old, "")
        elif field not in before.properties:
            yield DiscoveryChange(after.name, field, "appeared", "", new)
        elif old != new:
            yield DiscoveryChange(after.name, field, "changed", old, new)


def _cursor_text(stream: DiscoveredStream) -> str:
    owner = "the source's own" if stream.has_own_cursor else "free"
    return f"{'.'.join(stream.default_cursor) or '-'} ({owner})"


def _key_text(stream: DiscoveredStream) -> str:
    return ", ".join(".".join(path) for path in stream.primary_key) or "-"


def _type_text(schema: Mapping[str, Any] | None) -> str:
    if schema is None:
        return ""
    type_ = discovered_type(schema)
    return "unknown" if type_ is None else str(type_)
