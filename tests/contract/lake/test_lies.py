"""The suite finds a lake that lies: each of these breaks one promise, and some test of the ports must fail on it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.errors import LotusLakeError
from lotuslake.core.finding import Finding
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor, Rebuild, Step, TableRows
from lotuslake.ports.landing import RegisterBatch
from lotuslake.testing import MemoryLake, Row
from lotuslake.testing.landing import MemoryLanding
from lotuslake.testing.ledger import MemoryLedger
from lotuslake.testing.streams import MemoryStreams
from lotuslake.testing.transformer import MemoryTransformer
from tests.contract.lake import test_known_streams, test_landing, test_ledger, test_models, test_rebuilds
from tests.contract.lake.ports import InMemory, LakeUnderTest

Case = Callable[[LakeUnderTest], None]


def cases_of(module: ModuleType) -> Iterator[tuple[str, Case]]:
    """The tests of a module that take a lake and nothing else."""
    for name, found in vars(module).items():
        if inspect.isclass(found) and name.startswith("Test") and found.__module__ == module.__name__:
            yield from ((f"{name}.{each}", getattr(found(), each)) for each in vars(found) if each.startswith("test"))
        elif name.startswith("test"):
            yield name, found


CASES = [
    case
    for module in (test_ledger, test_landing, test_models, test_rebuilds, test_known_streams)
    for case in cases_of(module)
]


def fails(make: Callable[..., MemoryLake]) -> Iterable[str]:
    """The tests that fail on such a lake."""
    lake = InMemory(make)
    lake.ledger.prepare([])
    for name, case in CASES:
        (parameter,) = inspect.signature(case).parameters
        if parameter != "lake":
            continue
        try:
            case(lake)
        except (AssertionError, pytest.fail.Exception, LookupError, ValueError, LotusLakeError):
            yield name


class FenceWithoutConflict(MemoryLanding):
    """Two registrars of one stream both win."""

    def commit(self, batch: RegisterBatch) -> list[LedgerEntry]:
        return super().commit(replace(batch, head=self._lake.landed_of(batch.stream).head))


class LogWithoutRewrite(MemoryLanding):
    """What was withdrawn stays in the table."""

    def commit(self, batch: RegisterBatch) -> list[LedgerEntry]:
        return super().commit(replace(batch, rewrite=False))


class EpochThatStandsStill(MemoryLanding):
    """Nobody is asked to build anew."""

    def commit(self, batch: RegisterBatch) -> list[LedgerEntry]:
        return super().commit(replace(batch, new_epoch=False))


class CursorThatMovesBack(MemoryTransformer):
    """A merge puts the position where the step's first file stands."""

    def run(self, step: Step, *, stream: Stream | None, run_id: str) -> TableRows | None:
        if step.mode == "merge":
            step = replace(step, position=min(step.cursor.position, step.position))
        return super().run(step, stream=stream, run_id=run_id)


class CursorWithoutConflict(MemoryTransformer):
    """Two transforms of one model both win."""

    def run(self, step: Step, *, stream: Stream | None, run_id: str) -> TableRows | None:
        if step.mode != "append":
            step = replace(step, cursor=self._lake.cursors.get(step.model, Cursor()))
        return super().run(step, stream=stream, run_id=run_id)


class NullsThatComeLast(MemoryTransformer):
    """A version without a cursor beats one with it."""

    def _rows(self, step: Step, stream: Stream | None) -> list[Row]:
        rows = super()._rows(step, stream)
        bare = [row for row in self._incoming(step, stream) if row["updated_at"] is None] if stream is not None else []
        kept = {row["id"]: row for row in bare if row["_airbyte_raw_id"] == "r"}
        return [kept.get(row.get("id"), row) for row in rows]


class LastComesWins(MemoryTransformer):
    """A merge overwrites a newer version."""

    def _rows(self, step: Step, stream: Stream | None) -> list[Row]:
        rows = super()._rows(step, stream)
        if step.mode != "merge" or stream is None:
            return rows
        incoming = {row["id"]: row for row in self._incoming(step, stream)}
        return [row | {"total": incoming.get(row["id"], row)["total"]} for row in rows]


class RebuildThatShows(MemoryTransformer):
    """A rebuild writes into the live table before it is published."""

    def run(self, step: Step, *, stream: Stream | None, run_id: str) -> TableRows | None:
        done = super().run(step, stream=stream, run_id=run_id)
        if step.mode == "append":
            self._lake.tables[step.model] = self._lake.rebuilds[step.model, step.part][1]
        return done


class RebuildOfAnyone(MemoryTransformer):
    """A rebuild is begun over the one that another program has begun."""

    def begin_rebuild(self, model: str, rebuild: Rebuild, part: str = "", *, instead_of: Rebuild | None = None) -> None:
        super().begin_rebuild(model, rebuild, part, instead_of=self.load_rebuild(model, part) or instead_of)


class TableThatShrinks(MemoryTransformer):
    """A table falls below what the step allows."""

    def run(self, step: Step, *, stream: Stream | None, run_id: str) -> TableRows | None:
        return super().run(replace(step, terms=replace(step.terms, least_rows=None)), stream=stream, run_id=run_id)


class FindingThatWasAccepted(MemoryLedger):
    """An accepted finding is still open."""

    def load_findings(self, streams: Sequence[Stream]) -> list[Finding]:
        return [finding for stream in streams for finding in self._findings_of(stream)]


class EntriesOfOldStanding(MemoryLedger):
    """A path's first entry is told for its newest."""

    def load_entries(self, stream: Stream, **options: Any) -> list[LedgerEntry]:
        first = {entry.file.path: entry for entry in reversed(self._lake.landed_of(stream).log)}
        return [replace(first[entry.file.path], seq=entry.seq) for entry in super().load_entries(stream, **options)]


class StreamThatIsNotForgotten(MemoryStreams):
    """What was accepted of a stream outlives it."""

    def forget(self, stream_id: str) -> None:
        accepted = dict(self._lake.accepted)
        super().forget(stream_id)
        self._lake.accepted = accepted


LIES: Mapping[str, tuple[type, ...]] = {
    "landing": (FenceWithoutConflict, LogWithoutRewrite, EpochThatStandsStill),
    "transformer": (
        CursorThatMovesBack,
        CursorWithoutConflict,
        NullsThatComeLast,
        LastComesWins,
        RebuildThatShows,
        RebuildOfAnyone,
        TableThatShrinks,
    ),
    "ledger": (FindingThatWasAccepted, EntriesOfOldStanding),
    "known_streams": (StreamThatIsNotForgotten,),
}


def test_an_honest_lake_passes() -> None:
    assert list(fails(MemoryLake)) == []


@pytest.mark.parametrize(
    ("port", "lie"),
    [(port, lie) for port, lies in LIES.items() for lie in lies],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_lie_is_found(port: str, lie: type) -> None:
    def make(*arguments: Any, **options: Any) -> MemoryLake:
        lake = MemoryLake(*arguments, **options)
        setattr(lake, port, lie(lake))
        return lake

    assert next(iter(fails(make)), None), f"no test of the ports fails on {lie.__name__}"
