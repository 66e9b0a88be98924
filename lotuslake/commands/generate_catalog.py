"""`generate-catalog`: what Airbyte and Terraform need, from the stream files."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lotuslake.commands.context import StreamError
from lotuslake.core.agreement import find_disagreements
from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.documents.generated import FORMATS, GENERATED_DIR, build_documents, parse_generated_path
from lotuslake.core.errors import ConfigError, ExitCode, StaleError
from lotuslake.ports.project_files import ProjectFiles

Change = Literal["unchanged", "added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """``sources`` are names, all when empty; with ``check`` nothing is written."""

    sources: tuple[str, ...] = ()
    formats: tuple[str, ...] = FORMATS
    check: bool = False


@dataclass(frozen=True, slots=True)
class GeneratedDocument:
    """A generated file: what happens to it, and the difference as a unified diff."""

    path: str
    source: str
    change: Change
    diff: str = ""


@dataclass(frozen=True, slots=True)
class GenerateResult:
    """Documents by path. With errors nothing was written."""

    documents: tuple[GeneratedDocument, ...] = ()
    errors: tuple[StreamError, ...] = ()
    warnings: tuple[str, ...] = ()
    exit_code: ExitCode = ExitCode.DONE

    @property
    def stale(self) -> tuple[GeneratedDocument, ...]:
        """The documents that are not what the stream files give."""
        return tuple(document for document in self.documents if document.change != "unchanged")


def generate_catalog(
    sources: Sequence[AirbyteSource], files: ProjectFiles, options: GenerateOptions | None = None
) -> GenerateResult:
    """Bring the generated files up to date, or with ``check`` say which are not.

    Raises:
        ConfigError: a source is named that is not there, or a file cannot be used.
    """
    options = options or GenerateOptions()
    chosen = _chosen(sources, options.sources)
    errors = tuple(error for source in chosen for error in _errors(source))
    if errors:
        return GenerateResult(errors=errors, exit_code=ExitCode.USAGE)
    warnings = tuple(warning for source in chosen for warning in _warnings(source))
    result = GenerateResult(plan_documents(chosen, files, options), warnings=warnings)
    if options.check:
        return _checked(result)
    for document in result.stale:
        if document.change == "removed":
            files.remove(document.path)
    texts = _texts(chosen, options.formats)
    for document in result.stale:
        if document.change != "removed":
            files.write(document.path, texts[document.path])
    return result


def plan_documents(
    chosen: Sequence[AirbyteSource], files: ProjectFiles, options: GenerateOptions
) -> tuple[GeneratedDocument, ...]:
    """What each generated file is and what it should be; files of sources that are gone are to be removed."""
    wanted = _texts(chosen, options.formats)
    present = _present(files, options)
    documents = []
    for path in sorted({*wanted, *present}):
        parsed = parse_generated_path(path)
        before, after = files.load(path), wanted.get(path)
        documents.append(
            GeneratedDocument(path, parsed[0] if parsed else "", _change(before, after), _diff(path, before, after))
        )
    return tuple(documents)


def _chosen(sources: Sequence[AirbyteSource], names: Collection[str]) -> list[AirbyteSource]:
    known = {source.name: source for source in sources}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"sources are {', '.join(known) or 'none'}"
            raise ConfigError(f"no source is named {name!r}; {hint}")
    return [source for source in sources if not names or source.name in names]


def _errors(source: AirbyteSource) -> list[StreamError]:
    if source.discovery is None:
        return []
    return [
        StreamError(stream.id, ConfigError(found.text(source.file_of(stream)), stream=stream.id))
        for stream in source.streams
        for found in find_disagreements(stream, source.discovery)
    ]


def _warnings(source: AirbyteSource) -> list[str]:
    """What Airbyte would take, but a person should know."""
    warnings = [
        f"{source.file_of(stream)}: landing_path is {stream.landing_path!r}, but the generated connection writes to "
        f"{source.namespace}/{stream.name}"
        for stream in source.streams
        if stream.landing_path != f"{source.namespace}/{stream.name}"
    ]
    if source.streams and source.discovery is None:
        warnings.append(f"{source.name}: not checked against the connector; run lotuslake discover {source.name}")
    if source.streams and source.source.definition_id is None:
        warnings.append(f"{source.name}: no definition_id in _source.yml, so there is nothing for Terraform")
    return warnings


def _texts(sources: Sequence[AirbyteSource], formats: Collection[str]) -> dict[str, str]:
    return {path: text for source in sources for path, text in build_documents(source, formats).items()}


def _present(files: ProjectFiles, options: GenerateOptions) -> list[str]:
    """Generated files that are there now, as far as the options cover them."""
    present = []
    for path in files.list_files(GENERATED_DIR):
        parsed = parse_generated_path(path)
        if parsed and parsed[1] in options.formats and (not options.sources or parsed[0] in options.sources):
            present.append(path)
    return present


def _change(before: str | None, after: str | None) -> Change:
    if after is None:
        return "removed"
    if before is None:
        return "added"
    return "unchanged" if before == after else "changed"


def _diff(path: str, before: str | None, after: str | None) -> str:
    old, new = ("" if text is None else text for text in (before, after))
    lines = difflib.unified_diff(
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        "/dev/null" if before is None else f"a/{path}",
        "/dev/null" if after is None else f"b/{path}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _checked(result: GenerateResult) -> GenerateResult:
    if not result.stale:
        return result
    count = len(result.stale)
    files = "1 generated file is" if count == 1 else f"{count} generated files are"
    error = StaleError(f"{files} not what streams/ gives; run lotuslake generate-catalog")
    return replace(result, errors=(StreamError(None, error),), exit_code=ExitCode.FAILED)


def counts(documents: Sequence[GeneratedDocument]) -> Mapping[Change, int]:
    """How many files there are of each change."""
    kinds: tuple[Change, ...] = ("added", "changed", "removed", "unchanged")
    return {kind: sum(document.change == kind for document in documents) for kind in kinds}
