"""`lotuslake status`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lotuslake.cli.command import add_command
from lotuslake.cli.output import Report, Table, columns
from lotuslake.cli.removed import with_removed
from lotuslake.cli.session import Session
from lotuslake.cli.words import age, count, size
from lotuslake.commands.status import status
from lotuslake.core.errors import ExitCode
from lotuslake.core.lake_state import LakeState


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "status")
    def run(
        session: Session,
        push: Annotated[
            str, typer.Option(metavar="URL", help="Push the same as metrics to a Prometheus Pushgateway.")
        ] = "",
    ) -> Report:
        """Show where the lake stands: streams, models, findings, rebuilds. Reads only, and ends 0 whatever it finds."""
        wiring = session.wiring
        context = session.context()
        state = status(wiring.state, wiring.metrics_sink(push) if push else None, context)
        now = context.now()
        lags = [
            int((now - one.newest_file_at).total_seconds()) if one.newest_file_at else None for one in state.streams
        ]
        report = Report(
            command="status",
            exit_code=ExitCode.DONE,
            data=_data(state),
            tables=[_streams(state, lags), _models(state)] if state.streams else [],
            notes=[] if state.streams else ["There is no lake yet, or nothing in it."],
        )
        return with_removed(report, session)


def _data(state: LakeState) -> dict[str, object]:
    return {
        "streams": [asdict(one) for one in state.streams],
        "models": [asdict(one) | {"entries_behind": state.behind(one)} for one in state.models],
        "rebuilds": [asdict(one) for one in state.rebuilds],
        "commands": [asdict(one) for one in state.commands],
        "findings": [{"stream": stream, "kind": kind, "count": n} for stream, kind, n in state.findings],
        "snapshots": state.snapshots,
        "oldest_snapshot_at": state.oldest_snapshot_at,
    }


def _streams(state: LakeState, lags: list[int | None]) -> Table:
    numbers = ("files", "rows", "size", "newest file", "findings")
    rows = [
        [
            one.stream,
            count(one.files),
            count(one.rows),
            size(one.size_bytes),
            age(lag),
            count(sum(number for stream, _, number in state.findings if stream == one.stream)),
        ]
        for one, lag in zip(state.streams, lags, strict=True)
    ]
    return Table(columns("stream", *numbers, numbers=numbers), rows)


def _models(state: LakeState) -> Table:
    rebuilds = {one.name: f"{count(one.until - one.position)} entries left" for one in state.rebuilds}
    rows = [
        [
            one.model,
            "" if (behind := state.behind(one)) is None else count(behind),
            ", ".join(text for name, text in rebuilds.items() if name == one.model or name.startswith(f"{one.model}_")),
        ]
        for one in state.models
    ]
    return Table(columns("model", "entries behind", "rebuild", numbers=("entries behind",)), rows)
