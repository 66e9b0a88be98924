"""`add-stream`: the stream file, the processed model and its tests, from what the connector offers."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lotuslake.commands.generate_catalog import GenerateOptions, GenerateResult, generate_catalog
from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.discovery import DiscoveredStream, Discovery
from lotuslake.core.errors import ConfigError, LotusLakeError
from lotuslake.core.scaffold.model_files import render_model, render_model_properties
from lotuslake.core.scaffold.new_stream import NewStream, Wishes, plan_new_stream
from lotuslake.core.scaffold.stream_file import render_stream_file
from lotuslake.ports.project_files import ProjectFiles

SUFFIXES = ("yml", "yaml", "json")


@dataclass(frozen=True, slots=True)
class AddResult:
    """The new stream, the files written for it, and what became of the generated catalogs."""

    stream: NewStream
    paths: tuple[str, ...]
    generated: GenerateResult


def add_stream(
    stream_id: str,
    discovery: Discovery | None,
    wishes: Wishes,
    files: ProjectFiles,
    reload: Callable[[], Sequence[AirbyteSource]],
) -> AddResult:
    """Write the files of a stream and bring its source's generated catalogs up to date.

    ``reload`` reads the project again, the new stream with it. When that fails, nothing is left behind.

    Raises:
        ConfigError: the stream cannot be made as asked, or one of its files is there already.
    """
    source, _, name = stream_id.partition("/")
    stream = plan_new_stream(source, _discovered(source, name, discovery), wishes)
    texts = {
        f"streams/{source}/{name}.yml": render_stream_file(stream),
        f"models/processed/{stream.model}.sql": render_model(stream),
        f"models/processed/{stream.model}.yml": render_model_properties(stream),
    }
    _refuse_to_overwrite(stream, texts, files)
    try:
        for path, text in texts.items():
            files.write(path, text)
        generated = generate_catalog(reload(), files, GenerateOptions(sources=(source,)))
        if generated.errors:
            raise generated.errors[0].error
    except LotusLakeError:
        for path in texts:
            files.remove(path)
        raise
    return AddResult(stream, tuple(texts), generated)


def _discovered(source: str, name: str, discovery: Discovery | None) -> DiscoveredStream:
    if discovery is None:
        raise ConfigError(f"{source}: nothing is known of its connector; run lotuslake discover {source} first")
    if name not in discovery.streams:
        near = difflib.get_close_matches(name, discovery.streams, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(sorted(discovery.streams))}"
        raise ConfigError(f"{discovery.label} has no stream {name!r}{hint}")
    return discovery.streams[name]


def _refuse_to_overwrite(stream: NewStream, texts: dict[str, str], files: ProjectFiles) -> None:
    others = [f"streams/{stream.id}.{suffix}" for suffix in SUFFIXES]
    for path in dict.fromkeys([*texts, *others]):
        if files.load(path) is not None:
            raise ConfigError(f"{path}: is there already; nothing was written", stream=stream.id)
