"""The stream library: every file below `streams/`, parsed and checked against each other."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from lotuslake.config.document import load_document
from lotuslake.config.options import Options
from lotuslake.config.section import Section
from lotuslake.config.selectors import concerns, select_streams
from lotuslake.config.source_file import parse_source
from lotuslake.config.stream_file import parse_stream
from lotuslake.core.errors import ConfigError, MistakesError
from lotuslake.core.source import Source
from lotuslake.core.stream import Stream
from lotuslake.project_tree import entries, refuse_dead_link

STREAMS_DIR = "streams"
SOURCE_FILE = "_source"
SUFFIXES = (".yml", ".yaml", ".json")

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Streams:
    """All streams of a project whose files are right, sorted by id, and their sources by name.

    ``files`` are the files they come from, relative to the project: by stream id, and a source's own by its name.
    ``found`` are the ids of all files, also of wrong ones. ``mistakes`` are what is wrong with those, by stream id, or by the
    source's name where it concerns all of it.
    """

    valid: tuple[Stream, ...]
    sources: Mapping[str, Source]
    files: Mapping[str, str] = field(default_factory=dict)
    mistakes: Mapping[str, tuple[ConfigError, ...]] = field(default_factory=dict)
    found: frozenset[str] = frozenset()

    @property
    def all(self) -> tuple[Stream, ...]:
        """The streams of the project. Raises ConfigError or MistakesError where any file is wrong."""
        raise_all(self.mistakes.values())
        return self.valid

    @property
    def ids(self) -> frozenset[str]:
        """Ids of all streams that have a file, right or wrong."""
        return frozenset((*self.found, *(stream.id for stream in self.valid)))

    def select(self, selectors: Sequence[str]) -> tuple[Stream, ...]:
        """The streams that any of the selectors names; all when there is none.

        What is wrong with the file of another stream does not matter. Raises ConfigError, or MistakesError for several.
        """
        self.check(selectors)
        return select_streams(self.valid, selectors)

    def check(self, selectors: Sequence[str]) -> None:
        """Raise what is wrong with the files of what the selectors name; with any file when there is none."""
        raise_all(
            mistakes
            for id_, mistakes in self.mistakes.items()
            if not selectors or any(concerns(selector, id_) for selector in selectors)
        )


def raise_all(mistakes: Iterable[Sequence[ConfigError]]) -> None:
    """Raise what is wrong, if anything is: one error, or one that stands for several."""
    errors = [error for several in mistakes for error in several]
    if errors:
        raise errors[0] if len(errors) == 1 else MistakesError(errors)


def load_streams(project_dir: Path) -> Streams:
    """Read `streams/{source}/*.yml`. Raises ConfigError where there is nothing to read; see Streams for wrong files."""
    root = project_dir / STREAMS_DIR
    if not root.is_dir():
        raise ConfigError(f"no {STREAMS_DIR} folder in {project_dir}; set LOTUSLAKE_PROJECT_DIR to the project")
    library = _Library()
    for path in _visible(root):
        if path.is_dir():
            library.read(path.name, partial(_load_source, path, library))
        elif path.is_symlink() or path.suffix.lower() in SUFFIXES:
            library.read(path.stem, partial(_refuse_file, path, root))
    if not library.streams and not library.mistakes:
        raise ConfigError(f"no stream file in {root}; add one as {STREAMS_DIR}/SOURCE/STREAM.yml")
    streams = sorted(library.streams, key=lambda stream: stream.id)
    library.read("", partial(_refuse_nested_landing_paths, streams))
    mistakes = {id_: tuple(errors) for id_, errors in library.mistakes.items()}
    return Streams(
        tuple(stream for stream in streams if stream.id not in mistakes and stream.source not in mistakes),
        MappingProxyType(library.sources),
        MappingProxyType(library.files),
        MappingProxyType(mistakes),
        frozenset(library.found),
    )


@dataclass(slots=True)
class _Library:
    """What was read so far, and what is wrong, by stream id or source."""

    sources: dict[str, Source] = field(default_factory=dict)
    defaults: dict[str, Options] = field(default_factory=dict)
    streams: list[Stream] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    mistakes: dict[str, list[ConfigError]] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)

    def read(self, id_: str, read: Callable[[], None]) -> None:
        """Read on; what is wrong is kept under the error's own stream, else under ``id_``."""
        try:
            read()
        except MistakesError as errors:
            for error in errors.errors:
                self.mistakes.setdefault(error.stream or id_, []).append(error)
        except ConfigError as error:
            self.mistakes.setdefault(error.stream or id_, []).append(error)


def load_source(project_dir: Path, name: str) -> Source:
    """A source by name, also one that has no stream yet. Raises ConfigError."""
    root = project_dir / STREAMS_DIR
    _check_name(name, "source", f"{STREAMS_DIR}/{name}")
    return _load_source_file(root / name)[0]


def check_stream_name(source: str, name: str) -> None:
    """Whether a stream may have this name. Raises ConfigError."""
    _check_name(source, "source", f"{source}/{name}")
    _check_name(name, "stream", f"{source}/{name}")


def _refuse_file(path: Path, root: Path) -> None:
    refuse_dead_link(path, _shown(path, root))
    raise ConfigError(f"{_shown(path, root)}: move it into its source's folder: {STREAMS_DIR}/SOURCE/STREAM.yml")


def _load_source(folder: Path, library: _Library) -> None:
    root = folder.parent
    _check_name(folder.name, "source", _shown(folder, root))
    library.sources[folder.name] = Source(folder.name)
    library.read(folder.name, partial(_take_source_file, folder, library))
    for name, path in _stream_files(folder, library).items():
        library.found.add(f"{folder.name}/{name}")
        library.read(f"{folder.name}/{name}", partial(_load_stream, path, folder.name, library))


def _take_source_file(folder: Path, library: _Library) -> None:
    library.sources[folder.name], library.defaults[folder.name] = _load_source_file(folder)
    for path in _source_files(folder):
        library.files[folder.name] = _shown(path, folder.parent)


def _load_stream(path: Path, source: str, library: _Library) -> None:
    shown, stream_id = _shown(path, path.parent.parent), f"{source}/{path.stem}"
    refuse_dead_link(path, shown)
    section = Section(shown, load_document(path, shown), stream=stream_id)
    library.streams.append(parse_stream(section, source, path.stem, library.defaults.get(source, Options())))
    library.files[stream_id] = shown


def _stream_files(folder: Path, library: _Library) -> dict[str, Path]:
    """The stream files of a source by stream name."""
    files: dict[str, Path] = {}
    for path in _visible(folder):
        if path.is_symlink() or path.is_dir() or path.suffix.lower() in SUFFIXES:
            library.read(f"{folder.name}/{path.stem}", partial(_take_file, path, files))
    return files


def _take_file(path: Path, files: dict[str, Path]) -> None:
    shown = _shown(path, path.parent.parent)
    if path.is_dir():
        raise ConfigError(f"{shown}: a folder inside a source's folder is not read; move its files up")
    if path.suffix.lower() not in SUFFIXES:
        return
    _check_name(path.stem, "stream", shown)
    first = files.setdefault(path.stem, path)
    if first is not path:
        raise ConfigError(f"{shown}: {first.name} already gives this stream; keep one of them")


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


def _visible(folder: Path) -> list[Path]:
    """What is read, in order: names that begin with `_` are for other uses."""
    return [path for path in entries(folder) if not path.name.startswith("_")]


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
    errors = [
        ConfigError(
            f"{STREAMS_DIR}/{stream.id}: key 'landing_path' is {stream.landing_path!r}, which lies in "
            f"{outer.landing_path!r} of {outer.id}; give each stream a folder of its own",
            stream=stream.id,
        )
        for (outer_parts, outer), (parts, stream) in pairwise(ordered)
        if parts[: len(outer_parts)] == outer_parts
    ]
    raise_all([errors])
