"""`syncCatalog` of Airbyte's internal API (`/api/v1/connections/create` and `/update`)."""

from __future__ import annotations

from typing import Any

from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.documents.selection import cursor_path, discovered, field_paths, json_schema, key_paths
from lotuslake.core.stream import Stream


def internal_catalog(source: AirbyteSource) -> dict[str, Any]:
    """The part of a request's body that says what is synced."""
    return {"syncCatalog": {"streams": [_stream_and_config(source, stream) for stream in source.streams]}}


def _stream_and_config(source: AirbyteSource, stream: Stream) -> dict[str, Any]:
    """The schema is the source's whole one: the server looks the selected fields up in it."""
    found = discovered(source, stream)
    offered: dict[str, Any] = {
        "name": stream.name,
        "jsonSchema": json_schema(found.properties),
        "supportedSyncModes": list(found.sync_modes),
        "sourceDefinedCursor": found.has_own_cursor,
        "defaultCursorField": list(found.default_cursor),
        "sourceDefinedPrimaryKey": [list(path) for path in found.primary_key],
    }
    if found.namespace:
        offered["namespace"] = found.namespace
    config = {
        "syncMode": stream.sync_mode,
        "destinationSyncMode": stream.destination_sync_mode,
        "cursorField": cursor_path(stream),
        "primaryKey": key_paths(stream, found),
        "aliasName": stream.name,
        "selected": True,
        # On even where every field is declared: a field that the source adds later waits for the stream file.
        "fieldSelectionEnabled": True,
        "selectedFields": [{"fieldPath": path} for path in field_paths(stream)],
    }
    return {"stream": offered, "config": config}
