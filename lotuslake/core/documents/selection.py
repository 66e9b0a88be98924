"""What all of a stream's documents share: its fields at the source, its cursor and its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lotuslake.core.agreement import source_name
from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.discovery import DiscoveredStream, simplify_schema
from lotuslake.core.stream import Stream


def discovered(source: AirbyteSource, stream: Stream) -> DiscoveredStream:
    """What the connector offers; where that is not known, what the stream file says."""
    if source.discovery is not None and stream.name in source.discovery.streams:
        return source.discovery.streams[stream.name]
    sync_modes = ("full_refresh", "incremental") if stream.sync_mode == "incremental" else ("full_refresh",)
    return DiscoveredStream(stream.name, declared_properties(stream), sync_modes)


def declared_properties(stream: Stream) -> dict[str, Any]:
    """The declared fields as JSON schema properties, by their names at the source."""
    return {field.source_name or field.name: simplify_schema(field.schema, keep_order=True) for field in stream.fields}


def json_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A record of these properties; descriptions are for people and stay in the stream files."""
    simple = {name: simplify_schema(schema, keep_order=True) for name, schema in properties.items()}
    return {"type": "object", "properties": simple}


def field_paths(stream: Stream) -> list[list[str]]:
    """The selected fields, top level only, in order of their names."""
    return [[name] for name in sorted(declared_properties(stream))]


def cursor_path(stream: Stream) -> list[str]:
    """Path of the cursor; empty for a full refresh, which has none."""
    if stream.sync_mode != "incremental" or stream.cursor_field is None:
        return []
    return [source_name(stream, stream.cursor_field)]


def key_paths(stream: Stream, found: DiscoveredStream) -> list[list[str]]:
    """Paths of the key, in the source's own order where it defines the key."""
    if found.primary_key:
        return [list(path) for path in found.primary_key]
    return [[source_name(stream, column)] for column in stream.primary_key]
