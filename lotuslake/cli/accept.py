"""`lotuslake accept`."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from lotuslake.cli.command import add_command
from lotuslake.cli.findings import finding_table
from lotuslake.cli.output import Report, Table, columns
from lotuslake.cli.session import Session
from lotuslake.cli.words import plural
from lotuslake.commands.accept import AcceptOptions, accept
from lotuslake.commands.removed_streams import find_removed
from lotuslake.core.errors import ExitCode


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "accept")
    def run(
        session: Session,
        streams: Annotated[list[str], typer.Argument(metavar="STREAM", help="source/stream, source, or a glob.")],
        reason: Annotated[str, typer.Option(help="Why the findings may stay.")],
        kind: Annotated[list[str] | None, typer.Option(help="Only findings of this kind; repeatable.")] = None,
        subject: Annotated[list[str] | None, typer.Option(help="Only this path, test or glob; repeatable.")] = None,
    ) -> Report:
        """Accept open findings with a reason, so that they no longer end every stage with 5."""
        wiring = session.wiring
        options = AcceptOptions(reason, _person(), tuple(kind or ()), tuple(subject or ()))
        removed = [
            finding for finding in find_removed(wiring.project_streams, wiring.ledger) if finding.stream in streams
        ]
        named = [selector for selector in streams if selector not in {finding.stream for finding in removed}]
        chosen = wiring.streams.select(named) if named else ()
        accepted, still_open = accept(chosen, wiring.ledger, options, session.context(), removed)
        rows = [[finding.stream, finding.kind, finding.subject, finding.reason] for finding in accepted]
        return Report(
            command="accept",
            exit_code=ExitCode.FINDINGS if still_open else ExitCode.DONE,
            data={"accepted": [finding.id for finding in accepted], "open": [finding.id for finding in still_open]},
            tables=[Table(columns("stream", "finding", "subject", "reason"), rows), *finding_table(still_open)],
            notes=[f"Accepted {plural(len(accepted), 'finding')}."],
        )


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"  # A container's user id need not have a name.
