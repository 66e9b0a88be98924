"""`lotuslake generate-catalog`."""

from __future__ import annotations

from typing import Annotated

import typer

from lotuslake.cli.command import add_command
from lotuslake.cli.output import Report, Table, columns
from lotuslake.cli.session import Session
from lotuslake.commands.generate_catalog import GenerateOptions, GenerateResult, counts, generate_catalog
from lotuslake.core.documents.generated import FORMATS
from lotuslake.core.errors import ConfigError, ExitCode


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "generate-catalog")
    def run(
        session: Session,
        sources: Annotated[
            list[str] | None, typer.Argument(metavar="SOURCE", help="A source; all when none is given.")
        ] = None,
        check: Annotated[
            bool, typer.Option("--check", help="Write nothing; print a diff and end 1 when stale.")
        ] = False,
        formats: Annotated[
            list[str] | None, typer.Option("--format", help=f"Only {', '.join(FORMATS)}; repeatable.")
        ] = None,
    ) -> Report:
        """Write the Airbyte catalogs and Terraform inputs from streams/ into manifests/airbyte/generated/."""
        session.wiring.streams.check(sources or [])
        options = GenerateOptions(tuple(sources or ()), _formats(formats), check)
        result = generate_catalog(session.wiring.airbyte_sources, session.wiring.project_files, options)
        for warning in result.warnings:
            session.context().warn(warning)
        return _report(result, check=check)


def document_data(result: GenerateResult) -> list[dict[str, str]]:
    """`data.documents` of the envelope."""
    return [
        {"path": item.path, "source": item.source, "change": item.change, "diff": item.diff}
        for item in result.documents
    ]


def document_summary(result: GenerateResult) -> str:
    """`8 files up to date`, `2 files changed, 6 unchanged`."""
    found = counts(result.documents)
    if not result.stale:
        return f"{found['unchanged']} generated files are up to date."
    return "Generated files: " + ", ".join(f"{number} {kind}" for kind, number in found.items() if number) + "."


def document_table(result: GenerateResult) -> list[Table]:
    """What was written, or nothing."""
    if not result.stale:
        return []
    return [Table(columns("file", "change"), [[item.path, item.change] for item in result.stale])]


def _formats(given: list[str] | None) -> tuple[str, ...]:
    for format_ in given or ():
        if format_ not in FORMATS:
            raise ConfigError(f"--format must be one of {', '.join(FORMATS)}, not {format_!r}")
    return tuple(given) if given else FORMATS


def _report(result: GenerateResult, *, check: bool) -> Report:
    data = {"documents": document_data(result), "warnings": list(result.warnings)}
    tables, notes = document_table(result), [document_summary(result)]
    if check and result.stale:
        tables, notes = [], ["".join(item.diff for item in result.stale).removesuffix("\n")]
    if result.exit_code == ExitCode.USAGE:
        data, notes = {}, []
    return Report("generate-catalog", result.exit_code, data=data, tables=tables, notes=notes, errors=result.errors)
