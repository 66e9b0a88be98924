"""`ingest-check` reads, and says what a register run would find."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lotuslake.core.errors import ExitCode
from lotuslake.core.stream import Freshness
from tests.support.lake import CUSTOMERS, NOW, ORDERS, WIDE, Shop, a_row

STRICT = replace(ORDERS, freshness=Freshness(timedelta(hours=1), timedelta(hours=6)))


def test_of_a_lake_that_does_not_exist_everything_is_pending_and_nothing_is_made() -> None:
    shop = Shop(limits=replace(WIDE, max_files=2))
    for number in range(3):
        shop.land(ORDERS, f"{number}_0", a_row(number))
    checks = shop.check(ORDERS, CUSTOMERS)
    orders, customers = checks.streams
    size = len(shop.store.read(orders.plan.pending[0].path))
    assert (orders.stream, orders.pending_files, orders.pending_bytes, orders.batches) == (
        "shop/orders",
        3,
        3 * size,
        2,
    )
    assert (orders.newest_file_at, orders.lag_seconds, orders.freshness) == (NOW, 0, "pass")
    assert (customers.pending_files, customers.newest_file_at, customers.lag_seconds) == (0, None, None)
    assert customers.freshness == "unknown"
    assert (shop.lake.landed, shop.lake.streams, shop.lake.cursors) == ({}, {}, {})
    assert checks.exit_code() is ExitCode.DONE
    assert checks.exit_code(detailed=True) is ExitCode.PENDING


def test_after_a_registration_nothing_is_pending() -> None:
    shop = Shop()
    shop.land(ORDERS, "1_0", a_row(1))
    shop.register()
    assert shop.check().streams[0].plan.is_empty
    assert shop.check().exit_code(detailed=True) is ExitCode.DONE


def test_late_overwritten_missing_and_quarantined_files_are_told_apart() -> None:
    shop = Shop()
    overwritten = shop.land(ORDERS, "1_0", a_row(1))
    missing = shop.land(ORDERS, "2_0", a_row(2))
    shop.store.put(f"{ORDERS.landing_path}/bad.parquet", b"PAR1")
    shop.register()
    shop.store.put(overwritten, b"another content")
    shop.store.delete(missing)
    late = shop.land(ORDERS, "3_0", a_row(3), day=-2)
    plan = shop.check().streams[0].plan
    assert [file.path for file in plan.pending] == [late]
    assert plan.late == 1
    assert [item.file.path for item in plan.overwritten] == [overwritten]
    assert [entry.file.path for entry in plan.missing] == [missing]
    assert [entry.file.path for entry in plan.quarantined] == [f"{ORDERS.landing_path}/bad.parquet"]
    assert shop.check().exit_code(detailed=True) is ExitCode.FINDINGS


@pytest.mark.parametrize(
    ("age", "state", "code"),
    [
        (timedelta(0), "pass", ExitCode.DONE),
        (timedelta(hours=1), "pass", ExitCode.DONE),
        (timedelta(hours=1, seconds=1), "warn", ExitCode.DONE),
        (timedelta(hours=6, seconds=1), "error", ExitCode.FINDINGS),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_freshness_is_that_of_the_newest_file_listed_or_known(
    age: timedelta, state: str, code: ExitCode, known: bool
) -> None:
    shop = Shop()
    path = shop.land(STRICT, "1_0", a_row(1))
    if known:
        shop.register(STRICT)
        shop.store.delete(path)
    shop.now = NOW + age
    (check,) = shop.check(STRICT).streams
    assert (check.freshness, check.lag_seconds) == (state, age.total_seconds())
    # An object that is gone is for a person to look at, however fresh the stream is.
    assert shop.check(STRICT).exit_code() is (ExitCode.FINDINGS if known else code)


def test_a_clock_behind_the_stores_gives_no_negative_lag() -> None:
    shop = Shop()
    shop.land(ORDERS, "1_0", a_row(1))
    shop.now = NOW - timedelta(minutes=1)
    assert shop.check().streams[0].lag_seconds == 0


def test_an_old_file_is_seen_by_a_full_sweep() -> None:
    shop = Shop()
    shop.land(ORDERS, "1_0", a_row(1))
    shop.register()
    shop.land(ORDERS, "2_0", a_row(2), day=-90)
    assert shop.check().streams[0].pending_files == 0
    assert shop.check(full_sweep=True).streams[0].pending_files == 1


def test_an_accepted_finding_is_closed() -> None:
    shop = Shop()
    shop.store.put(f"{ORDERS.landing_path}/bad.parquet", b"PAR1")
    findings = shop.register().findings
    shop.lake.ledger.accept(findings, "a test file", by="ana", now=NOW)
    assert shop.check().exit_code() is ExitCode.DONE
