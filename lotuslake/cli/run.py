"""`lotuslake run`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from lotuslake.cli import register, transform
from lotuslake.cli.command import Selectors, add_command
from lotuslake.cli.output import Report
from lotuslake.cli.removed import with_removed
from lotuslake.cli.session import Session
from lotuslake.commands.chain import ChainResult, Stage, run_chain
from lotuslake.commands.register import RegisterOptions
from lotuslake.commands.transformation import TransformOptions


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "run")
    def run(
        session: Session,
        streams: Selectors = None,
        max_seconds: Annotated[float | None, typer.Option(min=0, help="End between batches after so long.")] = None,
        full_sweep: Annotated[
            bool, typer.Option("--full-sweep", help="List the whole history, not only the newest days.")
        ] = False,
        skip_tests: Annotated[bool, typer.Option("--skip-tests", help="Leave out the data tests.")] = False,
    ) -> Report:
        """Register new files, then transform them, in one go: what a CronJob chains, for a terminal."""
        wiring, limits = session.wiring, session.settings.batch
        registering, transforming = session.stage("register"), session.stage("transform")
        result = run_chain(
            wiring.streams.select(streams or []),
            (wiring.register_ports, wiring.transform_ports),
            (RegisterOptions(limits, full_sweep=full_sweep), TransformOptions(limits, skip_tests=skip_tests)),
            (
                Stage(registering.context(max_seconds=max_seconds), registering.record),
                Stage(transforming.context(max_seconds=max_seconds), transforming.record),
            ),
        )
        return with_removed(render(result), session, streams or [])


def render(result: ChainResult) -> Report:
    """The reports of both stages as one; what is open, which both know, is shown once."""
    if result.transformed is None:
        stages = [register.render(result.registered)]
    else:
        stages = [register.render(replace(result.registered, findings=())), transform.render(result.transformed)]
    return Report(
        command="run",
        exit_code=result.exit_code,
        data={stage.command: stage.data for stage in stages},
        tables=[table for stage in stages for table in stage.tables],
        notes=list(dict.fromkeys(note for stage in stages for note in stage.notes)),
        errors=[error for stage in stages for error in stage.errors],
    )
