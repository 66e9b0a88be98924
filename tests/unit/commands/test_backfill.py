"""`backfill`: history once more, whole or by days, going on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from lotuslake.commands.backfill import BackfillOptions, backfill
from lotuslake.commands.register import RegisterPorts
from lotuslake.commands.transform import TransformPorts, TransformResult
from lotuslake.core.backfill_plan import DateRange
from lotuslake.core.data_file import DataFile
from lotuslake.core.errors import ConfigError, ExitCode, LostRaceError, UnreachableError
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.retry import ATTEMPTS
from lotuslake.core.stream import BatchLimits
from lotuslake.testing import Call, data_file
from tests.support.lake import CATALOGUE, CUSTOMERS, NOW, ORDERS, WIDE, Shop, a_row, at

MODEL = "int_shop__orders"
EXPECTED = {0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 9: 5}
SMALL = replace(WIDE, max_rows=2)
TODAY = NOW.date()


def nothing(_: Call) -> None:
    """A hook that lets every call be."""


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.fixture
def shop() -> Shop:
    """Five files, of today and the four days before; the model has read them in batches of one file."""
    shop = Shop(limits=SMALL)
    for number in range(5):
        shop.land(ORDERS, f"{number}_0", a_row(number), a_row(9, number + 1), day=number - 4)
    shop.register()
    shop.transform()
    shop.mark(MODEL, "new")
    return shop


def fail_at_step(shop: Shop, number: int) -> None:
    def fail(count: int) -> None:
        if count == number:
            raise UnreachableError("the catalog does not answer")

    shop.lake.on_call = at("before transformer.run", fail)


def marked(shop: Shop) -> set[int]:
    return {key for key, mark in shop.marks(MODEL).items() if mark == "new"}


@pytest.mark.parametrize("limits", [SMALL, WIDE], ids=["small", "wide"])
def test_the_whole_history_is_read_again_and_what_reads_the_model_is_built(shop: Shop, limits: BatchLimits) -> None:
    shop.limits = limits
    before = shop.lake.cursors[MODEL]
    result = shop.backfill()
    assert (result.exit_code, result.finished) == (ExitCode.DONE, True)
    assert (shop.table(MODEL), marked(shop)) == (EXPECTED, set(EXPECTED))
    assert (result.streams[0].rows, result.streams[0].models) == (10, (MODEL, "fct_orders"))
    assert shop.lake.tables["fct_orders"] == shop.lake.tables[MODEL]
    assert shop.lake.cursors[MODEL].position == before.position
    assert shop.lake.rebuilds == {}


def test_one_that_failed_repeats_no_finished_batch(shop: Shop) -> None:
    fail_at_step(shop, 4)
    broken = shop.backfill()
    assert (broken.exit_code, broken.streams[0].batches, marked(shop)) == (ExitCode.UNREACHABLE, 3, set())
    shop.lake.on_call = nothing
    result = shop.backfill()
    assert (result.streams[0].rows, marked(shop)) == (4, set(EXPECTED))


def test_what_failed_before_the_enriched_models_is_built_by_the_next_transform(shop: Shop) -> None:
    fail_at_step(shop, 7)
    assert shop.backfill().exit_code is ExitCode.UNREACHABLE
    shop.lake.on_call = nothing
    result = shop.transform()
    assert (result.streams[0].batches, result.streams[0].models) == (0, ("fct_orders",))
    assert shop.lake.tables["fct_orders"] == shop.lake.tables[MODEL]


def test_time_that_is_up_ends_between_batches(shop: Shop) -> None:
    answers = iter([False, False, True])
    result = shop.backfill(should_end=lambda: next(answers))
    assert (result.finished, result.exit_code, result.streams[0].rows) == (False, ExitCode.DONE, 4)
    assert shop.backfill().streams[0].rows == 6


def test_restart_forgets_what_an_earlier_one_has_done(shop: Shop) -> None:
    fail_at_step(shop, 4)
    shop.backfill()
    shop.lake.on_call = nothing
    assert shop.backfill(restart=True).streams[0].rows == 10


def test_several_streams_take_turns(shop: Shop) -> None:
    shop.land(CUSTOMERS, "1_0", a_row(1))
    shop.register(CUSTOMERS)
    result = shop.backfill(CUSTOMERS, ORDERS)
    assert [(stream.stream, stream.rows) for stream in result.streams] == [("shop/customers", 1), ("shop/orders", 10)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shards": 0}, "--shard-index must lie between 0 and 0"),
        ({"shards": 2, "shard_index": 2}, "--shard-index must lie between 0 and 1"),
        ({"shard_index": 1}, "--shard-index must lie between 0 and 0"),
        ({"shards": 2, "shard_index": -1}, "--shard-index must lie between 0 and 1"),
        ({"shards": 2, "reregister": True}, "--shards divides a whole rebuild"),
        ({"shards": 2, "days": DateRange(TODAY)}, "--shards divides a whole rebuild"),
        ({"days": DateRange(TODAY, date(2026, 1, 1))}, "--from 2026-03-10 lies after --to 2026-01-01"),
    ],
)
def test_options_that_do_not_go_together_are_refused(shop: Shop, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        shop.backfill(**options)
    assert marked(shop) == set()


def test_no_stream_and_a_stream_without_a_model_are_refused(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="name the streams whose history is to be replayed"):
        backfill_nothing(shop)
    del shop.lake.models["int_shop__customers"]
    with pytest.raises(ConfigError, match=r"there is no model models/processed/int_shop__customers.sql"):
        shop.backfill(ORDERS, CUSTOMERS)
    assert marked(shop) == set()


def backfill_nothing(shop: Shop) -> None:
    landing = RegisterPorts(shop.store, shop.lake.ledger, shop.lake.landing)
    ports = TransformPorts(shop.lake.ledger, shop.lake.transformer, shop.lake.landing)
    backfill([], landing, ports, BackfillOptions(WIDE), shop.context())


# Days


def back(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.mark.parametrize(
    ("days", "replayed"),
    [
        (DateRange(back(3), back(2)), {1, 2}),
        (DateRange(None, back(3)), {0, 1}),
        (DateRange(back(1)), {3, 4, 9}),
        (DateRange(back(0), back(0)), {4, 9}),
        (DateRange(date(2030, 1, 1)), set()),
    ],
)
@pytest.mark.parametrize("limits", [SMALL, WIDE], ids=["small", "wide"])
def test_days_are_merged_once_more_and_the_rest_stays(
    shop: Shop, days: DateRange, replayed: set[int], limits: BatchLimits
) -> None:
    shop.limits = limits
    before = shop.lake.cursors[MODEL]
    result = shop.backfill(days=days)
    assert result.exit_code is ExitCode.DONE
    # The same version takes effect, an older one does not: only the newest of record 9 does.
    assert (shop.table(MODEL), marked(shop)) == (EXPECTED, replayed)
    assert result.streams[0].rows == 2 * len(replayed - {9})
    after = shop.lake.cursors[MODEL]
    assert replace(after, version=before.version) == before
    assert (after.version > before.version) is bool(replayed)
    assert shop.lake.rebuilds == {}
    assert shop.transform().streams[0].batches == 0


def test_files_that_the_model_has_not_read_are_merged_first(shop: Shop) -> None:
    shop.land(ORDERS, "5_0", a_row(5))
    shop.register()
    result = shop.backfill(days=DateRange(back(4), back(4)))
    assert (shop.table(MODEL), marked(shop)) == ({**EXPECTED, 5: 1}, {0, 5})
    assert result.streams[0].rows == 3


def test_a_replay_that_failed_goes_on_where_it_stopped(shop: Shop) -> None:
    fail_at_step(shop, 2)
    assert shop.backfill(days=DateRange(back(3))).exit_code is ExitCode.UNREACHABLE
    assert marked(shop) == {1}
    shop.lake.on_call = nothing
    assert shop.backfill(days=DateRange(back(3))).streams[0].rows == 6
    assert (marked(shop), shop.lake.rebuilds) == ({1, 2, 3, 4, 9}, {})


def test_other_days_do_not_go_on_where_the_first_ones_stopped(shop: Shop) -> None:
    fail_at_step(shop, 2)
    shop.backfill(days=DateRange(back(2)))
    shop.lake.on_call = nothing
    assert marked(shop) == {2}
    shop.backfill(days=DateRange(None, back(3)))
    assert marked(shop) == {0, 1, 2}
    assert shop.backfill(days=DateRange(back(2))).streams[0].rows == 4


def test_a_replay_of_what_is_no_longer_so_begins_anew(shop: Shop) -> None:
    fail_at_step(shop, 2)
    shop.backfill(days=DateRange(back(4)))
    shop.lake.on_call = nothing
    shop.change_sql(MODEL, "2")
    shop.transform()
    shop.mark(MODEL, "newer")
    shop.backfill(days=DateRange(back(4)))
    assert set(shop.marks(MODEL).values()) == {"newer"}
    assert shop.lake.rebuilds == {}


def test_a_replay_whose_last_files_have_vanished_is_over(shop: Shop) -> None:
    fail_at_step(shop, 2)
    shop.backfill(days=DateRange(back(1)))
    shop.lake.on_call = nothing
    shop.store.delete(shop.lake.landed[ORDERS.id].files[4])
    shop.register()
    assert shop.backfill(days=DateRange(back(1))).streams[0].rows == 0
    assert shop.lake.rebuilds == {}


def test_days_without_files_leave_a_divided_rebuild_alone(shop: Shop) -> None:
    shop.backfill(shards=2, shard_index=0)
    under_way = dict(shop.lake.rebuilds)
    shop.backfill(days=DateRange(date(2030, 1, 1)))
    shop.backfill(days=DateRange(back(4), back(4)))
    assert (shop.lake.rebuilds, marked(shop)) == (under_way, {0})


def test_days_are_not_merged_into_what_other_sql_has_made(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.change_sql(MODEL, "2")
    shop.backfill(shards=2, shard_index=0)
    shop.backfill(days=DateRange(back(4)))
    assert "no day is replayed: the model is not up to date" in caplog.text
    assert (marked(shop), shop.lake.cursors[MODEL].model_hash[:2]) == (set(), "1-")
    shop.backfill(shards=2, shard_index=1)
    assert (marked(shop), shop.lake.cursors[MODEL].model_hash[:2]) == (set(EXPECTED), "2-")


def test_a_full_refresh_stream_without_a_complete_generation_has_nothing_to_replay() -> None:
    shop = Shop()
    old = shop.land(CATALOGUE, "1_0", a_row(1))
    shop.register(CATALOGUE)
    shop.transform(CATALOGUE)
    shop.now = NOW + timedelta(hours=8)
    shop.land(CATALOGUE, "2_0", a_row(2, 2, generation=2))
    shop.store.delete(old)
    shop.register(CATALOGUE)
    before = shop.lake.cursors["int_shop__catalogue"]
    shop.backfill(CATALOGUE, days=DateRange(back(9)))
    assert (shop.table("int_shop__catalogue"), shop.lake.cursors["int_shop__catalogue"]) == ({1: 1}, before)


def test_a_merge_in_between_makes_a_replay_plan_anew_and_many_of_them_do_not_end_it(shop: Shop) -> None:
    for number in range(10, 10 + 2 * ATTEMPTS):
        shop.land(ORDERS, f"{number}_0", a_row(number), day=-4)
    shop.register(full_sweep=True)
    shop.mark(MODEL, "old")
    shop.transform()
    shop.mark(MODEL, "new")
    shop.limits = replace(WIDE, max_files=1)

    def merge(count: int) -> None:
        if count % 2:
            shop.land(ORDERS, f"{count + 100}_0", a_row(count + 100))
            shop.register()
            shop.transform()

    shop.lake.on_call = at("before transformer.run", merge)
    assert shop.backfill(days=DateRange(back(4), back(4))).exit_code is ExitCode.DONE
    assert marked(shop) >= {0, *range(10, 10 + 2 * ATTEMPTS)}


@pytest.mark.parametrize("options", [{"days": DateRange(back(4))}, {"shards": 2}], ids=["days", "shards"])
def test_a_race_lost_every_time_ends_with_exit_4(shop: Shop, options: dict[str, Any]) -> None:
    lost = 0

    def lose(_: int) -> None:
        nonlocal lost
        lost += 1
        raise LostRaceError("another process was first")

    shop.lake.on_call = at("before transformer.run", lose)
    result = shop.backfill(**options)
    assert (lost, result.exit_code) == (ATTEMPTS, ExitCode.BUSY)
    assert result.errors[0].error.message.startswith("lost the race for the backfill of shop/orders 10 times")
    shop.lake.on_call = nothing
    shop.backfill(**options)
    shop.backfill(**options | ({"shard_index": 1} if "shards" in options else {}))
    assert (shop.table(MODEL), marked(shop)) == (EXPECTED, set(EXPECTED))


# Registering anew


def test_registering_anew_moves_the_epoch_and_rebuilds(shop: Shop) -> None:
    result = shop.backfill(reregister=True)
    assert (result.exit_code, shop.table(MODEL), marked(shop)) == (ExitCode.DONE, EXPECTED, set(EXPECTED))
    head = shop.lake.landed[ORDERS.id].head
    assert (head.seq, head.epoch) == (10, 1)
    assert (shop.lake.cursors[MODEL].epoch, shop.lake.cursors[MODEL].position) == (1, 10)
    assert len(shop.lake.landing_rows(ORDERS)) == 10
    assert shop.register().streams[0].batches == 0


def test_a_rebuild_that_was_resumed_is_not_registered_once_more(shop: Shop) -> None:
    fail_at_step(shop, 3)
    assert shop.backfill(reregister=True).exit_code is ExitCode.UNREACHABLE
    shop.lake.on_call = nothing
    result = shop.backfill(reregister=True)
    assert (shop.lake.landed[ORDERS.id].head.epoch, result.streams[0].rows) == (1, 6)
    assert shop.backfill(reregister=True).streams[0].rows == 10
    assert shop.lake.landed[ORDERS.id].head.epoch == 2


def test_a_rebuild_under_way_for_another_reason_does_not_stand_for_the_registration(shop: Shop) -> None:
    shop.change_sql(MODEL, "2")
    fail_at_step(shop, 3)
    shop.transform()
    shop.lake.on_call = nothing
    shop.backfill(reregister=True)
    assert shop.lake.landed[ORDERS.id].head.epoch == 1
    assert (shop.table(MODEL), marked(shop)) == (EXPECTED, set(EXPECTED))


def test_quarantined_files_get_another_chance(shop: Shop) -> None:
    path = shop.land(ORDERS, "7_0", a_row(7), columns={"total": "VARCHAR[]"})
    shop.register()
    assert [finding.subject for finding in shop.register().findings] == [path]
    wider = replace(ORDERS, fields=ORDERS.fields[:2])
    result = shop.backfill(wider, reregister=True)
    assert (result.exit_code, set(shop.table(MODEL))) == (ExitCode.DONE, {*EXPECTED, 7})


def test_an_object_that_is_gone_is_missing_unless_the_lake_has_a_copy_of_it() -> None:
    shop = Shop()
    copying = replace(ORDERS, landing="copy")
    copied = shop.land(copying, "1_0", a_row(1))
    shop.register(copying)
    gone, kept = shop.land(ORDERS, "2_0", a_row(2)), shop.land(ORDERS, "3_0", a_row(3))
    shop.land(ORDERS, "4_0")
    shop.store.put(f"{ORDERS.landing_path}/bad.parquet", b"PAR1")
    shop.register()
    for path in (gone, copied, f"{ORDERS.landing_path}/bad.parquet"):
        shop.store.delete(path)
    result = shop.backfill(reregister=True)
    statuses = {entry.file.path: entry.status.value for entry in shop.lake.ledger.load_entries(ORDERS)}
    assert [statuses[path] for path in (gone, kept, copied)] == ["missing", "registered", "copied"]
    assert shop.table(MODEL) == {1: 1, 3: 1}
    assert sorted(finding.kind for finding in result.findings) == ["missing", "quarantined"]


def test_a_registration_in_between_makes_it_plan_anew_reading_only_what_is_new(shop: Shop) -> None:
    inspected: list[int] = []
    inspect = shop.lake.landing.inspect

    def counting(files: Sequence[DataFile]) -> list[Footer | Unreadable]:
        inspected.append(len(files))
        return inspect(files)

    shop.limits = WIDE

    def come_between(count: int) -> None:
        if count == 1:
            shop.land(ORDERS, "7_0", a_row(7))
            shop.register()

    shop.lake.landing.inspect = counting  # type: ignore[method-assign]
    shop.lake.on_call = at("before landing.commit", come_between)
    assert shop.backfill(reregister=True).exit_code is ExitCode.DONE
    assert [count for count in inspected if count] == [5, 1, 1]
    assert shop.table(MODEL) == {**EXPECTED, 7: 1}
    assert len(shop.lake.landing_rows(ORDERS)) == 11
    assert shop.lake.landed[ORDERS.id].head.epoch == 1


def test_a_registration_lost_every_time_ends_with_exit_4(shop: Shop) -> None:
    def lose(_: int) -> None:
        raise LostRaceError("another process was first")

    shop.lake.on_call = at("before landing.commit", lose)
    result = shop.backfill(reregister=True)
    assert result.exit_code is ExitCode.BUSY
    assert result.errors[0].error.message == "lost the race for shop/orders 10 times; run the same command again"
    assert (shop.lake.landed[ORDERS.id].head.epoch, marked(shop)) == (0, set())


# Shards


def shard(shop: Shop, index: int, shards: int = 2, **options: Any) -> TransformResult:
    return shop.backfill(shards=shards, shard_index=index, **options)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 1, 0, 0, 2]])
def test_the_last_shard_publishes_them_all(shop: Shop, order: list[int]) -> None:
    for index in order[:-1]:
        shard(shop, index, 3)
        assert marked(shop) == set()
    shard(shop, order[-1], 3)
    assert (shop.table(MODEL), marked(shop)) == (EXPECTED, set(EXPECTED))
    assert (shop.lake.rebuilds, shop.lake.cursors[MODEL].position) == ({}, 5)
    assert shop.lake.tables["fct_orders"] == shop.lake.tables[MODEL]


def test_more_shards_than_files_and_none_at_all_come_to_an_end() -> None:
    shop = Shop()
    for index in range(3):
        shard(shop, index, 3)
    assert (shop.table(MODEL), shop.lake.rebuilds) == ({}, {})
    shop.land(ORDERS, "1_0", a_row(1))
    shop.register()
    for index in range(3):
        shard(shop, index, 3)
    assert (shop.table(MODEL), shop.lake.rebuilds) == ({1: 1}, {})


def test_a_shard_that_died_goes_on_where_it_stopped(shop: Shop) -> None:
    shard(shop, 0)
    fail_at_step(shop, 2)
    assert shop.backfill(shards=2, shard_index=1).exit_code is ExitCode.UNREACHABLE
    shop.lake.on_call = nothing
    assert shop.backfill(shards=2, shard_index=1).streams[0].rows == 4
    assert marked(shop) == set(EXPECTED)


@pytest.mark.parametrize("shards", [1, 3])
def test_another_division_is_refused_while_one_is_under_way_and_restart_begins_it(shop: Shop, shards: int) -> None:
    shard(shop, 0)
    result = shop.backfill(shards=shards)
    assert result.exit_code is ExitCode.USAGE
    assert "in 2 shards is under way: use --shards 2, or --restart" in result.errors[0].error.message
    shop.backfill(shards=shards, restart=True)
    for index in range(1, shards):
        shard(shop, index, shards)
    assert (marked(shop), shop.lake.rebuilds) == (set(EXPECTED), {})


@pytest.mark.parametrize("shards", [1, 3])
def test_a_division_of_what_is_no_longer_so_stands_in_nobodys_way(shop: Shop, shards: int) -> None:
    shard(shop, 0)
    shop.change_sql(MODEL, "2")
    for index in range(shards):
        shard(shop, index, shards)
    assert (marked(shop), shop.lake.rebuilds) == (set(EXPECTED), {})


def test_transform_merges_meanwhile_and_nothing_of_it_is_lost(shop: Shop) -> None:
    shard(shop, 0)
    shop.land(ORDERS, "7_0", a_row(7), a_row(0, 3))
    shop.register()
    shop.transform()
    assert shop.table(MODEL) == {**EXPECTED, 7: 1, 0: 3}
    shard(shop, 1)
    assert shop.table(MODEL) == {**EXPECTED, 7: 1, 0: 3}
    assert shop.lake.tables["fct_orders"] == shop.lake.tables[MODEL]
    assert shop.transform().streams[0].batches == 0


def test_transform_waits_for_a_divided_rebuild_of_changed_sql(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    shop.change_sql(MODEL, "2")
    shard(shop, 0)
    assert shop.transform().streams[0].batches == 0
    assert "waits for the backfill that is under way" in caplog.text
    shard(shop, 1)
    assert (marked(shop), shop.transform().streams[0].batches) == (set(EXPECTED), 0)


def test_transform_does_not_wait_for_a_divided_rebuild_of_what_is_no_longer_so(shop: Shop) -> None:
    shard(shop, 0)
    shop.change_sql(MODEL, "2")
    shop.transform()
    assert (marked(shop), shop.lake.rebuilds) == (set(EXPECTED), {})


def test_a_full_refresh_takes_a_divided_rebuild_over(shop: Shop) -> None:
    shard(shop, 0)
    shop.transform(full_refresh=True)
    assert (marked(shop), shop.lake.rebuilds) == (set(EXPECTED), {})


def test_an_overwritten_object_meanwhile_makes_the_rebuild_begin_anew(shop: Shop) -> None:
    shard(shop, 0)
    shop.store.put(shop.lake.landed[ORDERS.id].files[0], data_file([a_row(0, 7)]))
    assert shop.register(full_sweep=True).exit_code is ExitCode.FINDINGS
    shard(shop, 1)
    assert marked(shop) == set()
    shard(shop, 0)
    assert (shop.table(MODEL), marked(shop)) == ({**EXPECTED, 0: 7}, set(EXPECTED))
    assert shop.register().exit_code is ExitCode.DONE


def test_two_shards_that_both_find_all_done_publish_once(shop: Shop) -> None:
    version = shop.lake.cursors[MODEL].version
    shard(shop, 1)
    fail_at_step(shop, 3)
    shard(shop, 0)
    assert marked(shop) == set()
    # Shard 0 is done and was cut off before it published: now it and shard 1 come to that at once.
    published: list[bool] = []

    def come_between(_: int) -> None:
        if not published:
            published.append(True)
            shard(shop, 1)

    shop.lake.on_call = at("before transformer.run", come_between)
    assert shard(shop, 0).exit_code is ExitCode.DONE
    assert (marked(shop), shop.lake.rebuilds) == (set(EXPECTED), {})
    assert shop.lake.cursors[MODEL].version == version + 1


def test_the_same_shard_twice_at_once_comes_to_the_same(shop: Shop) -> None:
    shard(shop, 0)
    seen: list[int] = []

    def come_between(count: int) -> None:
        if count == 2 and not seen:
            seen.append(count)
            shard(shop, 1)

    shop.lake.on_call = at("before transformer.run", come_between)
    shard(shop, 1)
    assert seen
    assert (shop.table(MODEL), marked(shop), shop.lake.rebuilds) == (EXPECTED, set(EXPECTED), {})


def test_a_restart_elsewhere_makes_a_shard_join_the_new_rebuild(shop: Shop) -> None:
    seen: list[int] = []

    def come_between(count: int) -> None:
        if count == 2 and not seen:
            seen.append(count)
            shop.land(ORDERS, "7_0", a_row(7))
            shop.register()
            shard(shop, 1, restart=True)

    shop.lake.on_call = at("before transformer.run", come_between)
    shard(shop, 0)
    assert (marked(shop), shop.lake.rebuilds) == ({*EXPECTED, 7}, {})


def test_a_part_that_an_older_rebuild_left_is_begun_anew(shop: Shop) -> None:
    shard(shop, 0)
    rebuild, rows = shop.lake.rebuilds[MODEL, "shard_0"]
    shop.lake.rebuilds[MODEL, "shard_0"] = replace(rebuild, until=2, position=2), rows
    shard(shop, 1)
    assert marked(shop) == set()
    shard(shop, 0)
    assert (shop.table(MODEL), marked(shop), shop.lake.rebuilds) == (EXPECTED, set(EXPECTED), {})


def read_at(shop: Shop) -> dict[str, Any]:
    """What a sync reads, it writes soon after."""
    return {"_airbyte_extracted_at": f"{shop.now:%Y-%m-%dT%H:%M:%S}"}


def generations() -> Shop:
    shop = Shop()
    for part in range(2):
        shop.land(CATALOGUE, f"1_{part}", *(a_row(10 * part + key) for key in range(5)))
    shop.register(CATALOGUE)
    shop.transform(CATALOGUE)
    shop.now = NOW + timedelta(hours=8)
    return shop


def catalogue_shard(shop: Shop, index: int) -> TransformResult:
    return shop.backfill(CATALOGUE, shards=2, shard_index=index)


OLD = {*range(5), *range(10, 15)}


def test_shards_do_not_mix_two_generations() -> None:
    shop = generations()
    shop.land(CATALOGUE, "2_0", *(a_row(key, 20, generation=2) for key in range(20, 28)))
    shop.register(CATALOGUE)
    catalogue_shard(shop, 0)
    shop.now += timedelta(hours=8)
    catalogue_shard(shop, 1)
    assert set(shop.table("int_shop__catalogue")) == OLD
    catalogue_shard(shop, 0)
    assert set(shop.table("int_shop__catalogue")) == set(range(20, 28))
    assert shop.lake.rebuilds == {}


def test_shards_do_not_mix_namesakes_of_two_connections() -> None:
    shop = generations()
    catalogue_shard(shop, 0)
    shop.land(CATALOGUE, "2_0", *(a_row(key, 20, generation=2, **read_at(shop)) for key in range(20, 28)))
    shop.land(CATALOGUE, "3_0", *(a_row(key, 21, **read_at(shop)) for key in range(30, 38)))
    shop.register(CATALOGUE)
    shop.now += timedelta(hours=8)
    catalogue_shard(shop, 1)
    assert set(shop.table("int_shop__catalogue")) == OLD
    catalogue_shard(shop, 0)
    assert set(shop.table("int_shop__catalogue")) == set(range(30, 38))


def test_shards_leave_the_table_while_a_generation_is_held_back(caplog: pytest.LogCaptureFixture) -> None:
    shop = generations()
    shop.land(CATALOGUE, "2_0", a_row(20, 20, generation=2))
    shop.register(CATALOGUE)
    shop.now += timedelta(hours=8)
    for index in range(2):
        result = shop.backfill(CATALOGUE, shards=2, shard_index=index)
        assert [finding.kind for finding in result.findings] == ["held_back"]
    assert set(shop.table("int_shop__catalogue")) == OLD
    assert "int_shop__catalogue is not rebuilt: generation 2 has 1 rows" in caplog.text


def test_shards_leave_the_table_while_only_an_unsettled_generation_is_there(caplog: pytest.LogCaptureFixture) -> None:
    shop = generations()
    for entry in shop.lake.ledger.load_entries(CATALOGUE):
        shop.store.delete(entry.file.path)
    shop.land(CATALOGUE, "2_0", *(a_row(key, 20, generation=2) for key in range(20, 28)))
    shop.register(CATALOGUE)
    for index in range(2):
        catalogue_shard(shop, index)
    assert set(shop.table("int_shop__catalogue")) == OLD
    assert "is not rebuilt: its newest generation is not complete" in caplog.text


def test_a_rebuild_of_one_program_under_way_is_gone_on_with_or_refused(shop: Shop) -> None:
    fail_at_step(shop, 3)
    shop.backfill()
    shop.lake.on_call = nothing
    assert shop.backfill(shards=2).exit_code is ExitCode.USAGE
    assert shop.backfill().streams[0].rows == 6
