"""Airbyte's protocol on a connector's stdout: one JSON message a line, among lines that are none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lotuslake.core.discovery import DiscoveredStream, simplify_schema


class ConnectorError(Exception):
    """There is no catalog; the text is the connector's own message for people, when ``is_reported``.

    ``is_configuration``: the connector says that its configuration is to blame, so trying again is of no use.
    """

    def __init__(self, message: str, *, is_reported: bool = False, is_configuration: bool = False) -> None:
        super().__init__(message)
        self.is_reported = is_reported
        self.is_configuration = is_configuration


def read_catalog(lines: Iterable[str]) -> dict[str, DiscoveredStream]:
    """The streams of the CATALOG message.

    Lines that are no message are skipped, as are LOG and CONTROL messages. Raises ConnectorError when there is no
    catalog, with the connector's own error (a TRACE message) if it gave one.
    """
    trace: ConnectorError | None = None
    for message in _messages(lines):
        catalog = message.get("catalog")
        if message.get("type") == "CATALOG" and isinstance(catalog, Mapping):
            return discovered_streams(catalog)
        trace = _trace_error(message) or trace
    raise trace or ConnectorError("it ended without a catalog")


def read_saved(text: str) -> dict[str, DiscoveredStream]:
    """The streams of a saved `discover`: its output, its CATALOG message, or the catalog alone."""
    try:
        document = json.loads(text)
    except ValueError:
        return read_catalog(text.splitlines())
    if not isinstance(document, Mapping):
        raise ConnectorError("it holds no catalog")
    catalog = document.get("catalog", document)
    return discovered_streams(catalog if isinstance(catalog, Mapping) else {})


def discovered_streams(catalog: Mapping[str, Any]) -> dict[str, DiscoveredStream]:
    """The streams of an AirbyteCatalog, by name. Raises ConnectorError when it is none."""
    streams = catalog.get("streams")
    if not isinstance(streams, list):
        raise ConnectorError("its catalog holds no list of streams")
    found = [discovered_stream(entry) for entry in streams if isinstance(entry, Mapping)]
    return {stream.name: stream for stream in found}


def discovered_stream(entry: Mapping[str, Any]) -> DiscoveredStream:
    """One AirbyteStream. Raises ConnectorError when it has no name."""
    name, schema = entry.get("name"), entry.get("json_schema")
    if not isinstance(name, str) or not name:
        raise ConnectorError("its catalog holds a stream without a name")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return DiscoveredStream(
        name=name,
        properties={
            str(field): simplify_schema(inner, keep_description=True)
            for field, inner in (properties if isinstance(properties, Mapping) else {}).items()
        },
        sync_modes=_texts(entry.get("supported_sync_modes")),
        has_own_cursor=entry.get("source_defined_cursor") is True,
        default_cursor=_texts(entry.get("default_cursor_field")),
        primary_key=tuple(_texts(path) for path in entry.get("source_defined_primary_key") or ()),
        namespace=entry.get("namespace") or None,
    )


def _messages(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.lstrip().startswith("{"):
            continue
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict):
            yield message


def _trace_error(message: Mapping[str, Any]) -> ConnectorError | None:
    """`trace.error.message`; the internal message and the stack trace are for the connector's makers."""
    trace = message.get("trace") if message.get("type") == "TRACE" else None
    error = trace.get("error") if isinstance(trace, Mapping) else None
    if not isinstance(error, Mapping):
        return None
    text = " ".join(str(error.get("message") or "no message").split())
    return ConnectorError(text, is_reported=True, is_configuration=error.get("failure_type") == "config_error")


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
