"""A registered file whose pages cannot be read leaves landing; the rest of the batch, and later files, go on."""

from __future__ import annotations

import pytest

from lotuslake.core.data_file import FileStatus
from lotuslake.core.errors import ExitCode
from lotuslake.testing.lake import Call
from tests.support.lake import ORDERS, Shop, a_row

MODEL = "int_shop__orders"


def shop_with(count: int) -> tuple[Shop, list[str]]:
    shop = Shop()
    paths = [shop.land(ORDERS, f"{number}_0", a_row(number)) for number in range(count)]
    shop.register()
    return shop, paths


def statuses(shop: Shop) -> dict[str, FileStatus]:
    return {entry.file.path: entry.status for entry in shop.lake.ledger.load_entries(ORDERS)}


def test_the_file_leaves_landing_and_the_others_go_on() -> None:
    shop, paths = shop_with(4)
    shop.lake.unreadable = {paths[1]}
    result = shop.transform()
    assert (result.exit_code, result.errors) == (ExitCode.FINDINGS, ())
    assert shop.table(MODEL) == {0: 1, 2: 1, 3: 1}
    assert statuses(shop)[paths[1]] is FileStatus.QUARANTINED
    assert [(finding.kind, finding.subject) for finding in result.findings] == [("quarantined", paths[1])]
    assert sorted(row["id"] for row in shop.lake.landing_rows(ORDERS)) == [0, 2, 3]
    shop.land(ORDERS, "9_0", a_row(9))
    shop.register()
    assert shop.transform().exit_code is ExitCode.FINDINGS
    assert shop.table(MODEL) == {0: 1, 2: 1, 3: 1, 9: 1}


def test_a_retry_takes_it_up_again() -> None:
    shop, paths = shop_with(2)
    shop.lake.unreadable = {paths[0]}
    shop.transform()
    shop.lake.unreadable = set()
    assert shop.register(retry_quarantined=True).exit_code is ExitCode.DONE
    assert shop.transform().exit_code is ExitCode.DONE
    assert shop.table(MODEL) == {0: 1, 1: 1}


def test_a_file_that_was_read_before_is_not_lost_quietly_by_a_rebuild() -> None:
    shop, paths = shop_with(2)
    shop.transform()
    shop.lake.unreadable = {paths[0]}
    result = shop.transform(full_refresh=True)
    assert result.exit_code is ExitCode.FINDINGS
    assert "quarantined" in {finding.kind for finding in result.findings}
    # What only that file told is still shown.
    assert shop.table(MODEL) == {0: 1, 1: 1}


def test_a_model_that_fails_on_something_else_sets_nothing_aside() -> None:
    shop, _ = shop_with(2)
    shop.lake.models[MODEL] = type(shop.lake.models[MODEL])(shop.lake.models[MODEL].model, select=lambda row: row["no"])
    result = shop.transform()
    assert (result.exit_code, [finding.kind for finding in result.findings]) == (ExitCode.FINDINGS, ["model"])
    assert set(statuses(shop).values()) == {FileStatus.REGISTERED}


def test_a_race_while_it_is_set_aside_is_planned_anew() -> None:
    shop, paths = shop_with(3)
    shop.lake.unreadable = {paths[0]}
    raced: list[str] = []

    def another_registrar(call: Call) -> None:
        if call == Call("landing.find_unreadable", "after") and not raced:
            raced.append("once")
            shop.land(ORDERS, "7_0", a_row(7))
            shop.register()

    shop.lake.on_call = another_registrar
    assert shop.transform().exit_code is ExitCode.FINDINGS
    assert raced
    assert shop.table(MODEL) == {1: 1, 2: 1, 7: 1}


@pytest.mark.parametrize("count", [1, 3])
def test_every_file_may_be_bad(count: int) -> None:
    shop, paths = shop_with(count)
    shop.lake.unreadable = set(paths)
    result = shop.transform()
    assert result.exit_code is ExitCode.FINDINGS
    assert len(result.findings) == count
    assert shop.table(MODEL) == {}
