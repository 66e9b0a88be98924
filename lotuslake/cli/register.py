"""`lotuslake register`."""

from __future__ import annotations

from typing import Annotated

import typer

from lotuslake.cli.command import Selectors, add_command
from lotuslake.cli.findings import finding_table
from lotuslake.cli.output import Report, Table, columns, without_idle
from lotuslake.cli.removed import with_removed
from lotuslake.cli.session import Session
from lotuslake.cli.words import count, size
from lotuslake.commands.register import RegisterOptions, RegisterResult, StreamRegistration, register
from lotuslake.core.data_file import FileStatus

UNFINISHED = "Not finished: run the same command again for the rest."


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "register")
    def run(
        session: Session,
        streams: Selectors = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")] = False,
        max_batches: Annotated[int | None, typer.Option(min=0, help="Commit at most so many batches.")] = None,
        max_seconds: Annotated[float | None, typer.Option(min=0, help="End between batches after so long.")] = None,
        full_sweep: Annotated[
            bool, typer.Option("--full-sweep", help="List the whole history, not only the newest days.")
        ] = False,
        retry_quarantined: Annotated[
            bool, typer.Option("--retry-quarantined", help="Try quarantined files again.")
        ] = False,
        relocate: Annotated[
            bool,
            typer.Option(
                "--relocate", help="The objects, or the lake's own files, were moved to another root: read them there."
            ),
        ] = False,
    ) -> Report:
        """Register new files in landing tables, in bounded batches, one commit each."""
        wiring = session.wiring
        wiring.relocate = relocate
        chosen = wiring.streams.select(streams or [])
        options = RegisterOptions(
            limits=session.settings.batch,
            dry_run=dry_run,
            max_batches=max_batches,
            full_sweep=full_sweep,
            retry_quarantined=retry_quarantined,
            relocate=relocate,
        )
        context = session.context(max_seconds=max_seconds)
        if full_sweep and not dry_run:
            wiring.ledger.prepare(chosen)
            session.loss_watch(chosen).tell()
        result = register(chosen, wiring.register_ports, options, context)
        if not dry_run:
            session.record(result.exit_code)
        return with_removed(render(result), session, streams or [])


def render(result: RegisterResult) -> Report:
    """The report of a registration, or of the plan for one."""
    table = _plan_table(result) if result.dry_run else _table(result)
    return Report(
        command="register",
        exit_code=result.exit_code,
        data={"streams": [_item(stream) for stream in result.streams], "finished": result.finished},
        tables=[table, *finding_table(result.findings)],
        notes=[] if result.finished else [UNFINISHED],
        errors=result.errors,
    )


def _item(stream: StreamRegistration) -> dict[str, object]:
    return {
        "stream": stream.stream,
        "registered_files": stream.files[FileStatus.REGISTERED],
        "copied_files": stream.files[FileStatus.COPIED],
        "empty_files": stream.files[FileStatus.EMPTY],
        "quarantined_files": stream.files[FileStatus.QUARANTINED],
        "rows": stream.rows,
        "batches": stream.batches,
        "passed_over_files": len(stream.plan.passed_over) if stream.plan else 0,
        "planned_files": len(stream.plan.pending) if stream.plan else 0,
        "planned_batches": len(stream.plan.batches) if stream.plan else 0,
    }


def _table(result: RegisterResult) -> Table:
    numbers = ("registered", "copied", "empty", "quarantined", "rows", "batches")
    rows = [
        [
            stream.stream,
            *(count(stream.files[status]) for status in list(FileStatus)[:4]),
            count(stream.rows),
            count(stream.batches),
        ]
        for stream in result.streams
    ]
    return without_idle(Table(columns("stream", *numbers, numbers=numbers), rows), "copied", "empty", "quarantined")


def _plan_table(result: RegisterResult) -> Table:
    numbers = ("batch", "files", "size")
    rows = [
        [stream.stream, str(number), count(len(batch)), size(sum(file.size_bytes for file in batch)), batch[0].path]
        for stream in result.streams
        if stream.plan
        for number, batch in enumerate(stream.plan.batches, 1)
    ]
    title = f"Plan: {len(rows)} batches, nothing is written" if rows else "Nothing to register"
    return Table(columns("stream", *numbers, "first file", numbers=numbers), rows, title)
