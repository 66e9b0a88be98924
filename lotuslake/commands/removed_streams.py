"""Streams that the lake knows and the project has no file for any more: told, kept, and let go of on purpose."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lotuslake.commands.context import RunContext
from lotuslake.core.errors import ConfigError
from lotuslake.core.finding import Finding
from lotuslake.ports.known_streams import KnownStreams
from lotuslake.ports.ledger import Ledger


@dataclass(frozen=True, slots=True)
class ProjectStreams:
    """Ids of the streams that the project has a file for, wrong files included, and those of the lake."""

    ids: Collection[str]
    known: KnownStreams


def find_removed(streams: ProjectStreams, ledger: Ledger) -> list[Finding]:
    """The removed streams that nobody has accepted yet.

    They are no findings of a run, since nothing is wrong with what the lake holds: they change no exit code.
    """
    removed = (_removed(id_) for id_ in streams.known.load_ids() if id_ not in streams.ids)
    return [finding for finding in removed if not ledger.is_accepted(finding.id)]


def forget_streams(chosen: Sequence[str], streams: ProjectStreams, context: RunContext) -> None:
    """Let go of the tables of removed streams.

    Raises:
        ConfigError: a stream has a file, or the lake does not know it; nothing was dropped then.
    """
    known = streams.known.load_ids()
    for id_ in chosen:
        if id_ in streams.ids:
            raise ConfigError(
                f"--forget-stream {id_}: it has a stream file; remove that first, if it is to go", stream=id_
            )
        if id_ not in known:
            removed = ", ".join(other for other in known if other not in streams.ids) or "none"
            raise ConfigError(
                f"--forget-stream {id_}: the lake knows no such stream; streams without a file: {removed}"
            )
    for id_ in chosen:
        streams.known.forget(id_)
        context.log("its tables are dropped; its raw objects stay where they are", stream=id_)


def _removed(id_: str) -> Finding:
    slug = id_.replace("/", "__")
    reason = (
        f"the project has no file for it; landing.stg_{slug} and processed.int_{slug} stay as they are. Put the file back (or "
        f"name it so again), or let go of them: lotuslake maintain --forget-stream {id_}"
    )
    return Finding(f"removed:{id_}", "removed", id_, "", reason)
