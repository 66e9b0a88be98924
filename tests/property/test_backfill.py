"""Programs that share a backfill, in any order and interleaving, leave what one clean rebuild leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotuslake.core.backfill_plan import DateRange
from lotuslake.core.errors import LostRaceError, UnreachableError
from lotuslake.core.stream import BatchLimits
from lotuslake.testing import Call
from tests.support.lake import NOW, ORDERS, Shop, a_row

MODEL = ORDERS.processed_model
LIMITS = BatchLimits(max_files=2, max_bytes=2**29, max_rows=3)


class KilledError(BaseException):
    """The process ends at once, as by SIGKILL: nothing may catch it."""


@pytest.fixture(autouse=True, scope="module")
def no_waiting() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(time, "sleep", lambda _: None)
    yield
    patch.undo()


# One program: a shard by its number, "whole" for all of it by one program, "days", or another command.
Program = int | str
PROGRAMS = st.integers(0, 5) | st.sampled_from(["days", "transform", "register"])
TROUBLES = st.tuples(
    st.integers(1, 60),
    st.sampled_from(["before", "after"]),
    st.sampled_from(["kill", "outage"]) | PROGRAMS,
)
RUNS = st.lists(st.tuples(PROGRAMS, st.lists(TROUBLES, max_size=3)), max_size=8)


@dataclass
class World:
    """A shop whose model was built by what has since changed, and programs that bring it up to date."""

    shards: int
    files: int
    shop: Shop = field(default_factory=lambda: Shop(limits=LIMITS))
    landed: int = 0

    def __post_init__(self) -> None:
        for _ in range(self.files):
            self.land()
        self.shop.register()
        self.shop.mark(MODEL, "old")
        self.shop.transform()
        self.shop.mark(MODEL, "new")

    def land(self) -> None:
        number = self.landed = self.landed + 1
        self.shop.land(ORDERS, f"{number}_0", a_row(number), a_row(number % 3 + 100, number))

    def run(self, program: Program) -> None:
        match program:
            case int(number):
                self.shop.backfill(shards=self.shards, shard_index=number % self.shards)
            case "whole":
                self.shop.backfill(restart=True)
            case "days":
                self.shop.backfill(days=DateRange(NOW.date()))
            case "transform":
                self.shop.transform()
            case _:
                self.land()
                self.shop.register()

    def run_troubled(self, program: Program, troubles: list[tuple[int, str, Program]]) -> None:
        self.shop.lake.on_call = self._troubled(troubles)
        try:
            self.run(program)
        except (KilledError, UnreachableError, LostRaceError):
            pass
        finally:
            self.shop.lake.on_call = lambda _: None

    def _troubled(self, troubles: list[tuple[int, str, Program]]) -> Callable[[Call], None]:
        calls = 0

        def on_call(call: Call) -> None:
            nonlocal calls
            if call.moment == "after":
                calls += 1
            for number, moment, kind in troubles:
                if calls == number and call.moment == moment:
                    troubles.remove((number, moment, kind))
                    self._befall(kind)
                    break

        return on_call

    def _befall(self, kind: Program) -> None:
        if kind == "kill":
            raise KilledError
        if kind == "outage":
            raise UnreachableError("the line is cut")
        self.run(kind)

    def rows(self, name: str) -> list[str]:
        return sorted(repr(sorted(row.items())) for row in self.shop.lake.tables[name])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(2, 4), st.integers(0, 9), RUNS, st.randoms(use_true_random=False))
def test_shards_in_any_order_and_interleaving_give_one_clean_rebuild(
    shards: int, files: int, runs: list[tuple[Program, list[tuple[int, str, Program]]]], random: object
) -> None:
    world = World(shards, files)
    for program, troubles in runs:
        world.run_troubled(program, list(troubles))
    world.shop.register()
    # Each program is run until it has ended well, as a Job's retries do.
    order = list(range(shards))
    random.shuffle(order)  # type: ignore[attr-defined]
    for index in order:
        world.run(index)
    world.run("transform")
    calm = World(shards, world.landed)
    calm.run("whole")
    assert world.rows(MODEL) == calm.rows(MODEL)
    assert world.rows("fct_orders") == calm.rows("fct_orders")
    assert set(world.shop.marks(MODEL).values()) <= {"new"}
    assert world.shop.lake.cursors[MODEL].position == world.shop.lake.landed_of(ORDERS).head.seq
    assert world.shop.transform().streams[0].batches == 0


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(2, 3), st.integers(1, 9), st.integers(0, 2), st.lists(TROUBLES, max_size=3))
def test_each_shard_run_well_once_is_enough(
    shards: int, files: int, first: int, troubles: list[tuple[int, str, Program]]
) -> None:
    world = World(shards, files)
    order = [(first + number) % shards for number in range(shards)]
    meddling = [trouble for trouble in troubles if trouble[2] in ("transform", "register", "days")]
    for index in order:
        world.run_troubled(index, list(meddling))
    assert set(world.shop.marks(MODEL).values()) == {"new"}
    assert world.shop.lake.rebuilds == {}
    assert world.shop.lake.tables["fct_orders"] == world.shop.lake.tables[MODEL]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(-4, 0), min_size=1, max_size=8), st.lists(TROUBLES, max_size=3), st.integers(-4, 0))
def test_a_replay_cut_off_and_run_again_renews_exactly_its_days(
    landed: list[int], troubles: list[tuple[int, str, Program]], start: int
) -> None:
    shop = Shop(limits=LIMITS)
    for number, day in enumerate(landed):
        shop.land(ORDERS, f"{number}_0", a_row(number), day=day)
    shop.register()
    shop.transform()
    shop.mark(MODEL, "new")
    before = shop.lake.cursors[MODEL]
    world = World(2, 0, shop)
    days = DateRange(NOW.date().replace(day=NOW.day + start))
    shop.lake.on_call = world._troubled(
        [trouble for trouble in troubles if trouble[2] in ("kill", "outage", "transform")]
    )
    try:
        shop.backfill(days=days)
    except (KilledError, UnreachableError):
        pass
    finally:
        shop.lake.on_call = lambda _: None
    shop.backfill(days=days)
    renewed = {key for key, mark in shop.marks(MODEL).items() if mark == "new"}
    assert renewed == {number for number, day in enumerate(landed) if day >= start}
    assert replace(shop.lake.cursors[MODEL], version=before.version) == before
    assert shop.lake.rebuilds == {}
