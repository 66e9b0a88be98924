"""`discover`: what a connector offers now, kept in `streams/{source}/_discovered.json`."""

from __future__ import annotations

from dataclasses import dataclass

from lotuslake.core.discovery import Discovery, DiscoveryChange, compare_discoveries, discovery_document
from lotuslake.core.errors import ConfigError
from lotuslake.core.json_text import render_json
from lotuslake.ports.project_files import ProjectFiles


@dataclass(frozen=True, slots=True)
class DiscoverResult:
    """What the file at ``path`` holds now, and how that differs from before (``is_new``: there was no file)."""

    path: str
    discovery: Discovery
    changes: tuple[DiscoveryChange, ...]
    is_new: bool
    is_written: bool


def keep_discovery(path: str, before: Discovery | None, after: Discovery, files: ProjectFiles) -> DiscoverResult:
    """Write the discovery and compare it with the one before.

    Raises:
        ConfigError: the connector offers no stream; then the file stays as it is.
    """
    if not after.streams:
        raise ConfigError(f"{after.connector} offers no stream; {path} is left as it is")
    text = render_json(discovery_document(after))
    is_written = files.load(path) != text
    if is_written:
        files.write(path, text)
    return DiscoverResult(path, after, tuple(compare_discoveries(before, after)), before is None, is_written)
