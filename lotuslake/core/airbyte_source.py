"""A source with all that its Airbyte documents are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lotuslake.core.discovery import Discovery
from lotuslake.core.source import Source
from lotuslake.core.stream import Stream


@dataclass(frozen=True, slots=True)
class AirbyteSource:
    """``files`` are the stream files by stream id; ``inputs`` are the hashes of every file read, by path."""

    source: Source
    streams: tuple[Stream, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    discovery: Discovery | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.name

    @property
    def namespace(self) -> str:
        """The first folder below the landing root that Airbyte writes to."""
        return self.source.namespace or self.source.name

    def file_of(self, stream: Stream) -> str:
        """The stream's file, as messages name it."""
        return self.files.get(stream.id, f"streams/{stream.id}")
