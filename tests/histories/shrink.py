"""Finds a small history that still goes wrong: leaves out events as long as it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.histories.lake import Play
from tests.histories.play import Difference, NotApplicableError, play
from tests.histories.world import Config, Event, File, History

MakeLake = Callable[[Config], Play]


def shrink(history: History, make_lake: MakeLake, *, attempts: int = 300) -> tuple[History, str]:
    """The smallest history found, and what is wrong after it."""
    message = _wrong(history, make_lake) or "it does not go wrong again"
    left = attempts
    size = max(len(history.events) // 2, 1)
    while left > 0:
        shorter = None
        for candidate in _candidates(history, size):
            left -= 1
            found = _wrong(candidate, make_lake)
            if found:
                shorter, message = candidate, found
                break
            if left <= 0:
                break
        if shorter is not None:
            history = shorter
        elif size == 1:
            break
        else:
            size = max(size // 2, 1)
    return history, message


def _candidates(history: History, size: int) -> list[History]:
    events = history.events
    starts = range(len(events) - size, -1, -size)
    shorter = [replace(history, events=events[:start] + events[start + size :]) for start in starts]
    return shorter if size > 1 else [*shorter, *(replace(history, events=one) for one in _with_smaller_files(events))]


def _with_smaller_files(events: tuple[Event, ...]) -> list[tuple[Event, ...]]:
    return [
        (*events[:number], replace(event, records=event.records[:-1]), *events[number + 1 :])
        for number, event in enumerate(events)
        if isinstance(event, File) and len(event.records) > 1
    ]


def _wrong(history: History, make_lake: MakeLake) -> str:
    lake = make_lake(history.config)
    try:
        play(history, lake)
    except Difference as difference:
        return str(difference.args[0])
    except NotApplicableError:
        return ""
    finally:
        lake.close()
    return ""
