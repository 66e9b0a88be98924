"""Postgres or the store is full, or takes no writes: which one, 3 or 2, nothing is lost, and then the work is done."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pyarrow as pa
import pytest
from psycopg import sql

from tests.support.disks import SmallDisk, small_disk
from tests.support.fault_lake import Item, ServiceLake, items, make_items_project, path_of
from tests.support.killing import Ended
from tests.support.leaks import remember_secret
from tests.support.tally import count
from tools.services import ObjectStorage, Postgres, running

READING = (("status",), ("ingest-check",), ("query", "SELECT count(*) FROM meta.files"))


def deliver(lake: ServiceLake, name: str, first: int) -> None:
    """Two files: a new version of item 1, and one that has to be converted."""
    lake.put(path_of(name), [Item(1, first), *items(first, 3)])
    lake.put(path_of(f"{name}_text"), items(first + 3, 3), amount_type=pa.string())


def register_until_full(lake: ServiceLake) -> Ended:
    """The first that fails: pages of the catalog that are there already take some more rows."""
    for number in range(30):
        deliver(lake, f"more_{number}", 20 + 10 * number)
        ended = lake.run("register", expect=(0, 3))
        if ended.exit_code:
            return ended
    raise AssertionError("it never was full")


@pytest.fixture
def small_catalog(postgres: Postgres) -> Iterator[tuple[str, SmallDisk]]:
    """A database on a disk of its own, and that disk."""
    name = f"small_{secrets.token_hex(4)}"
    with small_disk(postgres.folder / name, 24) as disk:
        place = disk.folder / "space"
        place.mkdir()
        if postgres.user is not None:
            shutil.chown(place, postgres.user)
        names = {"space": sql.Identifier(name), "place": sql.Literal(str(place)), "role": sql.Identifier("lake")}
        with postgres.admin() as admin:
            admin.execute(sql.SQL("CREATE TABLESPACE {space} LOCATION {place}").format(**names))
            admin.execute(sql.SQL("CREATE DATABASE {space} OWNER {role} TABLESPACE {space}").format(**names))
        yield name, disk
        with postgres.admin() as admin:
            admin.execute(sql.SQL("DROP DATABASE {space} WITH (FORCE)").format(**names))
            admin.execute(sql.SQL("DROP TABLESPACE {space}").format(**names))


def test_the_disk_of_postgres_is_full(service_lake: ServiceLake, small_catalog: tuple[str, SmallDisk]) -> None:
    lake, (name, disk) = service_lake, small_catalog
    lake.url = lake.postgres.url(name)
    lake.environment["LOTUSLAKE_CATALOG_URL"] = lake.url
    deliver(lake, "first", 10)
    lake.settle()
    disk.fill()
    ended = register_until_full(lake)
    count("full disks")
    assert "the disk of Postgres is full (ERROR:  could not extend file" in ended.stderr
    assert "Nothing is lost" in ended.stderr
    for command in READING:
        lake.run(*command)
    disk.make_room()
    lake.run("register")
    disk.fill()
    ended = lake.run("transform", expect=(0, 3))
    assert "unexpected" not in ended.stderr
    disk.make_room()
    lake.settle()
    lake.check()


def test_the_disk_of_the_store_is_full(postgres: Postgres, tmp_path: Path) -> None:
    """SeaweedFS answers 500 then, and keeps its volumes closed until it is started again."""
    with small_disk(tmp_path / "store", 64) as disk, running(ObjectStorage(disk.folder)) as storage:
        remember_secret("the small store's secret key", storage.secret_key)
        make_items_project(tmp_path / "project")
        lake = ServiceLake(tmp_path / "project", storage=storage, postgres=postgres)
        lake.take_up_parsing()
        deliver(lake, "first", 10)
        lake.settle()
        deliver(lake, "second", 20)
        disk.fill()
        told = "".join(lake.run(command, expect=(0, 3)).stderr for command in ("register", "transform"))
        count("full disks")
        assert "look whether it has room" in told
        assert "unexpected" not in told
        for command in READING:
            lake.run(*command)
        disk.make_room()
        storage.stop()
        storage.start()
        lake.settle()
        lake.check()


def test_a_postgres_that_takes_no_writes(service_lake: ServiceLake) -> None:
    """As a replica's address: a setting is wrong, and reading goes on."""
    lake = service_lake
    deliver(lake, "first", 10)
    lake.settle()
    deliver(lake, "second", 20)
    name = sql.Identifier(urlsplit(lake.url).path.strip("/"))
    with lake.postgres.admin() as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
    for command in READING:
        lake.run(*command)
    ended = lake.run("register", expect=(2,))
    assert "LOTUSLAKE_CATALOG_URL: Postgres takes no writes there" in ended.stderr
    with lake.postgres.admin() as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
    lake.settle()
    lake.check()


def test_a_role_that_may_only_read(service_lake: ServiceLake) -> None:
    lake = service_lake
    deliver(lake, "first", 10)
    lake.settle()
    deliver(lake, "second", 20)
    password, role = secrets.token_hex(20), f"reader_{secrets.token_hex(4)}"
    remember_secret("the reader's password", password)
    database = urlsplit(lake.url).path.strip("/")
    with lake.postgres.admin(database) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
        admin.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(role)))
    reader: dict[str, Any] = {
        "LOTUSLAKE_CATALOG_URL": lake.url.replace("//lake@", f"//{role}@"),
        "PGPASSWORD": password,
    }
    for command in READING:
        lake.run(*command, **reader)
    ended = lake.run("register", expect=(2,), **reader)
    assert "LOTUSLAKE_CATALOG_URL: the role may not use table ducklake_" in ended.stderr
    with lake.postgres.admin(database) as admin:
        admin.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(sql.Identifier(role)))
    ended = lake.run("status", expect=(2,), **reader)
    assert "the role may not use table ducklake_metadata" in ended.stderr
    lake.settle()
    lake.check()


def test_a_query_holds_no_secret_in_its_processes_and_writes_nothing(service_lake: ServiceLake) -> None:
    lake = service_lake
    deliver(lake, "first", 10)
    lake.settle()
    before = lake.raw() | {"snapshots": str(lake.rows("SELECT max(snapshot_id) FROM lakehouse.snapshots()"))}
    process = lake.start("query", "SELECT sum(a.range * b.range) FROM range(1000000000) AS a, range(1000000000) AS b")
    deadline = time.monotonic() + 600
    try:
        while not (children := psutil.Process(process.process.pid).children()) or children[0].num_threads() < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        commands = [" ".join(one.cmdline()) for one in (psutil.Process(process.process.pid), *children)]
    finally:
        process.process.terminate()
    assert process.wait().exit_code == 143
    for secret in (lake.storage.secret_key, lake.storage.access_key, lake.postgres.password):
        assert not any(secret in command for command in commands)
    for statement in (
        "FROM postgres_execute('__ducklake_metadata_lakehouse', 'DELETE FROM ducklake_snapshot')",
        "FROM ducklake_expire_snapshots('lakehouse', older_than => now())",
        "FROM ducklake_merge_adjacent_files('lakehouse')",
    ):
        lake.run("query", statement, expect=(2,))
    after = lake.raw() | {"snapshots": str(lake.rows("SELECT max(snapshot_id) FROM lakehouse.snapshots()"))}
    assert after == before
    lake.check()
