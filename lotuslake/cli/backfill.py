"""`lotuslake backfill`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from lotuslake.cli import refresh_source, transform
from lotuslake.cli.command import add_command
from lotuslake.cli.output import Report
from lotuslake.cli.session import Session
from lotuslake.commands.backfill import BackfillOptions, backfill
from lotuslake.core.backfill_plan import DateRange
from lotuslake.core.errors import ConfigError
from lotuslake.core.stream import Stream

Streams = Annotated[
    list[str] | None, typer.Argument(metavar="STREAM", help="source/stream, source, or a glob; at least one.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "backfill")
    def run(
        session: Session,
        streams: Streams = None,
        from_: Annotated[str | None, typer.Option("--from", help="First landing day to replay, as 2026-01-31.")] = None,
        to: Annotated[str | None, typer.Option("--to", help="Last landing day to replay.")] = None,
        reregister: Annotated[bool, typer.Option("--reregister", help="Register every file anew first.")] = False,
        shards: Annotated[int, typer.Option(help="Into how many programs the rebuild is divided.")] = 1,
        shard_index: Annotated[int, typer.Option(help="Which of them this is, from 0.")] = 0,
        restart: Annotated[bool, typer.Option("--restart", help="Forget what an earlier backfill has done.")] = False,
        accept_loss: transform.AcceptLoss = False,
        max_seconds: Annotated[float | None, typer.Option(min=0, help="End between batches after so long.")] = None,
        from_source: Annotated[
            bool,
            typer.Option("--refresh-source", help="Have Airbyte read the source anew, with --from from that day on."),
        ] = False,
    ) -> Report:
        """Replay history: rebuild models from every file, or merge some days again; resumes where it stopped."""
        if not streams:
            raise ConfigError("name the streams whose history is to be replayed; backfill never takes all by itself")
        chosen = session.wiring.streams.select(streams)
        options = BackfillOptions(
            limits=session.settings.batch,
            days=DateRange(_day("--from", from_), _day("--to", to)),
            shards=shards,
            shard_index=shard_index,
            reregister=reregister,
            restart=restart,
            accept_loss=accept_loss,
        )
        if from_source:
            _refuse_what_the_source_cannot(options)
            return refresh_source.run(session, chosen, options.days.start, max_seconds)
        return _replay(session, chosen, options, max_seconds)


def _replay(session: Session, streams: Sequence[Stream], options: BackfillOptions, max_seconds: float | None) -> Report:
    wiring = session.wiring
    context = session.context(max_seconds=max_seconds)
    result = backfill(streams, wiring.register_ports, wiring.transform_ports, options, context)
    session.record(result.exit_code)
    return transform.render(result, command="backfill")


def _refuse_what_the_source_cannot(options: BackfillOptions) -> None:
    if options.days.end or options.shards > 1 or options.reregister or options.restart:
        raise ConfigError("--refresh-source goes with --from alone: --to, --shards, --reregister, --restart do not")


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option} {text} is not a day such as 2026-01-31") from None
