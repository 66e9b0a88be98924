"""`register`: what is pending is committed once, in bounded batches, whatever happens beside it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lotuslake.core.data_file import FileStatus
from lotuslake.core.errors import ConfigError, ExitCode, LostRaceError, StopRequestedError, UnreachableError
from lotuslake.core.retry import ATTEMPTS
from lotuslake.core.stream import BatchLimits
from tests.support.lake import CUSTOMERS, ORDERS, WIDE, Shop, a_row, at

ONE_FILE = replace(WIDE, max_files=1)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.fixture
def shop() -> Shop:
    shop = Shop(limits=ONE_FILE)
    for number in range(4):
        shop.land(ORDERS, f"{number}_0", a_row(number), day=number - 3)
    return shop


def registered(shop: Shop) -> list[str]:
    """Names of the files in the landing table, in the order of their commits; a double would show twice."""
    return [path.rsplit("/", 1)[-1] for path in shop.lake.landed[ORDERS.id].files]


def test_a_dry_run_shows_the_batches_that_a_run_commits_and_writes_nothing(shop: Shop) -> None:
    shop.limits = replace(WIDE, max_files=3)
    calls: list[str] = []
    shop.lake.on_call = lambda call: calls.append(call.name)
    shown = shop.register(dry_run=True)
    assert set(calls) <= {"ledger.load_newest_partition", "ledger.load_entries", "ledger.load_findings"}
    assert (shop.lake.landed, shop.lake.streams) == ({}, {})
    assert shown.dry_run
    assert shown.finished
    assert shown.streams[0].plan is not None
    planned = [[file.path for file in batch] for batch in shown.streams[0].plan.batches]
    assert [len(batch) for batch in planned] == [3, 1]

    result = shop.register()
    log = shop.lake.landed[ORDERS.id].log
    committed: dict[str, list[str]] = {}
    for entry in log:
        committed.setdefault(entry.batch_id, []).append(entry.file.path)
    assert list(committed.values()) == planned
    assert (result.streams[0].batches, result.streams[0].rows, result.exit_code) == (2, 4, ExitCode.DONE)


def test_every_file_is_told_by_what_became_of_it(shop: Shop) -> None:
    shop.land(ORDERS, "empty_0")
    shop.land(ORDERS, "narrow_0", a_row(7), columns={"total": "DOUBLE"})
    shop.land(ORDERS, "wide_0", a_row(8), columns={"id": "INTEGER"})
    shop.land(ORDERS, "odd_0", a_row(9), columns={"total": "BOOLEAN"})
    shop.store.put(f"{ORDERS.landing_path}/cut_0.parquet", b"PAR1")
    result = shop.register()
    assert dict(result.streams[0].files) == {
        FileStatus.REGISTERED: 5,
        FileStatus.COPIED: 1,
        FileStatus.EMPTY: 1,
        FileStatus.QUARANTINED: 2,
    }
    assert result.streams[0].rows == 6
    assert result.exit_code is ExitCode.FINDINGS
    assert {finding.subject.rsplit("/", 1)[-1]: finding.reason for finding in result.findings} == {
        "cut_0.parquet": "the file does not end as a Parquet file does; it may be cut off",
        "odd_0.parquet": "column total is BOOLEAN, which does not convert to BIGINT",
    }
    assert sorted(row["id"] for row in shop.lake.landing_rows(ORDERS)) == [0, 1, 2, 3, 7, 8]


def test_the_ledger_keeps_who_wrote_a_file_and_from_when_to_when(shop: Shop) -> None:
    shop.register()
    shop.land(ORDERS, "one", *(a_row(number, number, _airbyte_meta={"sync_id": 7}) for number in (3, 1, 2)))
    shop.land(ORDERS, "two", *(a_row(number, 5, _airbyte_meta={"sync_id": number}) for number in (7, 8)))
    shop.register()
    one, two = (entry for entry in shop.lake.ledger.load_entries(ORDERS) if entry.seq > 4)
    first, last = datetime(2026, 1, 1, 0, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 3, tzinfo=UTC)
    assert (one.sync_id, one.oldest_extracted_at, one.newest_extracted_at) == (7, first, last)
    # Two syncs in one file: nobody says which.
    assert (two.sync_id, two.oldest_extracted_at) == (None, datetime(2026, 1, 1, 0, 5, tzinfo=UTC))


def test_a_copy_whose_values_do_not_convert_is_quarantined_with_its_good_neighbours_registered(shop: Shop) -> None:
    shop.limits = WIDE
    bad = shop.land(ORDERS, "9_0", a_row(9), columns={"total": "DOUBLE"})
    shop.lake.unconvertible.add(bad)
    result = shop.register()
    assert (result.streams[0].batches, result.streams[0].rows) == (1, 4)
    assert [finding.subject for finding in result.findings] == [bad]


def test_a_second_run_has_nothing_to_do_and_commits_nothing(shop: Shop) -> None:
    shop.register()
    again = shop.register()
    assert (again.streams[0].batches, again.exit_code) == (0, ExitCode.DONE)
    assert shop.lake.landed[ORDERS.id].head.seq == 4


@pytest.mark.parametrize(("allowed", "finished"), [(0, False), (1, False), (3, False), (4, True), (9, True)])
def test_max_batches_bounds_the_whole_run(shop: Shop, allowed: int, finished: bool) -> None:
    result = shop.register(max_batches=allowed)
    assert (result.streams[0].batches, result.finished) == (min(allowed, 4), finished)
    assert result.exit_code is ExitCode.DONE
    assert shop.register().streams[0].batches == 4 - min(allowed, 4)


def test_max_batches_is_shared_by_streams_in_turn(shop: Shop) -> None:
    for number in range(3):
        shop.land(CUSTOMERS, f"{number}_0", a_row(number))
    result = shop.register(ORDERS, CUSTOMERS, max_batches=3)
    assert [stream.batches for stream in result.streams] == [2, 1]


def test_time_that_is_up_ends_the_run_between_batches(shop: Shop) -> None:
    answers = iter([False, False, True])
    result = shop.register(should_end=lambda: next(answers))
    assert (result.streams[0].batches, result.finished, result.exit_code) == (2, False, ExitCode.DONE)
    assert registered(shop) == ["0_0.parquet", "1_0.parquet"]


def test_a_stop_signal_ends_with_its_code_and_what_was_committed(shop: Shop) -> None:
    calls = 0

    def should_end() -> bool:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise StopRequestedError(ExitCode.TERMINATED)
        return False

    result = shop.register(should_end=should_end)
    assert (result.exit_code, result.finished, result.streams[0].batches) == (143, False, 2)
    assert shop.register().streams[0].batches == 2


@pytest.mark.parametrize(
    "moment",
    [
        "after ledger.load_head",
        "before ledger.load_entries",
        "after ledger.load_entries",
        "before landing.inspect",
        "before landing.commit",
    ],
)
def test_another_run_at_any_moment_brings_no_file_in_twice(shop: Shop, moment: str) -> None:
    def come_between(count: int) -> None:
        if count <= 2:
            shop.register(max_batches=1)

    shop.lake.on_call = at(moment, come_between)
    result = shop.register()
    assert registered(shop) == [f"{number}_0.parquet" for number in range(4)]
    assert (result.exit_code, result.finished) == (ExitCode.DONE, True)
    assert shop.register().streams[0].batches == 0


def test_a_race_lost_every_time_ends_with_exit_4(shop: Shop) -> None:
    lost = 0

    def lose(_: int) -> None:
        nonlocal lost
        lost += 1
        raise LostRaceError("another process was first")

    shop.lake.on_call = at("before landing.commit", lose)
    result = shop.register()
    assert lost == ATTEMPTS
    assert result.exit_code is ExitCode.BUSY
    assert "lost the race for shop/orders 10 times" in result.errors[0].error.message
    assert not result.finished


def test_races_lost_between_commits_are_no_reason_to_give_up(shop: Shop) -> None:
    for number in range(4, 14):
        shop.land(ORDERS, f"{number}_0", a_row(number))

    def lose_every_other(count: int) -> None:
        if count % 2:
            raise LostRaceError("another process was first")

    shop.lake.on_call = at("before landing.commit", lose_every_other)
    assert shop.register().exit_code is ExitCode.DONE
    assert len(registered(shop)) == 14


def test_a_race_lost_while_the_table_is_made_is_run_again(shop: Shop) -> None:
    def lose_once(count: int) -> None:
        if count == 1:
            raise LostRaceError("another process was first")

    shop.lake.on_call = at("before landing.evolve", lose_once)
    assert shop.register().exit_code is ExitCode.DONE
    assert len(registered(shop)) == 4


def test_a_stream_whose_config_is_wrong_leaves_the_others_alone(shop: Shop) -> None:
    shop.land(CUSTOMERS, "1_0", a_row(1))

    def refuse_orders(count: int) -> None:
        if count == 1:
            raise ConfigError("field id of shop/orders is now VARCHAR", stream=ORDERS.id)

    shop.lake.on_call = at("before landing.evolve", refuse_orders)
    result = shop.register(ORDERS, CUSTOMERS)
    assert [stream.batches for stream in result.streams] == [0, 1]
    assert [(item.stream, item.error.exit_code) for item in result.errors] == [("shop/orders", ExitCode.USAGE)]
    assert result.exit_code is ExitCode.USAGE
    assert result.finished


def test_an_outage_ends_the_round_for_all(shop: Shop) -> None:
    shop.land(CUSTOMERS, "1_0", a_row(1))
    shop.land(CUSTOMERS, "2_0", a_row(2))

    def cut_the_line(count: int) -> None:
        if count == 3:
            raise UnreachableError("the store does not answer")

    shop.lake.on_call = at("before landing.inspect", cut_the_line)
    result = shop.register(ORDERS, CUSTOMERS)
    assert [stream.batches for stream in result.streams] == [1, 1]
    assert (result.exit_code, result.finished, result.findings) == (ExitCode.UNREACHABLE, False, ())
    shop.lake.on_call = lambda _: None
    assert [stream.batches for stream in shop.register(ORDERS, CUSTOMERS).streams] == [3, 1]


def test_a_file_that_is_gone_before_it_is_read_is_left_out(shop: Shop) -> None:
    path = shop.land(ORDERS, "8_0", a_row(8))
    shop.lake.on_call = at("before landing.inspect", lambda count: shop.store.delete(path) if count == 5 else None)
    assert (shop.register().streams[0].batches, len(registered(shop))) == (4, 4)


def test_another_landing_root_is_refused_until_told_that_the_objects_were_moved(shop: Shop) -> None:
    shop.register()
    before = shop.lake.landed[ORDERS.id]
    shop.land(ORDERS, "9_0", a_row(9))
    shop.lake.elsewhere[ORDERS.id] = "s3://old/shop/orders/1.parquet"
    refused = shop.register()
    assert (refused.exit_code, shop.lake.landed[ORDERS.id]) == (ExitCode.USAGE, before)
    assert "s3://old/shop/orders/1.parquet" in refused.errors[0].error.message
    assert shop.register(relocate=True).exit_code is ExitCode.DONE
    assert registered(shop) == ["0_0.parquet", "1_0.parquet", "2_0.parquet", "3_0.parquet", "9_0.parquet"]
    assert shop.lake.landed[ORDERS.id].head.epoch == before.head.epoch


def test_quarantined_files_are_tried_again_on_request_however_old(shop: Shop) -> None:
    shop.store.put(f"{ORDERS.landing_path}/year=2020/month=01/day=01/bad.parquet", b"PAR1")
    assert shop.register().exit_code is ExitCode.FINDINGS
    assert shop.register().streams[0].batches == 0
    again = shop.register(retry_quarantined=True)
    assert dict(again.streams[0].files) == {FileStatus.QUARANTINED: 1}


def test_a_quarantined_file_that_was_mended_closes_its_finding(shop: Shop) -> None:
    path = f"{ORDERS.landing_path}/bad.parquet"
    shop.store.put(path, b"PAR1")
    assert [finding.subject for finding in shop.register().findings] == [path]
    shop.land(ORDERS, "x", a_row(9))
    shop.store.put(path, shop.store.read(shop.land(ORDERS, "y", a_row(9, 2))))
    assert shop.register().exit_code is ExitCode.DONE


def test_an_old_file_that_comes_late_is_found_by_a_full_sweep_alone(shop: Shop) -> None:
    shop.register()
    shop.land(ORDERS, "late_0", a_row(9), day=-400)
    assert shop.register().streams[0].batches == 0
    assert shop.register(full_sweep=True).streams[0].batches == 1


def test_a_streams_own_bounds_count_when_they_are_lower(shop: Shop) -> None:
    shop.limits = WIDE
    result = shop.register(replace(ORDERS, batch=BatchLimits(2, 2**30, 10**6)))
    assert result.streams[0].batches == 2
