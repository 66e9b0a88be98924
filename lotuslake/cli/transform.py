"""`lotuslake transform`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lotuslake.cli.command import Selectors, add_command
from lotuslake.cli.findings import finding_table
from lotuslake.cli.output import Report, Table, columns
from lotuslake.cli.register import UNFINISHED
from lotuslake.cli.session import Session
from lotuslake.cli.words import count
from lotuslake.commands.transform import transform
from lotuslake.commands.transformation import StreamTransformation, TransformOptions, TransformResult

AcceptLoss = Annotated[
    bool, typer.Option("--accept-loss", help="Let a rebuild leave out rows of which the files are gone.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "transform")
    def run(
        session: Session,
        streams: Selectors = None,
        full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Rebuild from the whole history.")] = False,
        max_seconds: Annotated[float | None, typer.Option(min=0, help="End between batches after so long.")] = None,
        skip_tests: Annotated[bool, typer.Option("--skip-tests", help="Leave out the data tests.")] = False,
        accept_loss: AcceptLoss = False,
        select: Annotated[list[str] | None, typer.Option(help="Only models of this name or glob; repeatable.")] = None,
    ) -> Report:
        """Build processed models in bounded batches, then every stale enriched model downstream, then test them."""
        wiring = session.wiring
        chosen = wiring.streams.select(streams or [])
        options = TransformOptions(
            limits=session.settings.batch,
            full_refresh=full_refresh,
            skip_tests=skip_tests,
            select=tuple(select or ()),
            accept_loss=accept_loss,
        )
        result = transform(chosen, wiring.transform_ports, options, session.context(max_seconds=max_seconds))
        session.record(result.exit_code)
        return render(result)


def render(result: TransformResult, command: str = "transform") -> Report:
    """The report of a transformation, or of a backfill."""
    failed = sum(outcome.status in {"fail", "error"} for outcome in result.tests)
    warned = sum(outcome.status == "warn" for outcome in result.tests)
    passed = len(result.tests) - failed - warned
    tests = (
        f"Data tests: {passed} passed, {warned} warned, {failed} failed" if result.tests else "No data test was due."
    )
    return Report(
        command=command,
        exit_code=result.exit_code,
        data={
            "streams": [_stream(item) for item in result.streams],
            "tests": {"passed": passed, "warned": warned, "failed": failed},
            "finished": result.finished,
        },
        tables=[_table(result), *finding_table(result.findings)],
        notes=[*_falls(result), tests, *([] if result.finished else [UNFINISHED])],
        errors=result.errors,
    )


def _stream(item: StreamTransformation) -> dict[str, Any]:
    rows = item.table_rows
    return {
        "stream": item.stream,
        "batches": item.batches,
        "rows": item.rows,
        "models": list(item.models),
        "rows_before": None if rows is None else rows.before,
        "rows_after": None if rows is None else rows.after,
    }


def _falls(result: TransformResult) -> list[str]:
    """Tables that were written anew with fewer rows: within what max_shrink allows, yet worth a word."""
    return [
        f"{item.stream} fell from {count(item.table_rows.before)} to {count(item.table_rows.after)} rows."
        for item in result.streams
        if item.table_rows is not None and item.table_rows.after < item.table_rows.before
    ]


def _table(result: TransformResult) -> Table:
    failed = {item.stream for item in result.errors}
    otherwise = "up to date" if result.finished else "not finished"
    rows = [
        [
            item.stream,
            count(item.batches),
            count(item.rows),
            ", ".join(item.models) or ("failed" if item.stream in failed else otherwise),
        ]
        for item in result.streams
    ]
    return Table(columns("stream", "batches", "rows", "models", numbers=("batches", "rows")), rows)
