"""`transform`: processed tables follow the log in bounded steps, enriched ones follow them, then tests run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from lotuslake.core.errors import (
    ConfigError,
    ExitCode,
    LostRaceError,
    ModelError,
    StopRequestedError,
    UnreachableError,
)
from lotuslake.core.head import Head
from lotuslake.core.retry import ATTEMPTS
from lotuslake.core.transform_plan import Rebuild
from lotuslake.ports.landing import RegisterBatch
from lotuslake.testing import Call, DataTest, data_file, enriched
from tests.support.lake import CATALOGUE, CUSTOMERS, NOW, ORDERS, WIDE, Shop, a_row, at

MODEL = "int_shop__orders"
SMALL = replace(WIDE, max_rows=2)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    for number in range(5):
        shop.land(ORDERS, f"{number}_0", a_row(number), a_row(9, number + 1))
    shop.register()
    return shop


EXPECTED = {0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 9: 5}


@pytest.fixture
def modes(shop: Shop) -> list[str]:
    """Modes of the steps that were committed, with the model's name."""
    return watch(shop)


def watch(shop: Shop) -> list[str]:
    seen: list[str] = []
    run = shop.lake.transformer._commit

    def commit(step: object, rows: object) -> None:
        run(step, rows)  # type: ignore[arg-type]
        seen.append(f"{step.mode} {step.model}")  # type: ignore[attr-defined]

    shop.lake.transformer._commit = commit  # type: ignore[method-assign]
    return seen


def processed_modes(modes: list[str]) -> list[str]:
    taken = [mode.split()[0] for mode in modes if MODEL in mode]
    modes.clear()
    return taken


def new_epoch(shop: Shop) -> None:
    """As a registration that found an object overwritten leaves it."""
    landed = shop.lake.landed[ORDERS.id]
    batch = RegisterBatch(ORDERS, "b", "r", landed.head, (), standing=tuple(landed.log), rewrite=True, new_epoch=True)
    shop.lake.landing.commit(batch)


def test_a_history_that_fits_one_batch_is_replaced(shop: Shop, modes: list[str]) -> None:
    result = shop.transform()
    assert shop.table(MODEL) == EXPECTED
    assert processed_modes(modes) == ["replace"]
    (stream,) = result.streams
    assert (stream.batches, stream.rows, stream.models) == (1, 10, (MODEL, "fct_orders"))
    assert (result.exit_code, result.finished) == (ExitCode.DONE, True)


def test_a_longer_one_is_appended_beside_the_live_table_and_published(shop: Shop, modes: list[str]) -> None:
    shop.limits = SMALL
    result = shop.transform()
    assert shop.table(MODEL) == EXPECTED
    assert processed_modes(modes) == [*["append"] * 5, "publish"]
    assert shop.lake.rebuilds == {}
    assert result.streams[0].rows == 10


def test_what_comes_later_is_merged_and_an_older_version_never_wins(shop: Shop, modes: list[str]) -> None:
    shop.transform()
    modes.clear()
    shop.land(ORDERS, "5_0", a_row(0, 7), a_row(9, 2))
    shop.land(ORDERS, "6_0", a_row(9, 6))
    shop.register()
    shop.limits = SMALL
    shop.transform()
    assert shop.table(MODEL) == {**EXPECTED, 0: 7, 9: 6}
    assert processed_modes(modes) == ["merge", "merge"]


def test_nothing_new_means_no_step_at_all(shop: Shop, modes: list[str]) -> None:
    shop.transform()
    modes.clear()
    result = shop.transform()
    assert (modes, result.streams[0].batches, result.streams[0].models) == ([], 0, ())


def test_files_without_rows_need_no_step(shop: Shop, modes: list[str]) -> None:
    shop.transform()
    modes.clear()
    shop.land(ORDERS, "empty_0")
    shop.store.put(f"{ORDERS.landing_path}/bad.parquet", b"PAR1")
    shop.register()
    assert shop.transform().exit_code is ExitCode.FINDINGS
    assert modes == []
    shop.land(ORDERS, "7_0", a_row(7))
    shop.register()
    shop.transform()
    assert processed_modes(modes) == ["merge"]
    assert shop.lake.cursors[MODEL].position == shop.lake.landed[ORDERS.id].head.seq


def test_a_stream_without_files_gets_an_empty_table_so_that_others_can_read_it() -> None:
    shop = Shop()
    assert shop.transform(ORDERS, CUSTOMERS).exit_code is ExitCode.DONE
    assert (shop.table(MODEL), shop.lake.tables["agg_days"]) == ({}, [{"orders": 0, "customers": 0}])


@pytest.mark.parametrize("limits", [WIDE, SMALL])
def test_changed_sql_rebuilds_the_table(shop: Shop, modes: list[str], limits: object) -> None:
    shop.transform()
    modes.clear()
    shop.limits = limits  # type: ignore[assignment]
    shop.change_sql(MODEL, "2")
    shop.transform()
    assert shop.table(MODEL) == EXPECTED
    assert processed_modes(modes) == (["replace"] if limits is WIDE else [*["append"] * 5, "publish"])
    assert shop.transform().streams[0].batches == 0


def test_a_new_epoch_rebuilds_the_table(shop: Shop, modes: list[str]) -> None:
    shop.transform()
    modes.clear()
    new_epoch(shop)
    shop.transform()
    assert processed_modes(modes) == ["replace"]
    assert shop.lake.cursors[MODEL].epoch == 1
    assert shop.transform().streams[0].batches == 0


def test_full_refresh_rebuilds_once_what_is_up_to_date(shop: Shop, modes: list[str]) -> None:
    shop.transform()
    modes.clear()
    assert shop.transform(full_refresh=True).streams[0].models == (MODEL, "fct_orders")
    assert processed_modes(modes) == ["replace"]


def fail_at_step(shop: Shop, number: int) -> None:
    def fail(count: int) -> None:
        if count == number:
            raise UnreachableError("the catalog does not answer")

    shop.lake.on_call = at("before transformer.run", fail)


def test_a_rebuild_that_failed_goes_on_where_it_stopped(shop: Shop, modes: list[str]) -> None:
    shop.limits = SMALL
    fail_at_step(shop, 4)
    broken = shop.transform()
    assert (broken.exit_code, broken.finished, broken.findings) == (ExitCode.UNREACHABLE, False, ())
    assert (processed_modes(modes), MODEL in shop.lake.tables) == (["append"] * 3, False)

    shop.lake.on_call = lambda _: None
    shop.land(ORDERS, "5_0", a_row(5))
    shop.register()
    shop.transform()
    assert processed_modes(modes) == [*["append"] * 3, "publish"]
    assert shop.table(MODEL) == {**EXPECTED, 5: 1}


@pytest.mark.parametrize("stopped_before", [1, 2, 6])
def test_a_rebuild_under_way_ends_whatever_the_bounds_are_by_then(
    shop: Shop, modes: list[str], stopped_before: int
) -> None:
    shop.limits = SMALL
    fail_at_step(shop, stopped_before)
    shop.transform()
    shop.lake.on_call = lambda _: None
    shop.limits = WIDE
    modes.clear()
    assert shop.transform().finished
    assert processed_modes(modes)[-1] == "publish"
    assert (shop.table(MODEL), shop.lake.rebuilds) == (EXPECTED, {})


@pytest.mark.parametrize("change", [lambda shop: shop.change_sql(MODEL, "2"), new_epoch], ids=["sql", "epoch"])
@pytest.mark.parametrize("limits", [WIDE, SMALL], ids=["wide", "small"])
def test_a_rebuild_of_what_is_no_longer_so_begins_anew_and_ends(
    shop: Shop, modes: list[str], change: Callable[[Shop], None], limits: object
) -> None:
    shop.limits = SMALL
    fail_at_step(shop, 3)
    shop.transform()
    shop.lake.on_call = lambda _: None
    change(shop)
    shop.limits = limits  # type: ignore[assignment]
    modes.clear()
    assert shop.transform().finished
    assert processed_modes(modes)[-1] == "publish"
    assert (shop.table(MODEL), shop.lake.rebuilds) == (EXPECTED, {})
    assert shop.transform().streams[0].batches == 0


def test_a_rebuild_of_nothing_that_has_begun_ends_with_an_empty_table() -> None:
    shop = Shop()
    shop.lake.rebuilds[MODEL, ""] = Rebuild(0, 0, 0, "1"), []
    assert shop.transform().finished
    assert (shop.table(MODEL), shop.lake.rebuilds) == ({}, {})


def test_another_run_that_moves_the_model_makes_this_one_plan_anew(shop: Shop, modes: list[str]) -> None:
    shop.limits = SMALL

    def come_between(count: int) -> None:
        if count in (2, 4):
            shop.transform()

    shop.lake.on_call = at("before transformer.run", come_between)
    assert shop.transform().exit_code is ExitCode.DONE
    assert shop.table(MODEL) == EXPECTED
    assert processed_modes(modes).count("publish") == 1


@pytest.mark.parametrize("moment", ["before transformer.run", "before transformer.begin_rebuild"])
def test_a_race_lost_every_time_ends_with_exit_4(shop: Shop, moment: str) -> None:
    shop.limits = SMALL
    lost = 0

    def lose(_: int) -> None:
        nonlocal lost
        lost += 1
        raise LostRaceError("another process was first")

    shop.lake.on_call = at(moment, lose)
    result = shop.transform()
    assert (lost, result.exit_code, result.finished) == (ATTEMPTS, ExitCode.BUSY, False)
    assert result.errors[0].error.message.startswith(f"lost the race for {MODEL} 10 times")
    shop.lake.on_call = lambda _: None
    shop.transform()
    assert shop.table(MODEL) == EXPECTED


def test_a_model_that_does_not_build_leaves_other_streams_alone(shop: Shop) -> None:
    shop.land(CUSTOMERS, "1_0", a_row(1))
    shop.register(CUSTOMERS)
    shop.lake.models[MODEL] = replace(shop.lake.models[MODEL], select=lambda row: {"id": row["no such column"]})
    result = shop.transform(ORDERS, CUSTOMERS)
    assert [(item.stream, item.error.code) for item in result.errors] == [("shop/orders", "model")]
    assert (result.exit_code, shop.table("int_shop__customers")) == (ExitCode.FINDINGS, {1: 1})


def test_a_model_that_fails_is_a_finding_until_it_builds(shop: Shop) -> None:
    right = shop.lake.models[MODEL]
    shop.lake.models[MODEL] = replace(right, select=lambda row: {"id": row["no such column"]})
    for _ in range(2):
        (finding,) = shop.transform().findings
        assert (finding.kind, finding.subject) == ("model", MODEL)
        assert [one.kind for one in shop.check().findings] == ["model"]
    shop.lake.models[MODEL] = right
    assert shop.transform().exit_code is ExitCode.DONE
    assert (shop.transform().findings, shop.check().findings) == ((), ())


def test_a_failed_enriched_model_is_a_finding_of_every_stream_above_it(shop: Shop) -> None:
    shop.transform(ORDERS, CUSTOMERS)
    right = shop.lake.models["agg_days"]
    shop.lake.models["agg_days"] = enriched("agg_days", right.model.upstreams, lambda tables: tables["gone"], hash="2")
    result = shop.transform(ORDERS, CUSTOMERS)
    assert {(one.kind, one.stream, one.subject) for one in result.findings} == {
        ("model", "shop/orders", "agg_days"),
        ("model", "shop/customers", "agg_days"),
    }
    shop.lake.models["agg_days"] = right
    assert shop.transform(CUSTOMERS).findings == ()
    assert shop.transform(ORDERS, CUSTOMERS).exit_code is ExitCode.DONE


def test_a_stream_without_a_model_is_left_out_with_a_warning(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    del shop.lake.models[MODEL], shop.lake.models["fct_orders"], shop.lake.models["agg_days"]
    assert shop.transform().exit_code is ExitCode.DONE
    assert f"there is no model models/processed/{MODEL}.sql yet" in caplog.text


def test_time_that_is_up_leaves_enriched_models_and_tests_for_next_time(shop: Shop) -> None:
    shop.lake.tests.append(DataTest("none", "fct_orders", lambda rows: rows))
    shop.limits = SMALL
    answers = iter([False] * 7 + [True])
    result = shop.transform(should_end=lambda: next(answers))
    assert (result.finished, result.exit_code, result.tests) == (False, ExitCode.DONE, ())
    assert shop.table(MODEL) == EXPECTED
    assert "fct_orders" not in shop.lake.tables
    again = shop.transform()
    assert (again.streams[0].batches, again.streams[0].models) == (0, ("fct_orders",))
    assert [test.status for test in again.tests] == ["fail"]


def test_time_that_is_up_in_a_rebuild_is_made_up_next_time(shop: Shop, modes: list[str]) -> None:
    shop.limits = SMALL
    for _ in range(3):
        answers = iter([False, False, True])
        assert not shop.transform(should_end=lambda answers=answers: next(answers)).finished  # type: ignore[misc]
    assert processed_modes(modes) == [*["append"] * 5, "publish"]
    assert shop.transform().finished


@pytest.mark.parametrize("asked_at", [2, 3])
def test_a_stop_signal_ends_between_steps_or_between_models(shop: Shop, asked_at: int) -> None:
    asked = 0

    def should_end() -> bool:
        nonlocal asked
        asked += 1
        if asked == asked_at:
            raise StopRequestedError(ExitCode.TERMINATED)
        return False

    result = shop.transform(should_end=should_end)
    assert (result.exit_code, result.finished) == (143, False)
    assert (shop.table(MODEL), "fct_orders" in shop.lake.tables) == (EXPECTED, False)
    assert shop.transform().streams[0].models == ("fct_orders",)


def test_an_enriched_model_is_built_when_and_only_when_it_is_stale(shop: Shop, modes: list[str]) -> None:
    shop.transform(ORDERS, CUSTOMERS)
    assert shop.lake.tables["agg_days"] == [{"orders": 6, "customers": 0}]
    modes.clear()
    shop.transform(ORDERS, CUSTOMERS)
    assert modes == []
    shop.land(ORDERS, "7_0", a_row(7))
    shop.register()
    assert shop.transform().streams[0].models == (MODEL, "fct_orders", "agg_days")
    assert shop.lake.tables["agg_days"] == [{"orders": 7, "customers": 0}]
    shop.change_sql("agg_days", "2")
    modes.clear()
    assert shop.transform(CUSTOMERS).streams[0].models == ("agg_days",)
    assert modes == ["enriched agg_days"]


def test_a_model_waits_for_an_upstream_that_was_never_built(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.transform()
    assert "fct_orders" in shop.lake.tables
    assert "agg_days" not in shop.lake.tables
    assert "agg_days waits for int_shop__customers: transform its source first" in caplog.text
    shop.transform(CUSTOMERS)
    assert shop.lake.tables["agg_days"] == [{"orders": 6, "customers": 0}]


def test_a_run_killed_before_the_enriched_models_is_made_up_by_the_next(shop: Shop) -> None:
    fail_at_step(shop, 2)
    assert shop.transform().exit_code is ExitCode.UNREACHABLE
    assert (shop.table(MODEL), "fct_orders" in shop.lake.tables) == (EXPECTED, False)
    shop.lake.on_call = lambda _: None
    assert shop.transform().streams[0].models == ("fct_orders",)


def test_an_enriched_model_that_does_not_build_holds_up_its_readers_alone(shop: Shop) -> None:
    def divide(_: object) -> list[dict[str, object]]:
        raise ZeroDivisionError

    shop.lake.models["fct_orders"] = enriched("fct_orders", [MODEL], divide)
    shop.lake.models["zzz"] = enriched("zzz", [MODEL], lambda tables: tables[MODEL])
    shop.lake.tests.append(DataTest("good", "zzz", lambda rows: []))
    result = shop.transform(ORDERS, CUSTOMERS)
    assert result.exit_code is ExitCode.FINDINGS
    assert [item.error.message for item in result.errors] == ["model fct_orders does not build: ZeroDivisionError()"]
    assert (len(shop.lake.tables["zzz"]), "agg_days" in shop.lake.tables) == (6, False)
    assert [test.test for test in result.tests] == ["good"]


@pytest.mark.parametrize(("defeats", "code"), [(3, ExitCode.DONE), (ATTEMPTS, ExitCode.BUSY)])
def test_a_race_for_an_enriched_model_is_run_again(shop: Shop, defeats: int, code: ExitCode) -> None:
    def lose(count: int) -> None:
        if 2 <= count < 2 + defeats:
            raise LostRaceError("another process was first")

    shop.lake.on_call = at("before transformer.run", lose)
    assert shop.transform(full_refresh=True).exit_code is code
    assert ("fct_orders" in shop.lake.tables) == (code is ExitCode.DONE)


def test_what_another_process_built_meanwhile_is_not_built_again(shop: Shop, modes: list[str]) -> None:
    def come_between(count: int) -> None:
        if count == 2:
            shop.transform()

    shop.lake.on_call = at("before transformer.run", come_between)
    assert shop.transform(full_refresh=True).streams[0].models == (MODEL,)
    assert modes.count("enriched fct_orders") == 1


def test_data_tests_run_once_a_version_and_a_failing_one_is_a_finding_until_it_passes(shop: Shop) -> None:
    seen: list[int] = []

    def too_many(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        seen.append(len(rows))
        return rows if len(rows) < 7 else []

    shop.lake.tests.append(DataTest("enough_orders", "fct_orders", too_many))
    first = shop.transform()
    assert [(test.test, test.status, test.failures, test.streams) for test in first.tests] == [
        ("enough_orders", "fail", 6, ("shop/orders",))
    ]
    assert first.exit_code is ExitCode.FINDINGS
    assert [finding.reason for finding in first.findings] == ["data test fail, 6 rows"]

    second = shop.transform()
    assert (second.tests, second.exit_code, seen) == ((), ExitCode.FINDINGS, [6])

    shop.land(ORDERS, "7_0", a_row(7))
    shop.register()
    third = shop.transform()
    assert ([test.status for test in third.tests], third.exit_code) == (["pass"], ExitCode.DONE)


def test_skipped_tests_are_made_up_later(shop: Shop) -> None:
    shop.lake.tests.append(DataTest("none", MODEL, lambda rows: rows))
    assert shop.transform(skip_tests=True).exit_code is ExitCode.DONE
    assert shop.transform().exit_code is ExitCode.FINDINGS


def test_select_builds_and_tests_what_it_names_and_nothing_else(shop: Shop, modes: list[str]) -> None:
    shop.lake.tests += [DataTest(f"rows of {name}", name, lambda rows: []) for name in (MODEL, "fct_orders")]
    shop.transform(select=("int_*",))
    assert modes == [f"replace {MODEL}"]
    modes.clear()
    shop.change_sql(MODEL, "2")
    result = shop.transform(select=("fct_*",))
    assert (modes, [test.test for test in result.tests]) == (["enriched fct_orders"], ["rows of fct_orders"])


def test_a_pattern_that_names_no_model_is_refused(shop: Shop, modes: list[str]) -> None:
    with pytest.raises(ConfigError, match="--select dim_x: no model has such a name"):
        shop.transform(select=("fct_orders", "dim_x"))
    assert modes == []


# Full-refresh streams show their newest complete generation.

SYNC = 8  # Hours between syncs; settle_after is two.


def sync(
    shop: Shop, generation: int, *keys: int, part: int = 0, version: int | None = None, hours_late: int = 0
) -> str:
    # What a sync reads, it writes soon after, as a rule.
    at = shop.now + timedelta(minutes=generation, hours=-hours_late)
    read_at = {"_airbyte_extracted_at": f"{at:%Y-%m-%dT%H:%M:%S}"}
    rows = [a_row(key, version or generation, generation=generation, **read_at) for key in keys]
    path = shop.land(CATALOGUE, f"{generation}_{version or generation}_{part}", *rows)
    shop.register(CATALOGUE)
    return path


def shown(shop: Shop) -> set[int]:
    shop.transform(CATALOGUE)
    return set(shop.table("int_shop__catalogue"))


def test_the_first_generation_is_shown_as_it_comes() -> None:
    shop = Shop()
    sync(shop, 1, 1, 2)
    assert shown(shop) == {1, 2}
    sync(shop, 1, 3, part=1)
    assert shown(shop) == {1, 2, 3}


def test_a_new_generation_is_shown_when_it_has_settled_and_what_it_lacks_is_gone() -> None:
    shop = Shop()
    sync(shop, 1, 1, 2)
    shown(shop)
    shop.now = NOW + timedelta(hours=SYNC)
    sync(shop, 2, 2, 3)
    assert shown(shop) == {1, 2}
    shop.now += CATALOGUE.settle_after - timedelta(seconds=1)
    assert shown(shop) == {1, 2}
    shop.now += timedelta(seconds=1)
    assert shown(shop) == {2, 3}


def test_a_generation_that_is_shown_stays_and_takes_in_the_files_that_follow() -> None:
    shop = Shop()
    sync(shop, 1, 1, 2)
    shown(shop)
    shop.now += timedelta(hours=SYNC)
    sync(shop, 2, 2, 3)
    shop.now += timedelta(hours=SYNC)
    assert shown(shop) == {2, 3}
    sync(shop, 2, 4, part=1, hours_late=SYNC)
    modes = watch(shop)
    assert shown(shop) == {2, 3, 4}
    assert modes == ["merge int_shop__catalogue"]
    modes.clear()
    assert shown(shop) == {2, 3, 4}
    assert modes == []


def test_an_overwriting_destination_waits_until_the_older_objects_are_gone() -> None:
    stream = replace(CATALOGUE, destination_sync_mode="overwrite")
    shop = Shop()
    old = sync(shop, 1, 1, 2)
    shown(shop)
    shop.now += timedelta(hours=SYNC)
    sync(shop, 2, 2, 3)
    shop.now += timedelta(hours=SYNC)
    shop.transform(stream)
    assert set(shop.table("int_shop__catalogue")) == {1, 2}
    withdraw(shop, old)
    shop.transform(stream)
    assert set(shop.table("int_shop__catalogue")) == {2, 3}


def withdraw(shop: Shop, path: str) -> None:
    """As a registration that found an object vanished leaves it."""
    from lotuslake.core.data_file import FileStatus

    shop.store.delete(path)
    head = shop.lake.ledger.load_head(CATALOGUE)
    (entry,) = [entry for entry in shop.lake.ledger.load_entries(CATALOGUE) if entry.file.path == path]
    gone = replace(entry, status=FileStatus.MISSING)
    shop.lake.landing.commit(RegisterBatch(CATALOGUE, "b", "r", head, (), withdrawn=(gone,)))


def test_while_only_an_unsettled_generation_is_left_the_table_stays_as_it_is() -> None:
    shop = Shop()
    old = sync(shop, 1, 1, 2)
    shown(shop)
    shop.now += timedelta(hours=SYNC)
    sync(shop, 2, 2, 3)
    withdraw(shop, old)
    shop.change_sql("int_shop__catalogue", "2")
    assert shown(shop) == {1, 2}
    shop.now += timedelta(hours=SYNC)
    assert shown(shop) == {2, 3}


def test_when_every_file_has_vanished_the_table_stays_as_it_is() -> None:
    shop = Shop()
    path = sync(shop, 1, 1, 2)
    shown(shop)
    withdraw(shop, path)
    assert shown(shop) == {1, 2}


def test_generation_ids_that_begin_again_do_not_mix_two_connections() -> None:
    shop = Shop()
    sync(shop, 1, 1, 2)
    sync(shop, 2, 1, 2)
    shop.now += timedelta(hours=SYNC)
    assert shown(shop) == {1, 2}
    for generation in (1, 2):
        sync(shop, generation, 3, version=20 + generation)
    shop.now += timedelta(hours=SYNC)
    assert shown(shop) == {3}


def test_a_rebuild_under_way_of_a_namesake_generation_is_begun_anew() -> None:
    shop = Shop(limits=replace(WIDE, max_rows=1))
    sync(shop, 1, 1)
    sync(shop, 2, 1)
    sync(shop, 2, 2, part=1)
    shop.now += timedelta(hours=SYNC)
    fail_at_step(shop, 2)
    shop.transform(CATALOGUE)
    assert shop.lake.rebuilds["int_shop__catalogue", ""][0].position == 2
    shop.lake.on_call = lambda _: None
    for generation in (1, 2):
        sync(shop, generation, 3, version=20 + generation)
    shop.now += timedelta(hours=SYNC)
    assert shown(shop) == {3}


def shrink(shop: Shop) -> None:
    """A generation of ten rows is shown, and one of two has settled behind it."""
    sync(shop, 1, *range(10))
    assert shown(shop) == set(range(10))
    shop.now += timedelta(hours=SYNC)
    sync(shop, 2, 1, 2)
    shop.now += timedelta(hours=SYNC)


def test_a_generation_that_shrank_too_far_is_held_back_until_it_is_accepted() -> None:
    shop = Shop()
    shrink(shop)
    result = shop.transform(CATALOGUE)
    assert set(shop.table("int_shop__catalogue")) == set(range(10))
    assert result.exit_code is ExitCode.FINDINGS
    (finding,) = result.findings
    assert finding.kind == "held_back"
    assert "generation 2 has 2 rows, the table shows 10" in finding.reason
    shop.lake.ledger.accept(result.findings, "a smaller range", by="ana", now=shop.now)
    assert shown(shop) == {1, 2}
    assert shop.transform(CATALOGUE).exit_code is ExitCode.DONE


def test_a_fall_within_max_shrink_is_shown() -> None:
    shop = Shop()
    sync(shop, 1, 1, 2, 3, 4)
    shown(shop)
    shop.now += timedelta(hours=SYNC)
    sync(shop, 2, 1, 2)
    shop.now += timedelta(hours=SYNC)
    assert shown(shop) == {1, 2}


@pytest.mark.parametrize("asked", ["sql", "full refresh"])
def test_while_a_generation_is_held_back_nothing_rebuilds_the_table_from_it_or_from_nothing(asked: str) -> None:
    shop = Shop()
    shrink(shop)
    if asked == "sql":
        shop.change_sql("int_shop__catalogue", "2")
    result = shop.transform(CATALOGUE, full_refresh=asked == "full refresh")
    assert set(shop.table("int_shop__catalogue")) == set(range(10))
    assert [finding.kind for finding in result.findings] == ["held_back"]


def test_a_larger_generation_closes_the_finding_of_the_one_held_back() -> None:
    shop = Shop()
    shrink(shop)
    shop.transform(CATALOGUE)
    sync(shop, 3, *range(12))
    shop.now += timedelta(hours=SYNC)
    assert shown(shop) == set(range(12))
    assert shop.transform(CATALOGUE).findings == ()


def test_a_truncating_refresh_of_an_incremental_stream_replaces_what_was_there() -> None:
    shop = Shop()
    old = shop.land(ORDERS, "1_0", *(a_row(key) for key in (1, 2, 3)))
    shop.register()
    shop.transform()
    shop.now += timedelta(hours=SYNC)
    shop.store.delete(old)
    shop.land(ORDERS, "2_0", *(a_row(key, 2, generation=2) for key in (2, 3)))
    assert shop.register().exit_code is ExitCode.DONE
    shop.transform()
    assert set(shop.table(MODEL)) == {1, 2, 3}
    shop.now += timedelta(hours=SYNC)
    shop.transform()
    assert shop.table(MODEL) == {2: 2, 3: 2}


def test_an_overwritten_object_is_a_finding_until_the_rebuild_is_done(shop: Shop) -> None:
    shop.transform()
    shop.store.put(shop.lake.landed[ORDERS.id].files[0], data_file([a_row(0, 8)]))
    assert [finding.kind for finding in shop.register().findings] == ["overwritten"]
    result = shop.transform()
    assert (shop.table(MODEL), result.exit_code) == ({**EXPECTED, 0: 8}, ExitCode.DONE)


def test_hooks_see_calls_before_and_after() -> None:
    shop = Shop()
    seen: list[Call] = []
    shop.lake.on_call = seen.append
    assert shop.lake.ledger.load_head(ORDERS) == Head()
    assert seen == [Call("ledger.load_head", "before"), Call("ledger.load_head", "after")]


def test_an_error_of_the_enriched_phase_names_the_model(shop: Shop) -> None:
    def refuse(count: int) -> None:
        if count == 2:
            raise ModelError("model fct_orders does not build", stream=None)

    shop.lake.on_call = at("before transformer.run", refuse)
    result = shop.transform()
    assert [(item.stream, item.error.code) for item in result.errors] == [(None, "model")]
