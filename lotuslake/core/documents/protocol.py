"""The ConfiguredAirbyteCatalog of Airbyte's protocol, which `read --catalog` of any connector takes."""

from __future__ import annotations

from typing import Any

from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.documents.selection import cursor_path, declared_properties, discovered, json_schema, key_paths
from lotuslake.core.stream import Stream


def protocol_catalog(source: AirbyteSource) -> dict[str, Any]:
    """Streams by name. The protocol has no field selection: the schema is pruned to the declared fields instead."""
    return {"streams": [_configured_stream(source, stream) for stream in source.streams]}


def _configured_stream(source: AirbyteSource, stream: Stream) -> dict[str, Any]:
    found = discovered(source, stream)
    offered: dict[str, Any] = {
        "name": stream.name,
        "json_schema": json_schema(declared_properties(stream)),
        "supported_sync_modes": list(found.sync_modes),
    }
    if found.namespace:
        offered["namespace"] = found.namespace
    if found.has_own_cursor:
        offered["source_defined_cursor"] = True
    if found.default_cursor:
        offered["default_cursor_field"] = list(found.default_cursor)
    if found.primary_key:
        offered["source_defined_primary_key"] = [list(path) for path in found.primary_key]
    configured = {
        "stream": offered,
        "sync_mode": stream.sync_mode,
        "destination_sync_mode": stream.destination_sync_mode,
        "primary_key": key_paths(stream, found),
    }
    cursor = cursor_path(stream)
    return configured | {"cursor_field": cursor} if cursor else configured
