"""The stream library: every file below `streams/`, parsed and checked against each other."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from lotuslake.config.document import load_document
from lotuslake.config.options import Options
from lotuslake.config.section import Section
from lotuslake.config.selectors import select_streams
from lotuslake.config.source_file import parse_source
from lotuslake.config.stream_file import parse_stream
from lotuslake.core.errors import ConfigError
from lotuslake.core.source import Source
from lotuslake.core.stream import Stream
from lotuslake.project_tree import entries, refuse_dead_link

STREAMS_DIR = "streams"
SOURCE_FILE = "_source"
SUFFIXES = (".yml", ".yaml", ".json")

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Streams:
    """All streams of a project, sorted by id, and their sources by name.

    ``files`` are the files they come from, relative to the project: by stream id, and a source's own by its name.
    """

    all: tuple[Stream, ...]
    sources: Mapping[str, Source]
    files: Mapping[str, str] = field(default_factory=dict)

    def select(self, selectors: Sequence[str]) -> tuple[Stream, ...]:
        """The streams that any of the selectors names; all when there is none. Raises ConfigError."""
        return select_streams(self.all, selectors)


def load_streams(project_dir: Path) -> Streams:
    """Read `streams/{source}/*.yml`. Raises ConfigError for the first file that is wrong."""
    root = project_dir / STREAMS_DIR
    if not root.is_dir():
        raise ConfigError(f"no {STREAMS_DIR} folder in {project_dir}; set LOTUSLAKE_PROJECT_DIR to the project")
    sources: dict[str, Source] = {}
    streams: list[Stream] = []
    files: dict[str, str] = {}
    for folder in _visible(root, root):
        if folder.is_dir():
            source, found = _load_source(folder)
            sources[source.name] = source
            streams.extend(found)
            files.update(_shown_files(folder))
        elif folder.suffix.lower() in SUFFIXES:
            raise ConfigError(f"{_shown(folder, root)}: move it into its source's folder: streams/SOURCE/STREAM.yml")
    if not streams:
        raise ConfigError(f"no stream file in {root}; add one as {STREAMS_DIR}/SOURCE/STREAM.yml")
    streams.sort(key=lambda stream: stream.id)
    _refuse_nested_landing_paths(streams)
    return Streams(tuple(streams), MappingProxyType(sources), MappingProxyType(files))


def load_source(project_dir: Path, name: str) -> Source:
    """A source by name, also one that has no stream yet. Raises ConfigError."""
    root = project_dir / STREAMS_DIR
    _check_name(name, "source", f"{STREAMS_DIR}/{name}")
    return _load_source_file(root / name)[0]


def check_stream_name(source: str, name: str) -> None:
    """Whether a stream may have this name. Raises ConfigError."""
    _check_name(source, "source", f"{source}/{name}")
    _check_name(name, "stream", f"{source}/{name}")


def _load_source(folder: Path) -> tuple[Source, list[Stream]]:
    root = folder.parent
    _check_name(folder.name, "source", _shown(folder, root))
    source, defaults = _load_source_file(folder)
    streams: list[Stream] = []
    for name, path in _stream_files(folder).items():
        shown = _shown(path, root)
        section = Section(shown, load_document(path, shown), stream=f"{source.name}/{name}")
        streams.append(parse_stream(section, source.name, name, defaults))
    return source, streams


def _stream_files(folder: Path) -> dict[str, Path]:
    """The stream files of a source by stream name."""
    files: dict[str, Path] = {}
    for path in _visible(folder, folder.parent):
        shown = _shown(path, folder.parent)
        if path.is_dir():
            raise ConfigError(f"{shown}: a folder inside a source's folder is not read; move its files up")
        if path.suffix.lower() not in SUFFIXES:
            continue
        _check_name(path.stem, "stream", shown)
        first = files.setdefault(path.stem, path)
        if first is not path:
            raise ConfigError(f"{shown}: {first.name} already gives this stream; keep one of them")
    return files


def _shown_files(folder: Path) -> dict[str, str]:
    """The files of a source by stream id, its own by its name."""
    files = {f"{folder.name}/{name}": _shown(path, folder.parent) for name, path in _stream_files(folder).items()}
    for path in _source_files(folder):
        files[folder.name] = _shown(path, folder.parent)
    return files


def _source_files(folder: Path) -> list[Path]:
    found = [path for suffix in SUFFIXES if os.path.lexists(path := folder / f"{SOURCE_FILE}{suffix}")]
    for path in found:
        refuse_dead_link(path, _shown(path, folder.parent))
    return found


def _load_source_file(folder: Path) -> tuple[Source, Options]:
    """The source's own file is optional."""
    found = _source_files(folder)
    if not found:
        return Source(folder.name), Options()
    shown = _shown(found[0], folder.parent)
    if len(found) > 1:
        raise ConfigError(f"{shown}: {found[1].name} is there too; keep one of them")
    return parse_source(Section(shown, load_document(found[0], shown)), folder.name)


def _visible(folder: Path, root: Path) -> list[Path]:
    """What is read, in order: names that begin with `_` are for other uses. Raises ConfigError for a dead link."""
    visible = [path for path in entries(folder) if not path.name.startswith("_")]
    for path in visible:
        refuse_dead_link(path, _shown(path, root))
    return visible


def _shown(path: Path, root: Path) -> str:
    """A path as messages name it: relative to the project, the same on every system."""
    return path.relative_to(root.parent).as_posix()


def _check_name(name: str, kind: str, shown: str) -> None:
    if not _NAME.fullmatch(name) or "__" in name:
        raise ConfigError(
            f"{shown}: the {kind} name {name!r} must be of a-z, 0-9 and single underscores and begin with a letter"
        )


def _refuse_nested_landing_paths(streams: Sequence[Stream]) -> None:
    """A file below two landing paths would belong to two streams. Sorted by parts, nested paths are neighbours."""
    ordered = sorted(((tuple(s.landing_path.casefold().split("/")), s) for s in streams), key=lambda pair: pair[0])
    for (outer_parts, outer), (parts, stream) in pairwise(ordered):
        if parts[: len(outer_parts)] == outer_parts:
            raise ConfigError(
                f"{STREAMS_DIR}/{stream.id}: key 'landing_path' is {stream.landing_path!r}, which lies in "
                f"{outer.landing_path!r} of {outer.id}; give each stream a folder of its own",
                stream=stream.id,
            )
