"""Streams take turns, one batch each, so that a large one does not starve the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from lotuslake.commands.context import StreamError
from lotuslake.core.errors import (
    ConfigError,
    LotusLakeError,
    ModelError,
    RefusedError,
    StatementError,
    StopRequestedError,
)
from lotuslake.ports.lock import WorkLock


def locked(lock: WorkLock, name: str, worker: Iterator[None]) -> Iterator[None]:
    """The worker, under a lock that another program with the same work waits for; it is let go of between runs only."""
    with lock.held(name):
        yield from worker


def take_turns(
    workers: Iterable[tuple[str, Iterator[None]]], should_end: Callable[[], bool]
) -> tuple[bool, list[StreamError]]:
    """Advance each worker by one batch in turn until all are done; (whether all were, what went wrong for a stream).

    A stream whose configuration or model is wrong, or whose file trips a statement of ours, leaves the round and the others
    go on. An outage ends the round, and so does a service that refuses our settings: it would meet every stream.
    """
    queue = deque(workers)
    errors: list[StreamError] = []
    while queue:
        try:
            if should_end():
                return False, errors
        except StopRequestedError as error:
            return False, [*errors, StreamError(None, error)]
        name, worker = queue.popleft()
        try:
            next(worker)
        except StopIteration:
            continue
        except RefusedError as error:
            return False, [*errors, StreamError(name, error)]
        except (ConfigError, ModelError, StatementError) as error:
            errors.append(StreamError(name, error))
            continue
        except LotusLakeError as error:
            return False, [*errors, StreamError(name, error)]
        queue.append((name, worker))
    return True, errors
