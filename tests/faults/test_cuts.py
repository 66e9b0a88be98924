"""The line to Postgres is cut at COMMIT, before it arrives or before it is answered; Postgres is killed and comes back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import pytest

from tests.support.cutting import LakeCommit
from tests.support.fault_lake import Item, ServiceLake, items, make_items_project, path_of
from tests.support.killing import Hold, Moment
from tests.support.leaks import remember_secret
from tests.support.proxy import TcpProxy
from tests.support.tally import count
from tools.services import ObjectStorage, Postgres, running

When = Literal["before", "after"]
OFTEN = 40


def cut(lake: ServiceLake, *arguments: str, number: int, when: When, **changed: str) -> bool:
    """Run a command whose `number`-th commit is cut; whether there were so many. It ends well, or with 3."""
    with TcpProxy(lake.postgres.port) as proxy:
        trap = proxy.cut_when(LakeCommit(number), when)
        lake.run(*arguments, expect=(0, 3, 5), **lake.through(proxy.port), **changed)
        if trap.sprung.is_set():
            count("cuts")
        return trap.sprung.is_set()


@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.long), "after"])
def test_register_and_transform_are_cut_at_a_commit(service_lake: ServiceLake, when: When) -> None:
    lake = service_lake
    lake.put(path_of("first"), items(0, 6))
    lake.settle()
    lake.put(path_of("a"), [Item(1, 5), *items(10, 3)])
    assert cut(lake, "register", number=1, when=when)
    lake.check_landing()
    lake.run("register")
    assert cut(lake, "transform", number=1, when=when)
    lake.settle()
    lake.check()


def test_a_batch_whose_reply_is_lost_is_looked_up_and_found(service_lake: ServiceLake) -> None:
    """It is no outage: the run goes on after a fresh connection, and counts the files."""
    lake = service_lake
    lake.put(path_of("first"), items(0, 2))
    lake.run("register")
    lake.put(path_of("second"), items(10, 2))
    with TcpProxy(lake.postgres.port) as proxy:
        trap = proxy.cut_when(LakeCommit(), "after")
        ended = lake.run("register", "--json", expect=(0,), **lake.through(proxy.port))
    assert trap.sprung.is_set()
    count("cuts")
    assert '"registered_files": 1' in ended.stdout
    lake.check_landing()


def test_no_file_is_lost_with_the_reply_to_a_models_commit(service_lake: ServiceLake) -> None:
    """Postgres commits, the answer is lost, and DuckLake deletes the Parquet files of that very commit (FACTS 4)."""
    lake = service_lake
    lake.put(path_of("first"), items(0, 6))
    lake.settle()
    lake.put(path_of("second"), [Item(1, 5), Item(2, 5, is_tombstone=True)])
    lake.run("register")
    with TcpProxy(lake.postgres.port) as proxy:
        trap = proxy.cut_when(LakeCommit(), "after")
        ended = lake.run("transform", **lake.through(proxy.port))
    assert trap.sprung.is_set()
    count("cuts")
    assert "of its files: mending it" in ended.stderr
    lake.check()


def test_a_process_that_dies_with_the_lost_reply_leaves_no_broken_table(
    service_lake: ServiceLake, tmp_path: Path
) -> None:
    """It deleted the files and could not mend anything: the next transform does."""
    lake = service_lake
    lake.put(path_of("first"), items(0, 6))
    lake.settle()
    lake.put(path_of("second"), [Item(1, 5), *items(20, 2)])
    lake.run("register")
    with TcpProxy(lake.postgres.port) as proxy:
        trap = proxy.cut_when(LakeCommit(), "after")
        died = lake.kill(
            "transform",
            moment=Moment("looking it up", function="lotuslake.adapters.ducklake_models:DuckLakeModels._moved"),
            **lake.through(proxy.port),
        )
    assert died
    assert trap.sprung.is_set()
    count("cuts")
    lake.settle()
    lake.check()


@pytest.mark.long
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "command",
    [
        ("register", "--full-sweep"),
        ("transform",),
        ("transform", "--full-refresh"),
        ("backfill", "shop/items"),
        ("backfill", "shop/items", "--reregister"),
        ("maintain", "--keep-days", "1"),
    ],
    ids=lambda command: "_".join(command).replace("/", "_"),
)
def test_every_commit_of_a_command_is_cut_in_turn(
    service_lake: ServiceLake, command: tuple[str, ...], when: When
) -> None:
    lake = service_lake
    for number in range(5):
        lake.put(path_of(f"first_{number}"), items(10 * number, 6))
    lake.settle()
    for number in range(1, OFTEN):
        lake.put(path_of(f"more_{number}"), [Item(1, 5 + number), *items(1000 + 10 * number, 2)])
        lake.put(path_of("first_0"), items(0, 6, 1 + number))
        if command[0] != "register":
            lake.run("register")
        came = cut(lake, *command, number=number, when=when)
        lake.check_landing()
        lake.settle()
        lake.check()
        if not came:
            return
    raise AssertionError("it never ended")


def test_postgres_is_killed_in_the_middle_and_comes_back(seaweedfs: ObjectStorage, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="lotuslake-postgres-") as folder:
        Path(folder).chmod(0o711)
        with running(Postgres(Path(folder), durable=False)) as postgres:
            for name, value in postgres.secrets().items():
                remember_secret(f"the other database's {name}", value)
            root = tmp_path / "project"
            make_items_project(root)
            lake = ServiceLake(root, storage=seaweedfs, postgres=postgres)
            lake.take_up_parsing()
            lake.put(path_of("first"), items(0, 6))
            lake.settle()
            for number, (command, statement) in enumerate(
                [("register", "ducklake_add_data_files"), ("transform", "merge into")]
            ):
                lake.put(path_of(f"more_{number}"), [Item(1, 5 + number), *items(20 + number, 1)])
                if command == "transform":
                    lake.run("register")
                hold = Hold(tmp_path / f"hold_{number}")
                hold.folder.mkdir()
                process = lake.start(command, moment=Moment("held", statement, when="after"), hold=hold)
                hold.wait_until_reached(process.process)
                postgres.kill()
                postgres.start()
                hold.go_on.touch()
                ended = process.wait()
                assert ended.exit_code == 3, ended.stderr
                assert "Traceback" not in ended.stderr
                count("outages")
            lake.settle()
            lake.check()
