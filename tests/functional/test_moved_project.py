"""A project folder that was moved, copied or mounted elsewhere: its lake goes with it, and never reads from the old place."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from lotuslake.adapters import duckdb_instance
from tests.functional.program import Outcome, Project
from tests.functional.things import STREAM, data_file, key_of, things_project
from tools.services import Postgres

LONG_AGO = 1_750_000_000
# A text for a number is converted: the lake keeps a copy of its own, which it names by its absolute path.
CONVERTED = data_file([3, 4], amount=pa.array(["3", "4"], pa.string()))


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    project = things_project(tmp_path / "shop")
    project.put(key_of("part_0.parquet"), data_file([1, 2]))
    project.put(key_of("part_1.parquet"), CONVERTED)
    outcome = project.json("register")
    assert outcome.stream(STREAM)["copied_files"] == 1, outcome.stdout
    assert project.run("transform").exit_code == 0
    return project


def named_places(project: Project) -> set[str]:
    """Every absolute path that the catalog holds, as a DuckDB that knows nothing of lakes reads it."""
    statement = (
        "SELECT path FROM ducklake_data_file WHERE NOT path_is_relative UNION ALL "
        "SELECT path FROM ducklake_files_scheduled_for_deletion WHERE NOT path_is_relative UNION ALL "
        "SELECT value FROM ducklake_metadata WHERE key = 'data_path'"
    )
    with duckdb.connect(str(project.catalog), read_only=True) as connection:
        return {row[0] for row in connection.execute(statement).fetchall()}


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "temp" not in path.relative_to(folder).parts
    }


def ids(project: Project, table: str) -> list[int]:
    outcome = project.json("query", f"SELECT id FROM {table} ORDER BY id")
    return [row[0] for row in outcome.envelope["data"]["rows"]]


def assert_all_is_well(project: Project) -> Outcome:
    assert project.json("ingest-check").stream(STREAM)["missing_files"] == 0
    assert ids(project, "landing.stg_test__things") == [1, 2, 3, 4]
    project.put(key_of("part_2.parquet"), data_file([5]))
    assert project.run("register").exit_code == 0
    assert project.run("transform").exit_code == 0
    # What is older than a day and known to nobody is deleted: a copy that the catalog still named elsewhere would be.
    data_root = Path(project.environment.get("LOTUSLAKE_DATA_URL", project.root / ".lotuslake" / "data"))
    for path in data_root.rglob("*.parquet"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    assert project.run("maintain", "--keep-days", "1").exit_code == 0
    for table in ("landing.stg_test__things", "processed.int_test__things"):
        assert ids(project, table) == [1, 2, 3, 4, 5]
    return project.run("status")


def test_moved(shop: Project, tmp_path: Path) -> None:
    shop.root.rename(tmp_path / "elsewhere")
    project = Project(tmp_path / "elsewhere")
    first = project.run("ingest-check")
    assert first.exit_code == 0
    assert f"its files are read from {project.root}/.lotuslake/data/" in first.log[0]["message"]
    assert project.run("ingest-check").stderr == ""
    assert_all_is_well(project)
    assert all(place.startswith(f"{project.root}/") for place in named_places(project))


@pytest.mark.parametrize("copy", ["as `cp -a` does", "as `cp -r` does"])
def test_a_copy_and_its_original_know_nothing_of_each_other(shop: Project, tmp_path: Path, copy: str) -> None:
    project = Project(tmp_path / "copy")
    copying = shutil.copy2 if copy == "as `cp -a` does" else shutil.copyfile
    shutil.copytree(shop.root, project.root, copy_function=copying)
    before = contents(shop.root)
    assert_all_is_well(project)
    assert all(place.startswith(f"{project.root}/") for place in named_places(project))
    assert contents(shop.root) == before
    shutil.rmtree(project.root)
    assert_all_is_well(shop)


def test_landing_tables_of_a_copy_read_its_own_files_at_once(shop: Project, tmp_path: Path) -> None:
    project = Project(tmp_path / "copy")
    shutil.copytree(shop.root, project.root)
    shutil.rmtree(shop.root)
    assert ids(project, "landing.stg_test__things") == [1, 2, 3, 4]


def test_one_folder_by_two_names(shop: Project, tmp_path: Path) -> None:
    """As a container sees it, and as its host does: both in turn."""
    for name in ("host", "project", "host", "project"):
        place = tmp_path / name
        shop.root.rename(place)
        shop = Project(place)
        assert shop.json("ingest-check").stream(STREAM)["pending_files"] == 0
    assert_all_is_well(shop)


def test_a_catalog_that_nobody_may_write_to_is_read(
    shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.root.rename(tmp_path / "archive")
    project = Project(tmp_path / "archive")
    monkeypatch.setattr(duckdb_instance, "is_writable", lambda _: False)  # root may write to everything
    before = project.catalog.read_bytes()
    assert project.json("ingest-check").stream(STREAM)["pending_files"] == 0
    assert project.json("status").stream(STREAM)["rows"] == 4
    assert project.catalog.read_bytes() == before


def test_a_catalog_alone_is_refused(shop: Project, tmp_path: Path) -> None:
    other = things_project(tmp_path / "other")
    other.catalog.parent.mkdir()
    shutil.copy(shop.catalog, other.catalog)
    before = other.catalog.read_bytes()
    for command in ("ingest-check", "register", "transform"):
        outcome = other.run(command)
        assert outcome.exit_code == 2
        assert f"were written to {shop.root}/.lotuslake/data/ and are not in {other.root}" in outcome.message
    assert other.catalog.read_bytes() == before


def test_a_catalog_that_lies_elsewhere_does_not_go_with_a_copy(shop: Project, tmp_path: Path) -> None:
    """Two projects, one catalog: the second one must not take the lake from the first."""
    shop.environment["LOTUSLAKE_CATALOG_URL"] = str(shop.catalog.rename(tmp_path / "catalog"))
    copy = Project(tmp_path / "copy", shop.environment)
    shutil.copytree(shop.root, copy.root)
    outcome = copy.run("ingest-check")
    assert outcome.exit_code == 2
    assert f"made with the data root {shop.root}/.lotuslake/data/" in outcome.message
    assert shop.run("ingest-check").exit_code == 0


def test_roots_elsewhere_stay_where_they_are(tmp_path: Path) -> None:
    project = things_project(tmp_path / "shop")
    landing = tmp_path / "landing"
    project.environment["LOTUSLAKE_LANDING_URL"] = str(landing)
    (landing / key_of("")).mkdir(parents=True)
    (landing / key_of("part_0.parquet")).write_bytes(data_file([1, 2]))
    assert project.run("register").exit_code == 0
    project.root.rename(tmp_path / "elsewhere")
    moved = Project(tmp_path / "elsewhere", project.environment)
    assert moved.run("transform").exit_code == 0
    assert ids(moved, "processed.int_test__things") == [1, 2]
    assert f"{landing}/{key_of('part_0.parquet')}" in named_places(moved)


def move_data_root(project: Project, tmp_path: Path) -> None:
    shutil.move(project.root / ".lotuslake" / "data", tmp_path / "disk")
    project.environment["LOTUSLAKE_DATA_URL"] = str(tmp_path / "disk")


def test_a_data_root_is_moved_by_saying_so(shop: Project, tmp_path: Path) -> None:
    move_data_root(shop, tmp_path)
    refused = shop.run("register")
    assert refused.exit_code == 2
    assert "lotuslake register --relocate" in refused.message
    assert shop.run("register", "--relocate").exit_code == 0
    assert_all_is_well(shop)


def test_relocating_to_where_nothing_is_changes_nothing(shop: Project, tmp_path: Path) -> None:
    shop.environment["LOTUSLAKE_DATA_URL"] = str(tmp_path / "empty")
    before = shop.catalog.read_bytes()
    outcome = shop.run("register", "--relocate")
    assert outcome.exit_code == 2
    assert "move or copy that folder too" in outcome.message
    assert shop.catalog.read_bytes() == before
    del shop.environment["LOTUSLAKE_DATA_URL"]
    assert_all_is_well(shop)


def test_a_data_root_is_moved_in_postgres_too(tmp_path: Path, postgres: Postgres) -> None:
    project = things_project(tmp_path / "shop")
    project.environment |= {
        "LOTUSLAKE_CATALOG_URL": postgres.make_database(),
        "PGPASSWORD": postgres.password,
        "PGSSLMODE": "disable",
    }
    project.put(key_of("part_0.parquet"), data_file([1, 2]))
    project.put(key_of("part_1.parquet"), CONVERTED)
    assert project.run("register").exit_code == 0
    move_data_root(project, tmp_path)
    assert project.run("register").exit_code == 2
    assert project.run("register", "--relocate").exit_code == 0
    assert_all_is_well(project)
