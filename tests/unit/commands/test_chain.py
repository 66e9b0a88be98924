"""`run` on the in-memory lake: two subcommands in a row, and dbt started only where there is something to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lotuslake.commands.chain import ChainResult, Stage, run_chain
from lotuslake.commands.register import RegisterOptions, RegisterPorts
from lotuslake.commands.transform import TransformPorts
from lotuslake.commands.transformation import TransformOptions
from lotuslake.core.errors import ExitCode, UnreachableError
from tests.support.lake import ORDERS, WIDE, Shop, a_row, at, day_path

MODEL = "int_shop__orders"
Ended = list[tuple[str, ExitCode]]


def run(shop: Shop, ended: Ended) -> ChainResult:
    def stage(command: str) -> Stage:
        return Stage(replace(shop.context(), command=command), lambda code: ended.append((command, code)))

    return run_chain(
        [ORDERS],
        (
            RegisterPorts(shop.store, shop.lake.ledger, shop.lake.landing),
            TransformPorts(shop.lake.ledger, shop.lake.transformer, shop.lake.landing),
        ),
        (RegisterOptions(WIDE), TransformOptions(WIDE)),
        (stage("register"), stage("transform")),
    )


@pytest.fixture
def shop() -> Shop:
    shop = Shop(limits=WIDE)
    shop.land(ORDERS, "1_0", a_row(1), a_row(2))
    return shop


def test_what_is_registered_is_transformed(shop: Shop) -> None:
    ended: Ended = []
    result = run(shop, ended)
    assert (result.exit_code, shop.table(MODEL)) == (ExitCode.DONE, {1: 1, 2: 1})
    assert ended == [("register", ExitCode.DONE), ("transform", ExitCode.DONE)]


@pytest.fixture
def calls(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what is called on the lake, and `warm_up`."""
    calls: list[str] = []
    shop.lake.on_call = lambda call: calls.append(call.name) if call.moment == "before" else None
    monkeypatch.setattr(shop.lake.transformer, "warm_up", lambda: calls.append("warm_up"))
    return calls


def test_dbt_starts_with_the_first_file_and_not_where_nothing_is_new(shop: Shop, calls: list[str]) -> None:
    run(shop, [])
    assert calls.index("warm_up") < calls.index("landing.commit")
    calls.clear()
    run(shop, [])
    assert "warm_up" not in calls


def test_dbt_starts_before_anything_else_where_there_is_no_lake_yet(shop: Shop, calls: list[str]) -> None:
    run(shop, [])
    assert calls.index("warm_up") < calls.index("ledger.prepare")
    shop.land(ORDERS, "2_0", a_row(3))
    calls.clear()
    run(shop, [])
    assert calls.index("ledger.prepare") < calls.index("warm_up") < calls.index("landing.commit")


def test_a_finding_does_not_stop_the_chain(shop: Shop) -> None:
    shop.store.put(day_path(ORDERS, 0, "bad_0"), b"PAR1")
    ended: Ended = []
    result = run(shop, ended)
    assert (result.exit_code, shop.table(MODEL)) == (ExitCode.FINDINGS, {1: 1, 2: 1})
    assert ended == [("register", ExitCode.FINDINGS), ("transform", ExitCode.FINDINGS)]


@pytest.mark.parametrize("moment", ["before landing.commit", "before transformer.run"])
def test_an_outage_stops_the_chain_with_its_code(shop: Shop, moment: str) -> None:
    def cut(_: int) -> None:
        raise UnreachableError("the line is cut")

    shop.lake.on_call = at(moment, cut)
    ended: Ended = []
    result = run(shop, ended)
    assert result.exit_code is ExitCode.UNREACHABLE
    stopped = "register" if moment == "before landing.commit" else "transform"
    assert ended[-1] == (stopped, ExitCode.UNREACHABLE)
    assert (result.transformed is None) == (stopped == "register")
