"""`lotuslake ingest-check`."""

from __future__ import annotations

from typing import Annotated

import typer

from lotuslake.cli.command import Selectors, add_command
from lotuslake.cli.findings import finding_table
from lotuslake.cli.output import Report, Table, columns, without_idle
from lotuslake.cli.removed import with_removed
from lotuslake.cli.session import Session
from lotuslake.cli.words import age, count, size
from lotuslake.commands.ingest_check import StreamCheck, ingest_check


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "ingest-check")
    def run(
        session: Session,
        streams: Selectors = None,
        full_sweep: Annotated[
            bool, typer.Option("--full-sweep", help="List the whole history, not only the newest days.")
        ] = False,
        detailed_exitcode: Annotated[
            bool, typer.Option("--detailed-exitcode", help="Exit 10 when something is pending.")
        ] = False,
    ) -> Report:
        """Show what is pending, late, overwritten, missing or quarantined, and how fresh each stream is. Reads only."""
        wiring = session.wiring
        chosen = wiring.streams.select(streams or [])
        result = ingest_check(
            chosen, wiring.store, wiring.ledger, session.settings.batch, session.context(), full_sweep=full_sweep
        )
        if full_sweep:
            result = result.with_findings(session.loss_watch(chosen).look())
        report = Report(
            command="ingest-check",
            exit_code=result.exit_code(detailed=detailed_exitcode),
            data={"streams": [_item(check) for check in result.streams]},
            tables=[_table(result.streams), *finding_table(result.findings)],
        )
        return with_removed(report, session, streams or [])


def _item(check: StreamCheck) -> dict[str, object]:
    return {
        "stream": check.stream,
        "pending_files": check.pending_files,
        "pending_bytes": check.pending_bytes,
        "late_files": check.plan.late,
        "quarantined_files": len(check.plan.quarantined),
        "overwritten_files": len(check.plan.overwritten),
        "missing_files": len(check.plan.missing),
        "passed_over_files": len(check.plan.passed_over),
        "future_files": len(check.future_files),
        "newest_file_at": check.newest_file_at,
        "lag_seconds": check.lag_seconds,
        "freshness": check.freshness,
    }


def _table(checks: tuple[StreamCheck, ...]) -> Table:
    numbers = (
        "pending",
        "size",
        "late",
        "quarantined",
        "overwritten",
        "missing",
        "passed over",
        "ahead",
        "newest file",
    )
    table = Table(
        columns("stream", *numbers, "freshness", numbers=numbers),
        [
            [
                check.stream,
                count(check.pending_files),
                size(check.pending_bytes),
                count(check.plan.late),
                count(len(check.plan.quarantined)),
                count(len(check.plan.overwritten)),
                count(len(check.plan.missing)),
                count(len(check.plan.passed_over)),
                count(len(check.future_files)),
                age(check.lag_seconds),
                check.freshness,
            ]
            for check in checks
        ],
    )
    return without_idle(table, "late", "quarantined", "overwritten", "missing", "passed over", "ahead")
