"""Two and four programs on one stream: one winner a step, the others go on from there, and no file comes in twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fault_lake import STREAM_FILE, Item, ServiceLake, items, path_of
from tests.support.killing import Hold, Moment, Running
from tests.support.tally import count

BACKFILL = ("backfill", "shop/items", "--shards", "2", "--shard-index")


def finish(processes: list[Running], *, expect: tuple[int, ...] = (0, 5)) -> None:
    """Await them all; each ends well."""
    ended = [process.wait() for process in processes]
    count("races", len(processes) - 1)
    wrong = [one for one in ended if one.exit_code not in expect]
    assert not wrong, [(one.exit_code, one.stderr[-1500:]) for one in wrong]


def break_locks(lake: ServiceLake) -> None:
    """Cut the connections that hold advisory locks, which only spare work: nothing depends on them."""
    with lake.postgres.admin() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lotuslake' AND datname = %s",
            [lake.url.rpartition("/")[2]],
        )


def deliver(lake: ServiceLake, first: int, files: int = 8) -> None:
    for number in range(first, first + files):
        lake.put(path_of(f"file_{number}"), [Item(1, number), *items(10 * number, 3)])
    lake.put_bad(path_of(f"bad_{first}"))


def test_four_programs_begin_on_an_empty_lake(service_lake: ServiceLake) -> None:
    lake = service_lake
    deliver(lake, 1)
    finish([lake.start("register") for _ in range(4)])
    lake.check_landing()
    finish([lake.start("transform") for _ in range(4)])
    deliver(lake, 20)
    finish([lake.start(command) for command in ("register", "transform", "register", "transform")])
    lake.settle()
    lake.check()


def test_two_registrars_have_planned_the_same_files(service_lake: ServiceLake, tmp_path: Path) -> None:
    """The lock does not help here: one of them stands still with its plan while the other takes all."""
    lake = service_lake
    deliver(lake, 1)
    lake.settle()
    deliver(lake, 20)
    hold = Hold(tmp_path)
    slow = lake.start(
        "register",
        moment=Moment("planned", function="lotuslake.commands.ingest_check:plan_registration", when="after"),
        hold=hold,
    )
    hold.wait_until_reached(slow.process)
    break_locks(lake)
    quick = lake.start("register")
    quick.wait()
    hold.go_on.touch()
    finish([slow, quick])
    lake.settle()
    lake.check()


def test_a_transform_is_overtaken(service_lake: ServiceLake, tmp_path: Path) -> None:
    lake = service_lake
    deliver(lake, 1)
    lake.settle()
    deliver(lake, 20)
    lake.run("register")
    hold = Hold(tmp_path)
    slow = lake.start("transform", moment=Moment("inside", "merge into", when="after"), hold=hold)
    hold.wait_until_reached(slow.process)
    break_locks(lake)
    quick = lake.start("transform", "--full-refresh")
    quick.wait()
    hold.go_on.touch()
    finish([slow, quick])
    lake.settle()
    lake.check()


def test_register_and_transform_beside_maintenance(service_lake: ServiceLake) -> None:
    lake = service_lake
    deliver(lake, 1)
    lake.settle()
    deliver(lake, 20)
    before = lake.raw()
    finish([lake.start("register"), lake.start("maintain"), lake.start("transform"), lake.start("maintain")])
    lake.settle()
    lake.check()
    assert lake.raw() == before


@pytest.mark.long
def test_register_beside_a_field_that_is_added(service_lake: ServiceLake, tmp_path: Path) -> None:
    """One program still has the old stream file, the other the new one."""
    lake = service_lake
    deliver(lake, 1)
    lake.settle()
    deliver(lake, 20)
    hold = Hold(tmp_path)
    old = lake.start("register", moment=Moment("added", "ducklake_add_data_files"), hold=hold)
    hold.wait_until_reached(old.process)
    break_locks(lake)
    stream_file = lake.root / "streams" / "shop" / "items.yml"
    stream_file.write_text(STREAM_FILE + "  note: {type: string}\n")
    new = lake.start("register")
    new.wait()
    hold.go_on.touch()
    finish([old, new])
    lake.settle()
    lake.check()
    lake.run("backfill", "shop/items", "--reregister")
    notes = lake.rows("SELECT count(*) FROM landing.stg_shop__items WHERE note IS DISTINCT FROM 'note ' || id")
    assert notes == [(0,)]
    lake.settle()
    lake.check()


@pytest.mark.parametrize(
    "indexes", [(0, 1), pytest.param((0, 1, 1, 0), marks=pytest.mark.long)], ids=["two_shards", "each_shard_twice"]
)
def test_shards_of_a_backfill(service_lake: ServiceLake, indexes: tuple[int, ...]) -> None:
    lake = service_lake
    deliver(lake, 1)
    lake.settle()
    finish([lake.start(*BACKFILL, str(index)) for index in indexes])
    if len(indexes) > 2:
        # One that came after the publication has begun a new backfill: its twin ends it.
        finish([lake.start(*BACKFILL, str(index)) for index in (0, 1)])
        lake.run("backfill", "shop/items", "--restart")
    lake.settle()
    lake.check()


@pytest.mark.long
@pytest.mark.parametrize("number", range(6))
def test_everything_at_once(service_lake: ServiceLake, number: int) -> None:
    lake = service_lake
    deliver(lake, 1)
    lake.settle()
    for round_ in range(2):
        deliver(lake, 20 + 20 * round_)
        lake.put(path_of("file_1"), items(10, 3, 100 + round_))
        commands = [("register",), ("transform",), ("maintain",), ("register", "--full-sweep"), ("transform",)]
        # A program that lost more often than it may says so with 4; nothing is lost by it.
        finish([lake.start(*command) for command in commands], expect=(0, 4, 5))
        lake.check_landing()
    lake.settle()
    lake.check()
