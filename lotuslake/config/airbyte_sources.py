"""A project's sources with what `discover` said of them: all that the Airbyte documents are made from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from lotuslake.config.document import load_document
from lotuslake.config.section import Section
from lotuslake.config.streams import STREAMS_DIR, Streams
from lotuslake.core.airbyte_messages import ConnectorError, discovered_stream
from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.discovery import DiscoveredStream, Discovery
from lotuslake.core.errors import ConfigError
from lotuslake.project_tree import refuse_dead_link

DISCOVERED_FILE = "_discovered.json"


def load_airbyte_sources(project_dir: Path, streams: Streams) -> tuple[AirbyteSource, ...]:
    """Every source of the project whose stream files are right, in order; see `Streams.check` for the others.

    Raises ConfigError for a `_discovered.json` that is wrong.
    """
    wrong = {id_.partition("/")[0] for id_ in streams.mistakes}
    return tuple(_load(project_dir, streams, name) for name in sorted(streams.sources) if name not in wrong)


def discovered_path(source: str) -> str:
    """Where a source's discovery is kept, relative to the project."""
    return f"{STREAMS_DIR}/{source}/{DISCOVERED_FILE}"


def load_discovery(project_dir: Path, source: str) -> Discovery | None:
    """What `_discovered.json` holds, if there is one. Raises ConfigError."""
    shown = discovered_path(source)
    path = project_dir / shown
    refuse_dead_link(path, shown)
    if not path.exists():
        return None
    section = Section(shown, load_document(path, shown))
    section.refuse_unknown(("connector", "version", "streams"))
    section.require("streams", f"run lotuslake discover {source}")
    entries = section.section("streams").values
    section.raise_mistakes()
    return Discovery(
        section.text("connector", source),
        section.text("version", "unknown"),
        {name: _stream(section, name, entry) for name, entry in entries.items()},
    )


def _load(project_dir: Path, streams: Streams, name: str) -> AirbyteSource:
    own = tuple(stream for stream in streams.valid if stream.source == name)
    files = {stream.id: streams.files[stream.id] for stream in own}
    read = [*files.values(), *([streams.files[name]] if name in streams.files else [])]
    discovery = load_discovery(project_dir, name)
    if discovery is not None:
        read.append(discovered_path(name))
    return AirbyteSource(
        source=streams.sources[name],
        streams=own,
        files=files,
        discovery=discovery,
        inputs={path: _hash(project_dir / path) for path in read},
    )


def _stream(section: Section, name: str, entry: Any) -> DiscoveredStream:
    if not isinstance(entry, dict):
        raise section.error(f"streams.{name}", "must be a mapping")
    try:
        return discovered_stream({**entry, "name": name})
    except (ConnectorError, TypeError):
        raise section.error(f"streams.{name}", "is not what discover writes") from None


def _hash(path: Path) -> str:
    """The same on every system, whatever its line ends."""
    try:
        content = path.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    return "sha256:" + hashlib.sha256(content).hexdigest()
