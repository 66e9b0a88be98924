"""A catalog or a store is lost and comes back older than the other: exact, or an open finding says what is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.drills.table import drill
from tests.support.fault_lake import MODEL, STREAM, EmbeddedLake, FaultLake, ServiceLake, items, path_of
from tests.support.killing import Moment


@pytest.fixture
def backups(lake: FaultLake, tmp_path: Path) -> Backups:
    """Of a lake that has been through a night."""
    lake.run("maintain", expect=[0])
    return Backups(lake, tmp_path / "backups")


class Backups:
    """Copies of a lake's catalog and of its store, and putting them back."""

    def __init__(self, lake: FaultLake, folder: Path, name: str = "copy") -> None:
        self._lake = lake
        self._folder = folder / name
        self._folder.mkdir(parents=True)
        self._name = name

    def take_catalog(self) -> None:
        if isinstance(self._lake, EmbeddedLake):
            shutil.copy(self._catalog, self._folder / "catalog")
            return
        with self._databases() as (connection, own, copy):
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, own))

    def lose_catalog(self) -> None:
        if isinstance(self._lake, EmbeddedLake):
            self._catalog.unlink()
            return
        with self._databases() as (connection, own, _):
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(own))

    def restore_catalog(self) -> None:
        self.lose_catalog()
        if isinstance(self._lake, EmbeddedLake):
            shutil.copy(self._folder / "catalog", self._catalog)
            return
        with self._databases() as (connection, own, copy):
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(own, copy))

    def take_store(self) -> None:
        if isinstance(self._lake, EmbeddedLake):
            for name in ("landing", "data"):
                shutil.copytree(self._state / name, self._folder / name)
            return
        self._copy(self._bucket, self._spare)

    def restore_store(self) -> None:
        if isinstance(self._lake, EmbeddedLake):
            for name in ("landing", "data"):
                shutil.rmtree(self._state / name)
                shutil.copytree(self._folder / name, self._state / name)
            return
        client = self._services.storage.client()
        for key in self._keys(self._bucket):
            client.delete_object(Bucket=self._bucket, Key=key)
        self._copy(self._spare, self._bucket)

    @contextmanager
    def second_catalog(self) -> Iterator[None]:
        """The lake as the copy of its catalog sees it, from another place."""
        if isinstance(self._lake, EmbeddedLake):
            changed = {
                "LOTUSLAKE_CATALOG_URL": str(self._folder / "catalog"),
                "LOTUSLAKE_DATA_URL": str(self._state / "data"),
            }
        else:
            changed = {"LOTUSLAKE_CATALOG_URL": f"{self._services.url}_{self._name}"}
        before = dict(self._lake.environment)
        self._lake.environment |= changed
        try:
            yield
        finally:
            self._lake.environment.clear()
            self._lake.environment.update(before)

    @property
    def _services(self) -> ServiceLake:
        assert isinstance(self._lake, ServiceLake)
        return self._lake

    @property
    def _state(self) -> Path:
        return self._lake.root / ".lotuslake"

    @property
    def _catalog(self) -> Path:
        return self._state / "catalog.ducklake"

    @property
    def _bucket(self) -> str:
        return self._services.bucket

    @property
    def _spare(self) -> str:
        return self._services.storage.make_bucket(f"{self._bucket}-spare")

    def _keys(self, bucket: str) -> list[str]:
        pages = self._services.storage.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def _copy(self, source: str, target: str) -> None:
        client = self._services.storage.client()
        for key in self._keys(source):
            body = client.get_object(Bucket=source, Key=key)["Body"].read()
            client.put_object(Bucket=target, Key=key, Body=body)

    @contextmanager
    def _databases(self) -> Iterator[tuple[psycopg.Connection[tuple[object, ...]], sql.Identifier, sql.Identifier]]:
        name = self._services.url.rpartition("/")[2]
        with self._services.postgres.admin() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                [name],
            )
            yield connection, sql.Identifier(name), sql.Identifier(f"{name}_{self._name}")


def go_on(lake: FaultLake) -> None:
    """Two days of work, with their nights."""
    for day in range(2):
        lake.put(path_of(f"later {day}"), items(5 + 10 * day, 10, version=2 + day))
        lake.settle()
        lake.run("maintain", expect=[0])


def exactly(lake: FaultLake) -> None:
    lake.run("register", "--full-sweep", expect=[0])
    lake.run("transform", expect=[0])
    lake.run("ingest-check", "--full-sweep", expect=[0])
    lake.check()


@drill("a catalog of two nights ago, merged and cleaned up since", "exact", "`register --full-sweep`, `transform`")
def test_a_catalog_that_is_two_nights_old(lake: FaultLake, backups: Backups) -> None:
    backups.take_catalog()
    go_on(lake)
    backups.restore_catalog()
    lake.run("ingest-check", "--full-sweep", "--detailed-exitcode", expect=[10])
    exactly(lake)


@drill("restored twice, the second time to a later day", "exact", "the same")
def test_restored_twice_the_second_time_to_a_later_day(lake: FaultLake, backups: Backups, tmp_path: Path) -> None:
    backups.take_catalog()
    go_on(lake)
    later = Backups(lake, tmp_path / "backups", "later")
    later.take_catalog()
    backups.restore_catalog()
    lake.settle()
    lake.run("maintain", expect=[0])
    later.restore_catalog()
    exactly(lake)


@drill("the way back is killed", "exact", "the same commands again")
@pytest.mark.parametrize("statement", ["ducklake_add_data_files", "^COMMIT"])
def test_the_way_back_is_killed(lake: FaultLake, backups: Backups, statement: str) -> None:
    backups.take_catalog()
    go_on(lake)
    backups.restore_catalog()
    lake.kill("register", "--full-sweep", moment=Moment("coming back", statement=statement, when="after"))
    lake.kill("transform", moment=Moment("coming back", statement=f"processed.*{MODEL}", when="after"))
    exactly(lake)


@drill(
    "a store of an older day than the catalog",
    "findings `missing`, `lost` and `loss` until they are accepted",
    "`transform`; embedded: an empty catalog",
)
def test_a_store_that_is_older_than_the_catalog(lake: FaultLake, backups: Backups) -> None:
    backups.take_store()
    go_on(lake)
    for path in [path for path in lake.files if "later" in path]:
        del lake.files[path]
    backups.restore_store()
    if isinstance(lake, EmbeddedLake):
        # After a night its ledger lies in files too, and those of the last days are gone as well.
        assert "the lake's own ledger" in lake.run("ingest-check", "--full-sweep", expect=[2]).stderr
        backups.lose_catalog()
        exactly(lake)
        return
    lake.run("ingest-check", "--full-sweep", expect=[5])
    lake.run("register", "--full-sweep", expect=[5])
    kinds = {kind for (kind,) in lake.rows("SELECT kind FROM meta.findings")}
    assert kinds == {"missing", "lost"}
    lake.run("transform", expect=[5])
    assert "loss" in {kind for (kind,) in lake.rows("SELECT kind FROM meta.findings")}
    lake.run("accept", STREAM, "--reason", "the store has them no longer")
    lake.run("transform", expect=[0, 5])
    exactly(lake)


@drill("both of the same older day", "exact", "nothing")
def test_the_same_way_back_for_both(lake: FaultLake, backups: Backups) -> None:
    backups.take_catalog()
    backups.take_store()
    go_on(lake)
    for path in [path for path in lake.files if "later" in path]:
        del lake.files[path]
    backups.restore_store()
    backups.restore_catalog()
    exactly(lake)


@drill(
    "a second catalog on one data root",
    "its `maintain` ends 2, nothing is deleted",
    "`maintain --take-over`, where it is meant",
)
def test_a_second_catalog_deletes_nothing_of_the_first(lake: FaultLake, backups: Backups) -> None:
    backups.take_catalog()
    go_on(lake)
    with backups.second_catalog():
        refused = lake.run("maintain", "--json", LOTUSLAKE_BACKUP_RETENTION="0d", expect=[2])
    message = json.loads(refused.stdout)["errors"][0]["message"]
    assert "the data root belongs to lake" in message
    assert "lotuslake maintain --take-over" in message
    exactly(lake)
    with backups.second_catalog():
        lake.run("maintain", "--take-over", expect=[0])
        lake.run("maintain", expect=[0])
    lake.run("maintain", expect=[2])


@drill("a catalog without any backup", "exact", "an empty catalog, the chain, `maintain --take-over`")
def test_without_any_backup(lake: FaultLake, backups: Backups, fresh_database: Callable[[FaultLake], None]) -> None:
    go_on(lake)
    backups.lose_catalog()
    fresh_database(lake)
    exactly(lake)
    # The files of the lost lake lie under the same root, and are not this one's to delete until somebody says so.
    lake.run("maintain", expect=[2])
    lake.run("maintain", "--take-over", expect=[0])
    exactly(lake)


@pytest.fixture
def fresh_database() -> Callable[[FaultLake], None]:
    """Makes the empty database that a lost one's place is taken by; a file needs none."""

    def make(lake: FaultLake) -> None:
        if isinstance(lake, ServiceLake):
            lake.postgres.make_database(lake.url.rpartition("/")[2])

    return make
