"""`lotuslake maintain`."""

from __future__ import annotations

from typing import Annotated

import typer

from lotuslake.cli.command import Selectors, add_command
from lotuslake.cli.findings import finding_table
from lotuslake.cli.output import Report, Table, columns
from lotuslake.cli.session import Session
from lotuslake.cli.words import count
from lotuslake.commands.maintain import DEFAULT_KEEP_DAYS, MaintainOptions, MaintainPorts, maintain
from lotuslake.commands.removed_streams import forget_streams


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "maintain")
    def run(
        session: Session,
        streams: Selectors = None,
        keep_days: Annotated[int, typer.Option(min=1, help="Days of time travel to keep.")] = DEFAULT_KEEP_DAYS,
        take_over: Annotated[
            bool, typer.Option("--take-over", help="The data root was another catalog's and is this one's from now on.")
        ] = False,
        forget_stream: Annotated[
            list[str] | None,
            typer.Option(metavar="STREAM", help="Drop the tables of a stream whose file was removed; repeatable."),
        ] = None,
    ) -> Report:
        """Merge small files, expire old snapshots, delete what nothing needs. Raw objects go by retention_days alone."""
        wiring = session.wiring
        ports = MaintainPorts(wiring.ledger, wiring.landing, wiring.maintenance, wiring.models, wiring.data_root)
        options = MaintainOptions(keep_days, session.settings.backup_retention, take_over)
        chosen = wiring.streams.select(streams or [])
        forget_streams(forget_stream or [], wiring.project_streams, session.context())
        result = maintain(chosen, ports, options, session.context())
        session.record(result.exit_code)
        figures = {
            "merged_tables": result.merged_tables,
            "expired_snapshots": result.expired_snapshots,
            "deleted_files": result.deleted_files,
            "expired_objects": sum(result.expired_objects.values()),
        }
        rows = [[name.replace("_", " "), count(value)] for name, value in figures.items()]
        return Report(
            command="maintain",
            exit_code=result.exit_code,
            data={
                **figures,
                "forgotten_streams": forget_stream or [],
                "streams": [{"stream": s, "expired_objects": n} for s, n in result.expired_objects.items()],
            },
            tables=[Table(columns("upkeep", "count", numbers=("count",)), rows), *finding_table(result.findings)],
        )
