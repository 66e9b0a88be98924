"""`backfill --refresh-source`: a running Airbyte reads history anew, and we wait until it has."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from lotuslake.commands.context import RunContext
from lotuslake.core.airbyte_job import SUCCEEDED, Job, SourceStream, find_connection
from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.airbyte_state import rewind_state
from lotuslake.core.errors import LotusLakeError, SourceBusyError, UnreachableError
from lotuslake.core.stream import Stream
from lotuslake.ports.airbyte import Airbyte

# Between two questions: from the first to the second, by half more each time.
POLL_SECONDS = (1.0, 15.0)
LOST_ANSWERS = 5


@dataclass(frozen=True, slots=True)
class SourceRefresh:
    """One source's job; it ``is_over``, or goes on in Airbyte without us."""

    source: str
    job: Job
    is_over: bool = True


def refresh_source(
    streams: Sequence[Stream],
    sources: Iterable[AirbyteSource],
    airbyte: Airbyte,
    context: RunContext,
    *,
    since: date | None = None,
) -> list[SourceRefresh]:
    """Ask Airbyte to read these streams anew, all of their history or from a day on, and wait for its jobs.

    Without ``since`` it is a merge-refresh of just these streams. With it their state is set back to that day and the
    connection is synced. Raises what the port raises, and UnreachableError when a job does not succeed.
    """
    by_name = {source.name: source for source in sources}
    names = dict.fromkeys(stream.source for stream in streams)
    asked = []
    for name in names:
        own = _source_streams(by_name[name], [stream for stream in streams if stream.source == name])
        job = _begin(by_name[name], own, airbyte, since)
        context.log(f"{job}, for {', '.join(stream.name for stream in own)} of {name}")
        asked.append((name, job))
    refreshes = [_await(name, job, airbyte, context) for name, job in asked]
    _require_success(refreshes)
    return refreshes


def _source_streams(source: AirbyteSource, streams: Sequence[Stream]) -> list[SourceStream]:
    """The streams with the namespaces that `discover` gave them; sources that are APIs have none."""
    discovered = source.discovery.streams if source.discovery else {}
    return [
        SourceStream(stream.name, discovered[stream.name].namespace if stream.name in discovered else None)
        for stream in streams
    ]


def _begin(source: AirbyteSource, streams: Sequence[SourceStream], airbyte: Airbyte, since: date | None) -> Job:
    connection_id = source.source.connection_id
    if connection_id is None:
        connection_id = find_connection(source.source, airbyte.list_connections()).id
    # Airbyte would keep the wish for a refresh and turn its next sync into one: look before asking.
    if job := airbyte.load_job_under_way(connection_id):
        raise SourceBusyError(f"{source.name}: {job}; wait until it has ended, then run the same command again")
    if since is None:
        return airbyte.refresh(connection_id, streams)
    state = airbyte.load_state(connection_id)
    rewound = rewind_state(state, streams, since)
    if rewound != state:
        airbyte.replace_state(connection_id, rewound)
    return airbyte.begin_sync(connection_id)


def _await(source: str, job: Job, airbyte: Airbyte, context: RunContext) -> SourceRefresh:
    """Poll until the job has ended or our own time is up; a few answers may be lost on the way."""
    pause, longest = POLL_SECONDS
    lost = 0
    while job.is_under_way:
        context.progress.wait(source, str(job))
        if not _pause(pause, context):
            context.warn(f"{job}; it goes on without us: `lotuslake register` takes what it lands")
            return SourceRefresh(source, job, is_over=False)
        pause = min(pause * 1.5, longest)
        try:
            job = airbyte.load_job(job.id)
            lost = 0
        except UnreachableError as error:
            lost += 1
            if lost >= LOST_ANSWERS:
                raise UnreachableError(
                    f"{error.message}; Airbyte job {job.id} of {source} may go on: `lotuslake register` takes what it lands"
                ) from None
    context.progress.advance(source, str(job))
    return SourceRefresh(source, job)


def _pause(seconds: float, context: RunContext) -> bool:
    """Wait in short steps; False when time is up."""
    until = time.monotonic() + seconds
    while not context.should_end():
        left = until - time.monotonic()
        if left <= 0:
            return True
        time.sleep(min(left, 0.5))
    return False


def _require_success(refreshes: Sequence[SourceRefresh]) -> None:
    failed: list[LotusLakeError] = [
        UnreachableError(
            f"{refresh.source}: {refresh.job}; Airbyte's log of the job says why. What it landed is taken by "
            "`lotuslake register`; run the same command again to read the rest"
        )
        for refresh in refreshes
        if refresh.is_over and refresh.job.status != SUCCEEDED
    ]
    if failed:
        raise failed[0]
