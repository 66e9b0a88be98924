"""`demo` on the in-memory lake: two deliveries through the chain, and roots that are the demo's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from lotuslake.commands import demo as command
from lotuslake.commands.demo import MARKER, SALES, STANDING, DemoPlan, DemoPorts, DemoResult, DemoStage, demo
from lotuslake.commands.register import RegisterPorts
from lotuslake.commands.transform import TransformPorts
from lotuslake.core.errors import ConfigError, ExitCode, UnreachableError
from lotuslake.core.stream import Stream
from lotuslake.ports.query import Answer
from lotuslake.testing import Row, data_file
from tests.support.lake import NOW, ORDERS, WIDE, Shop, a_row, at, day_path

PLAN = DemoPlan(7, 0.5, NOW)
MODEL = "int_shop__orders"


@dataclass(frozen=True)
class File:
    """What `write_files` gives, in the form of the in-memory store."""

    path: str
    body: bytes


DELIVERED: dict[str, list[tuple[str, int, list[Row]]]] = {
    "history": [("1_0", -40, [a_row(1), a_row(2)]), ("2_0", -39, [a_row(3)])],
    "increment": [("3_0", -40, [a_row(2, 2)]), ("4_0", 0, [a_row(4)])],
}


def write_files(shop: object, streams: Sequence[Stream], delivery: str) -> Iterator[File]:
    """Stand in for Parquet: the in-memory lake reads JSON."""
    assert shop == ("shop", PLAN.seed, PLAN.scale, PLAN.now)
    (stream,) = streams
    for name, day, rows in DELIVERED[delivery]:
        yield File(day_path(stream, day, name), data_file(rows))


@dataclass
class Asked:
    """Answers with what the processed table holds; keeps the questions."""

    shop: Shop
    questions: list[str] = field(default_factory=list)

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Answer:
        assert parameters is None
        self.questions.append(sql)
        return Answer(("orders", "total"), ((len(self.shop.table(MODEL)), sum(self.shop.table(MODEL).values())),))


@dataclass
class Demo:
    """A demo and its roots."""

    shop: Shop = field(default_factory=lambda: Shop(limits=WIDE))
    announced: list[DemoStage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.query = Asked(self.shop)

    def run(self, plan: DemoPlan = PLAN) -> DemoResult:
        ports = DemoPorts(
            self.shop.store,
            RegisterPorts(self.shop.store, self.shop.lake.ledger, self.shop.lake.landing),
            TransformPorts(self.shop.lake.ledger, self.shop.lake.transformer, self.shop.lake.landing),
            self.query,
        )
        return demo([ORDERS], ports, plan, WIDE, self.shop.context(), self.announced.append)


@pytest.fixture(autouse=True)
def json_in_place_of_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "write_files", write_files)
    monkeypatch.setattr(command, "build_shop", lambda *plan: ("shop", *plan))


@pytest.fixture
def a_demo() -> Demo:
    return Demo()


def test_both_deliveries_are_taken_through_the_chain(a_demo: Demo) -> None:
    result = a_demo.run()
    assert result.exit_code is ExitCode.DONE
    assert [(stage.name, stage.new_files, stage.standing) for stage in result.stages] == [
        ("history", 2, {"orders": 3, "total": 3}),
        ("increment", 2, {"orders": 4, "total": 5}),
    ]
    assert (a_demo.announced, result.sales) == (list(result.stages), Answer(("orders", "total"), ((4, 5),)))
    assert a_demo.query.questions == [STANDING, STANDING, SALES]
    assert a_demo.shop.table(MODEL) == {1: 1, 2: 2, 3: 1, 4: 1}
    assert json.loads(a_demo.shop.store.read(MARKER)) == {"seed": 7, "scale": 0.5, "now": NOW.isoformat()}


def test_run_again_it_repeats_nothing_and_keeps_the_plan_that_it_began_with(a_demo: Demo) -> None:
    a_demo.run()
    before = (a_demo.shop.lake.landed[ORDERS.id].head, dict(a_demo.shop.lake.cursors))
    result = a_demo.run(DemoPlan(8, 2.0, datetime(2030, 1, 1, tzinfo=UTC)))
    assert [(stage.new_files, stage.registered.streams[0].batches) for stage in result.stages] == [(0, 0), (0, 0)]
    assert (a_demo.shop.lake.landed[ORDERS.id].head, a_demo.shop.lake.cursors) == before


@pytest.mark.parametrize("moment", ["before landing.commit", "after landing.commit", "before transformer.run"])
@pytest.mark.parametrize("count", [1, 2])
def test_one_that_was_cut_off_goes_on_where_it_stopped(a_demo: Demo, moment: str, count: int) -> None:
    def cut(number: int) -> None:
        if number == count:
            raise UnreachableError("the line is cut")

    a_demo.shop.lake.on_call = at(moment, cut)
    broken = a_demo.run()
    assert (broken.exit_code, broken.sales) == (ExitCode.UNREACHABLE, None)
    assert broken.stages[-1].standing == {}
    a_demo.shop.lake.on_call = lambda _: None
    assert a_demo.run().exit_code is ExitCode.DONE
    assert a_demo.shop.table(MODEL) == {1: 1, 2: 2, 3: 1, 4: 1}
    assert len(a_demo.shop.lake.landing_rows(ORDERS)) == 5


def test_a_delivery_that_was_cut_off_in_the_middle_is_completed(a_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    put = a_demo.shop.store.put
    written: list[str] = []

    def put_two(path: str, body: bytes) -> None:
        if len(written) == 2:
            raise UnreachableError("the store does not answer")
        written.append(path)
        put(path, body)

    monkeypatch.setattr(a_demo.shop.store, "put", put_two)
    with pytest.raises(UnreachableError):
        a_demo.run()
    monkeypatch.setattr(a_demo.shop.store, "put", put)
    result = a_demo.run()
    assert [stage.new_files for stage in result.stages] == [1, 2]
    assert a_demo.shop.table(MODEL) == {1: 1, 2: 2, 3: 1, 4: 1}


def test_a_finding_ends_the_demo_after_the_stage_that_has_it(a_demo: Demo) -> None:
    a_demo.shop.store.put(MARKER, json.dumps({"seed": 7, "scale": 0.5, "now": NOW.isoformat()}).encode())
    a_demo.shop.store.put(f"{ORDERS.landing_path}/bad.parquet", b"PAR1")
    result = a_demo.run()
    assert (result.exit_code, [stage.name for stage in result.stages]) == (ExitCode.FINDINGS, ["history"])
    assert result.stages[0].registered.exit_code is ExitCode.FINDINGS


def test_a_landing_root_with_other_data_is_left_alone(a_demo: Demo) -> None:
    path = a_demo.shop.land(ORDERS, "1_0", a_row(1))
    with pytest.raises(ConfigError, match="the landing root holds data that is not the demo's"):
        a_demo.run()
    assert [file.path for file in a_demo.shop.store.list_objects("")] == [path]


def test_a_lake_with_other_data_is_left_alone(a_demo: Demo) -> None:
    path = a_demo.shop.land(ORDERS, "1_0", a_row(1))
    a_demo.shop.register()
    a_demo.shop.store.delete(path)
    with pytest.raises(ConfigError, match="this lake holds data that is not the demo's"):
        a_demo.run()
    assert list(a_demo.shop.store.list_objects("")) == []


@pytest.mark.parametrize(
    "marker", [b"", b"{", b"[]", b"{}", b'{"seed": "x", "scale": 1, "now": "2026-01-01"}', b"\xff"], ids=repr
)
def test_a_damaged_marker_is_told_and_nothing_is_written(a_demo: Demo, marker: bytes) -> None:
    a_demo.shop.store.put(MARKER, marker)
    with pytest.raises(ConfigError, match=f"{MARKER} is damaged; delete the demo's landing root"):
        a_demo.run()
    assert [file.path for file in a_demo.shop.store.list_objects("")] == [MARKER]
