"""Killed at named moments and run again, the lake holds what one clean run gives."""

from __future__ import annotations

import pytest

from tests.faults.conftest import MakeLake
from tests.support.fault_lake import FaultLake, Item, items, path_of
from tests.support.killing import Moment

FOOTERS = "lotuslake.adapters.parquet_footers:ParquetFooters._fetch_facts"
LISTING = "lotuslake.commands.ingest_check:list_stream_files"
REGISTER = [
    Moment("after listing", function=LISTING, when="after"),
    Moment("between footers", function=FOOTERS, when="after", passage=2),
    Moment("a converted copy is written", "^COPY", when="after"),
    Moment("the fence has moved", "UPDATE .*fence_", when="after"),
    Moment("files are added", "ducklake_add_data_files", when="after"),
    Moment("the log is written", "INSERT INTO lakehouse.meta.files", when="after"),
    Moment("before COMMIT", "^COMMIT", follows="ducklake_add_data_files"),
    Moment("during COMMIT", "^COMMIT", when="during", follows="ducklake_add_data_files"),
    Moment("during COMMIT, 2 ms", "^COMMIT", when="during", follows="ducklake_add_data_files", delay_seconds=0.002),
    Moment("during COMMIT, 8 ms", "^COMMIT", when="during", follows="ducklake_add_data_files", delay_seconds=0.008),
    Moment("after COMMIT", "^COMMIT", when="after", follows="ducklake_add_data_files"),
    Moment("between batches", "^BEGIN", passage=2, follows="ducklake_add_data_files"),
    Moment("between register and transform", "INSERT INTO lakehouse.meta.runs"),
]
REBUILD = [
    Moment("a rebuild is recorded, not committed", "CREATE .*TABLE .*rebuild_", when="after"),
    Moment("a rebuild has begun", "^COMMIT", when="after", follows="CREATE .*TABLE .*rebuild_"),
    Moment("inside an append", "insert into .*__rebuild", when="after"),
    Moment("before an append's progress", "update .*rebuild_int"),
    Moment("before an append's COMMIT", "^COMMIT", follows="update .*rebuild_int"),
    Moment("during an append's COMMIT", "^COMMIT", when="during", follows="update .*rebuild_int", delay_seconds=0.002),
    Moment("between appends", "^COMMIT", when="after", follows="update .*rebuild_int"),
    Moment("before publishing", "create or replace table .*int_shop__items"),
    Moment("published, staging stands", "drop table .*__rebuild"),
    Moment("before the cursor moves", "update .*cursor_int"),
    Moment("before the publishing COMMIT", "^COMMIT", follows="update .*cursor_int"),
    Moment("during the publishing COMMIT", "^COMMIT", when="during", follows="update .*cursor_int"),
    Moment("after the publishing COMMIT", "^COMMIT", when="after", follows="update .*cursor_int"),
]
MERGE = [
    Moment("inside a merge", "merge into", when="after"),
    Moment("before the cursor moves", "update .*cursor_int"),
    Moment("the cursor has moved", "update .*cursor_int", when="after"),
    Moment("before the model's COMMIT", "^COMMIT", follows="update .*cursor_int"),
    Moment("during the model's COMMIT", "^COMMIT", when="during", follows="update .*cursor_int", delay_seconds=0.001),
    Moment("after the model's COMMIT", "^COMMIT", when="after", follows="update .*cursor_int"),
    Moment("inside an enriched model", "create or replace table .*fct_items", when="after"),
    Moment("after an enriched model's COMMIT", "^COMMIT", when="after", follows="update .*cursor_fct"),
    Moment("between enriched models and tests", function="lotuslake.commands.transform:run_tests"),
    Moment("tests ran, not recorded", "INSERT INTO lakehouse.meta.test_results"),
]
HEAL = [
    Moment("landing is emptied", "CREATE OR REPLACE TABLE .*landing", when="after"),
    Moment("landing is filled", "ducklake_add_data_files", when="after", follows="CREATE OR REPLACE TABLE .*landing"),
    Moment("before the healing COMMIT", "^COMMIT", follows="CREATE OR REPLACE TABLE .*landing"),
    Moment("during the healing COMMIT", "^COMMIT", when="during", follows="CREATE OR REPLACE TABLE .*landing"),
    Moment("after the healing COMMIT", "^COMMIT", when="after", follows="CREATE OR REPLACE TABLE .*landing"),
]
MAINTAIN = [
    Moment("inlined rows are written", "ducklake_flush_inlined_data", when="after"),
    Moment("a table is merged", "ducklake_merge_adjacent_files", when="after"),
    Moment("snapshots are expired, nothing is spared yet", "ducklake_expire_snapshots", when="after"),
    Moment("before the clean-up", "ducklake_cleanup_old_files"),
    Moment("after the clean-up", "ducklake_cleanup_old_files", when="after"),
]
KINDS = ["embedded", pytest.param("services", marks=pytest.mark.long)]


def deliver(lake: FaultLake, number: int) -> None:
    """Six files: new keys, new versions, a tombstone, a late one, one to convert, one that is bad."""
    first, version = 100 * number, number + 2
    lake.put(path_of(f"{number}_a"), items(first, 5, version))
    lake.put(path_of(f"{number}_b"), [Item(1, version), Item(2, version, is_tombstone=number % 2 == 0)])
    lake.put(path_of(f"{number}_late", days_ago=2), [Item(1, version - 1), *items(first + 3, 4, 1)])
    lake.put(path_of(f"{number}_text"), items(first + 50, 2, version), amount_type=_text())
    lake.put_bad(path_of(f"{number}_bad"))
    lake.put(path_of(f"{number}_c"), items(first + 60, 3, version))


def _text() -> object:
    import pyarrow as pa

    return pa.string()


@pytest.mark.parametrize("kind", KINDS)
def test_register_is_killed_at_every_moment(make_lake: MakeLake, kind: str) -> None:
    lake = make_lake(kind)
    for number, moment in enumerate(REGISTER):
        deliver(lake, number)
        assert lake.kill("register", moment=moment), moment.name
        lake.check_landing()
    lake.settle()
    lake.check()


@pytest.mark.parametrize("kind", KINDS)
def test_a_rebuild_is_killed_at_every_moment(make_lake: MakeLake, kind: str) -> None:
    lake = make_lake(kind)
    for number in range(3):
        deliver(lake, number)
    lake.run("register")
    for moment in REBUILD:
        forced = ("--full-refresh",) if moment.name.startswith("a rebuild") else ()
        if not lake.kill("transform", *forced, moment=moment):
            assert lake.kill("transform", "--full-refresh", moment=moment), moment.name
        lake.check_landing()
    lake.settle()
    lake.check()


@pytest.mark.parametrize("kind", KINDS)
def test_a_merge_and_what_follows_is_killed_at_every_moment(make_lake: MakeLake, kind: str) -> None:
    lake = make_lake(kind)
    deliver(lake, 0)
    lake.settle()
    for number, moment in enumerate(MERGE, 1):
        lake.put(path_of(f"merge_{number}"), [Item(1, 50 + number), *items(5000 + number, 1)])
        lake.run("register")
        assert lake.kill("transform", moment=moment), moment.name
        lake.check_landing()
    lake.settle()
    lake.check()


@pytest.mark.parametrize("kind", KINDS)
def test_healing_is_killed_at_every_moment(make_lake: MakeLake, kind: str) -> None:
    lake = make_lake(kind)
    deliver(lake, 0)
    lake.put(path_of("doomed"), [])
    for number in range(len(HEAL)):
        lake.put(path_of(f"doomed_{number}"), items(7000 + number, 1))
    lake.settle()
    for number, moment in enumerate(HEAL):
        lake.vanish(path_of(f"doomed_{number}"))
        lake.put(path_of("0_a"), items(0, 5, 30 + number))
        assert lake.kill("register", moment=moment), moment.name
        lake.run("register")
        lake.check_landing()
    lake.settle()
    # The overwritten file asks for a rebuild, which would know nothing of the vanished ones: a person has to say so.
    assert "loss" in {kind for (kind,) in lake.rows("SELECT kind FROM meta.findings")}
    lake.run("transform", "--accept-loss")
    lake.check()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["embedded", "services"])
def test_registering_anew_is_killed(make_lake: MakeLake, kind: str) -> None:
    lake = make_lake(kind)
    deliver(lake, 0)
    deliver(lake, 1)
    lake.settle()
    for moment in HEAL:
        assert lake.kill("backfill", "shop/items", "--reregister", moment=moment), moment.name
        lake.check_landing()
    lake.run("backfill", "shop/items", "--reregister")
    lake.settle()
    lake.check()


@pytest.mark.parametrize("kind", KINDS)
def test_maintain_is_killed_at_every_moment(make_lake: MakeLake, kind: str) -> None:
    lake = make_lake(kind)
    before: dict[str, str] = {}
    moments = MAINTAIN[1:] if kind == "services" else MAINTAIN
    for number, moment in enumerate(moments):
        deliver(lake, number)
        lake.settle()
        before = lake.raw()
        lake.kill("maintain", "--keep-days", "1", moment=moment)
        assert lake.raw() == before, moment.name
        lake.check_landing()
    lake.run("maintain", "--keep-days", "1")
    lake.settle()
    lake.check()
    assert lake.raw() == before


@pytest.mark.long
@pytest.mark.parametrize("kind", ["embedded", "services"])
@pytest.mark.parametrize("command", ["register", "transform"])
def test_killed_before_every_tenth_statement(make_lake: MakeLake, kind: str, command: str) -> None:
    lake = make_lake(kind)
    deliver(lake, 0)
    lake.settle()
    passage, number = 3, 1
    while True:
        deliver(lake, number)
        if command == "transform":
            lake.run("register")
        if not lake.kill(command, moment=Moment("any", ".", passage=passage)):
            break
        lake.check_landing()
        passage, number = passage + 10, number + 1
    lake.settle()
    lake.check()
