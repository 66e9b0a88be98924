"""A lake in memory: tables as lists of rows, and the bookkeeping that a commit moves together with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from lotuslake.core.data_file import READABLE, LedgerEntry
from lotuslake.core.finding import Finding, TestOutcome
from lotuslake.core.head import Head
from lotuslake.core.model import Model
from lotuslake.core.run import Run
from lotuslake.core.schema_comparison import Columns
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor, Rebuild
from lotuslake.testing.files import Row
from lotuslake.testing.landing import MemoryLanding
from lotuslake.testing.ledger import MemoryLedger
from lotuslake.testing.store import MemoryStore, utc_now
from lotuslake.testing.streams import MemoryStreams
from lotuslake.testing.transformer import MemoryTransformer

Tables = Mapping[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a port's method, such as ``landing.commit``: before it does anything, or after all of it is done."""

    name: str
    moment: Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class MemoryModel:
    """A model whose SQL is a function.

    Of a processed model ``select`` makes a row of each landed one; of an enriched model ``build`` makes the table from
    those it reads.
    """

    model: Model
    select: Callable[[Row], Row] = dict
    build: Callable[[Tables], list[Row]] = lambda _: []


def processed(name: str, *, hash: str = "1", select: Callable[[Row], Row] = dict) -> MemoryModel:  # noqa: A002
    """A processed model, ``int_{source}__{stream}``."""
    return MemoryModel(Model(name, "processed", hash), select=select)


def enriched(
    name: str,
    upstreams: Sequence[str],
    build: Callable[[Tables], list[Row]],
    *,
    hash: str = "1",  # noqa: A002
) -> MemoryModel:
    """An enriched model that reads ``upstreams``."""
    return MemoryModel(Model(name, "enriched", hash, tuple(upstreams)), build=build)


@dataclass(frozen=True, slots=True)
class DataTest:
    """A data test of one model: ``find`` gives the rows that are wrong."""

    name: str
    model: str
    find: Callable[[list[Row]], list[Row]]


@dataclass(slots=True)
class Landed:
    """A stream's landing table and log."""

    columns: Columns = ()
    head: Head = field(default_factory=Head)
    log: list[LedgerEntry] = field(default_factory=list)
    # Paths whose rows the table holds; one that came in twice would stand here twice.
    files: list[str] = field(default_factory=list)


class MemoryLake:
    """Everything that a lake remembers; its ports are views of it.

    ``on_call`` is called before and after every method of a port and may raise, to play a failure at that very point,
    or run another command, to play a second process. ``models`` and ``tests`` may be changed between runs.
    """

    def __init__(
        self,
        store: MemoryStore,
        models: Sequence[MemoryModel] = (),
        *,
        tests: Sequence[DataTest] = (),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.store = store
        self.models = {model.model.name: model for model in models}
        self.tests = list(tests)
        self.clock = clock
        self.on_call: Callable[[Call], None] = lambda _: None
        self.tables: dict[str, list[Row]] = {}
        self.landed: dict[str, Landed] = {}
        self.streams: dict[str, Stream] = {}
        self.cursors: dict[str, Cursor] = {}
        # By model and part.
        self.rebuilds: dict[tuple[str, str], tuple[Rebuild, list[Row]]] = {}
        self.copies: dict[str, list[Row]] = {}
        self.accepted: dict[str, str] = {}
        self.raised: dict[str, Finding] = {}
        self.outcomes: dict[tuple[str, str], tuple[TestOutcome, datetime]] = {}
        self.tested: dict[str, int] = {}
        self.runs: list[Run] = []
        # By stream: a file of the landing table under another landing root.
        self.elsewhere: dict[str, str] = {}
        # Paths whose values, in a copy, turn out not to convert.
        self.unconvertible: set[str] = set()
        # Paths of files whose footers can be read, and whose rows cannot.
        self.unreadable: set[str] = set()
        self.ledger = MemoryLedger(self)
        self.landing = MemoryLanding(self)
        self.transformer = MemoryTransformer(self)
        self.known_streams = MemoryStreams(self)

    def landing_rows(self, stream: Stream) -> list[Row]:
        """What a query of the stream's landing table shows."""
        landed = self.landed_of(stream)
        entries = {entry.file.path: entry for entry in landed.log if entry.status in READABLE}
        return [row for path in landed.files for row in self.landing.read(entries[path])]

    def landed_of(self, stream: Stream) -> Landed:
        """The stream's landing table and log; empty ones where there are none yet."""
        return self.landed.get(stream.id, Landed())

    @contextmanager
    def calling(self, name: str) -> Iterator[None]:
        """Around the body of a port's method: tells ``on_call``."""
        self.on_call(Call(name, "before"))
        yield
        self.on_call(Call(name, "after"))
