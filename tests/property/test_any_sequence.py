"""Whatever happens in whatever order, a clean run at the end leaves what one clean run over the same files leaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotuslake.core.errors import LostRaceError, UnreachableError
from lotuslake.core.field_types import VARCHAR
from lotuslake.core.stream import BatchLimits, Field
from lotuslake.testing import Call, Row, data_file
from tests.support.lake import CUSTOMERS, ORDERS, Shop, a_row

# What is overwritten may fall to nothing here, which other tests hold back.
STREAM = replace(
    ORDERS,
    max_shrink=1.0,
    fields=(*ORDERS.fields, Field("deleted_at", VARCHAR, {"type": "string"})),
    tombstone_field="deleted_at",
)
MODEL = STREAM.processed_model


class KilledError(BaseException):
    """The process ends at once, as by SIGKILL: nothing may catch it."""


def a_version(key: int | None, version: int, deleted: bool) -> Row:
    row = a_row(key, version)
    if deleted:
        # A tombstone says when, not what: it has no value for the cursor field.
        row |= {"deleted_at": "x", "total": None, "updated_at": None, "_airbyte_raw_id": f"{key}-{version}-gone"}
    return row


# Some have no key: each of these is a record of its own.
ROWS = st.builds(a_version, st.none() | st.integers(1, 3), st.integers(1, 30), st.booleans())
LIMITS = st.builds(BatchLimits, st.integers(1, 3), st.just(10**6), st.integers(1, 4))
# What a run meets: at its n-th port call, before or after that call, a kill, an outage, a lost race or another run.
TROUBLES = st.tuples(
    st.integers(1, 40),
    st.sampled_from(["before", "after"]),
    st.sampled_from(["kill", "outage", "race", "register", "transform"]),
)


@dataclass
class Land:
    rows: list[Row]
    day: int


@dataclass
class Overwrite:
    number: int
    rows: list[Row]


@dataclass
class Run:
    command: str
    limits: BatchLimits
    trouble: tuple[int, str, str] | None


@dataclass
class ChangeSql:
    hash: str


Event = Land | Overwrite | Run | ChangeSql


@dataclass
class World:
    """A shop that things happen to."""

    shop: Shop = field(default_factory=Shop)
    paths: list[str] = field(default_factory=list)
    met: bool = False

    def meet(self, event: Event) -> bool:
        """Let an event happen; whether a run has met its trouble."""
        self.met = False
        match event:
            case Land(rows, day):
                self.paths.append(self.shop.land(STREAM, f"{len(self.paths)}_0", *rows, day=-day))
            case Overwrite(number, rows) if self.paths:
                self.shop.store.put(self.paths[number % len(self.paths)], data_file(rows))
            case ChangeSql(hash_):
                self.shop.change_sql(MODEL, hash_)
            case Run(command, limits, trouble):
                self.shop.limits = limits
                self.shop.lake.on_call = self._troubled(trouble) if trouble else lambda _: None
                try:
                    self._run(command)
                except (KilledError, UnreachableError, LostRaceError):
                    pass
                finally:
                    self.shop.lake.on_call = lambda _: None
        return self.met

    def _run(self, command: str) -> None:
        if command == "register":
            self.shop.register(STREAM, CUSTOMERS)
        else:
            self.shop.transform(STREAM, CUSTOMERS)

    def _troubled(self, trouble: tuple[int, str, str]) -> Callable[[Call], None]:
        number, moment, kind = trouble
        calls = 0

        def on_call(call: Call) -> None:
            nonlocal calls
            if call.moment != moment:
                return
            calls += 1
            if calls == number:
                self.met = True
                self._befall(kind, moment)

        return on_call

    def _befall(self, kind: str, moment: str) -> None:
        match kind:
            case "kill":
                raise KilledError
            case "outage":
                raise UnreachableError("the line is cut")
            case "race" if moment == "before":
                raise LostRaceError("another process was first")
            case "register" | "transform":
                self._run(kind)


EVENTS = st.lists(
    st.builds(Land, st.lists(ROWS, max_size=3), st.integers(0, 2))
    | st.builds(Overwrite, st.integers(0, 9), st.lists(ROWS, max_size=3))
    | st.builds(Run, st.sampled_from(["register", "transform"]), LIMITS, st.none() | TROUBLES)
    | st.builds(ChangeSql, st.sampled_from(["1", "2"])),
    max_size=14,
)


def tables(shop: Shop) -> dict[str, list[str]]:
    names = (MODEL, "int_shop__customers", "fct_orders", "agg_days")
    everything = {name: shop.lake.tables[name] for name in names} | {"landing": shop.lake.landing_rows(STREAM)}
    return {name: sorted(repr(sorted(row.items())) for row in rows) for name, rows in everything.items()}


def clean_run(shop: Shop) -> None:
    assert shop.register(STREAM, CUSTOMERS).finished
    assert shop.transform(STREAM, CUSTOMERS).finished


@pytest.fixture(autouse=True, scope="module")
def no_waiting() -> object:
    patch = pytest.MonkeyPatch()
    patch.setattr(time, "sleep", lambda _: None)
    yield
    patch.undo()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EVENTS, LIMITS)
def test_a_clean_run_makes_up_for_everything(events: list[Event], limits: BatchLimits) -> None:
    world, calm = World(), World()
    for event in events:
        world.meet(event)
        if isinstance(event, Land | Overwrite):
            calm.meet(event)
    world.shop.limits = limits
    clean_run(world.shop)
    clean_run(calm.shop)
    assert tables(world.shop) == tables(calm.shop)
    assert world.shop.lake.rebuilds == {}
    without_key = [row for row in world.shop.lake.tables[MODEL] if row["id"] is None]
    assert (world.shop.lake.cursors[MODEL].null_keys or 0) == len(without_key)
    said = [finding for finding in world.shop.lake.raised.values() if finding.kind == "null_keys"]
    assert len(said) == bool(without_key)

    versions = {name: cursor.version for name, cursor in world.shop.lake.cursors.items()}
    clean_run(world.shop)
    assert {name: cursor.version for name, cursor in world.shop.lake.cursors.items()} == versions


SCENE: list[Event] = [
    Land([a_version(1, 1, deleted=False), a_version(2, 1, deleted=False)], 2),
    Land([a_version(1, 3, deleted=True), a_version(2, 2, deleted=False)], 1),
    Run("register", BatchLimits(2, 10**6, 100), None),
    Run("transform", BatchLimits(2, 10**6, 2), None),
    Land([a_version(1, 2, deleted=False), a_version(3, 1, deleted=False)], 0),
    Overwrite(1, [a_version(1, 4, deleted=False)]),
    Land([a_version(3, 2, deleted=False)], 0),
    Land([], 0),
]


@pytest.mark.parametrize("command", ["register", "transform"])
@pytest.mark.parametrize("kind", ["kill", "outage", "race", "register", "transform"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_trouble_at_every_single_call_is_made_up_for(command: str, kind: str, moment: str) -> None:
    limits = BatchLimits(1, 10**6, 1)
    calm = World()
    for event in SCENE:
        calm.meet(event)
    clean_run(calm.shop)
    expected = tables(calm.shop)
    number, met = 0, True
    while met:
        number += 1
        world = World()
        for event in SCENE if command == "register" else [*SCENE, Run("register", limits, None)]:
            world.meet(event)
        met = world.meet(Run(command, limits, (number, moment, kind)))
        clean_run(world.shop)
        assert tables(world.shop) == expected
    assert number > 20
