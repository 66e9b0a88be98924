"""`lotuslake backfill --refresh-source`: history anew from the source, then what arrived into the lake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from lotuslake.cli import register as register_command
from lotuslake.cli import transform as transform_command
from lotuslake.cli.output import Report, Table, columns
from lotuslake.cli.session import Session
from lotuslake.cli.words import count
from lotuslake.commands.refresh_source import SourceRefresh, refresh_source
from lotuslake.commands.register import RegisterOptions, register
from lotuslake.commands.transform import transform
from lotuslake.commands.transformation import TransformOptions
from lotuslake.core.errors import ExitCode
from lotuslake.core.stream import Stream

COMMAND = "backfill"


def run(session: Session, streams: Sequence[Stream], since: date | None, max_seconds: float | None) -> Report:
    """Refresh, register and transform; ends early when Airbyte's job outlasts ``max_seconds``."""
    wiring = session.wiring
    context = session.context(max_seconds=max_seconds)
    refreshes = refresh_source(streams, wiring.airbyte_sources, wiring.airbyte, context, since=since)
    if not all(refresh.is_over for refresh in refreshes):
        note = "Airbyte goes on alone: `lotuslake register` and `lotuslake transform` take what it lands."
        return _with_jobs(Report(COMMAND, ExitCode.DONE, {"streams": [], "finished": False}, notes=[note]), refreshes)
    limits = session.settings.batch
    registered = register(streams, wiring.register_ports, RegisterOptions(limits), context)
    if registered.errors or not registered.finished:
        session.record(registered.exit_code)
        return _with_jobs(replace(register_command.render(registered), command=COMMAND), refreshes)
    result = transform(streams, wiring.transform_ports, TransformOptions(limits), context)
    session.record(result.exit_code)
    report = transform_command.render(result, command=COMMAND)
    # The first table says what was registered, its findings are those that the transformation found again.
    tables = [register_command.render(registered).tables[0], *report.tables]
    return _with_jobs(replace(report, tables=tables), refreshes)


def _with_jobs(report: Report, refreshes: Sequence[SourceRefresh]) -> Report:
    jobs = [
        {
            "source": refresh.source,
            "connection_id": refresh.job.connection_id,
            "job_id": refresh.job.id,
            "status": refresh.job.status,
            "rows": refresh.job.rows,
        }
        for refresh in refreshes
    ]
    rows = [
        [item.source, str(item.job.id), item.job.status, "" if item.job.rows is None else count(item.job.rows)]
        for item in refreshes
    ]
    table = Table(columns("source", "Airbyte job", "status", "rows", numbers=("Airbyte job", "rows")), rows)
    return replace(report, data={**report.data, "source_jobs": jobs}, tables=[table, *report.tables])
