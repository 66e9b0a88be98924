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


PASSED_OVER = ("part_0.parquet.gz", "part_0.csv", "year=2026/month=11/day=01/part_1.jsonl", "parquet")
HIDDEN = ("_SUCCESS", ".part_0.parquet.crc", "_temporary/part_0.parquet")


def test_objects_that_are_no_data_files_are_counted_and_named(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()
    for name in (*PASSED_OVER, *HIDDEN):
        shop.store.put(f"{ORDERS.landing_path}/{name}", b"x")
    with caplog.at_level("WARNING", logger="lotuslake"):
        check = shop.check().streams[0]
    assert (check.pending_files, sorted(check.plan.passed_over)) == (
        0,
        sorted(f"{ORDERS.landing_path}/{name}" for name in PASSED_OVER),
    )
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith(
        f"4 objects are no data files by their names and are passed over, such as {ORDERS.landing_path}/"
    )


def test_a_file_from_the_future_is_said_and_tells_nothing_of_freshness(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()
    shop.land(ORDERS, "1_0", a_row(1))
    shop.register()
    now, ten_years = NOW + timedelta(hours=8), timedelta(days=3650)
    shop.now = now + ten_years
    future = shop.land(ORDERS, "2_0", a_row(2))
    shop.now = now
    for is_registered in (False, True):
        with caplog.at_level("WARNING", logger="lotuslake"):
            check = shop.check(STRICT).streams[0]
        assert [file.path for file in check.future_files] == [future]
        assert check.newest_file_at == now + ten_years
        assert check.lag_seconds == -ten_years.total_seconds()
        # The file before it is eight hours old, beyond error_after.
        assert check.freshness == "error"
        assert f"1 files are dated ahead of now, such as {future}" in caplog.text
        if not is_registered:
            shop.register(STRICT)
            assert [finding.kind for finding in shop.check(STRICT).findings] == ["stale"]


def test_nothing_but_a_file_from_the_future_leaves_freshness_unknown() -> None:
    shop = Shop()
    shop.now = NOW + timedelta(days=1)
    shop.land(ORDERS, "1_0", a_row(1))
    shop.now = NOW
    check = shop.check(STRICT).streams[0]
    assert (check.freshness, check.lag_seconds, len(check.future_files)) == ("unknown", -86_400, 1)


def test_clocks_that_differ_by_a_minute_are_no_news() -> None:
    shop = Shop()
    shop.now = NOW + timedelta(minutes=1)
    shop.land(ORDERS, "1_0", a_row(1))
    shop.now = NOW
    check = shop.check(STRICT).streams[0]
    assert (check.freshness, check.lag_seconds, check.future_files) == ("pass", -60, ())
