"""Catalogs that are none, or of another, and places that may be read and not written: 2, what is wrong, and where.

No message may lead to the loss of a lake: none says to move, delete or replace a catalog.
"""

from __future__ import annotations

import os
import re
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from lotuslake.adapters.duckdb_opening import extension_path
from tests.functional.program import START, Outcome, Project, write
from tests.functional.things import STREAM, data_file, key_of, things_project
from tests.support.disks import read_only

READING = (("status",), ("ingest-check",), ("query", "SELECT count(*) FROM landing.stg_test__things"))
WRITING = (("register",), ("transform",), ("run",), ("maintain",), ("backfill", STREAM))
HARMFUL = re.compile(r"move it|move the|delete|remove|drop|replace|overwrite|choose another|new catalog", re.IGNORECASE)


def assert_told(outcome: Outcome, *parts: str, code: int = 2) -> None:
    assert outcome.exit_code == code, outcome.stderr
    errors = [line["message"] for line in outcome.log if line["level"] == "error"]
    assert len(errors) == 1, errors
    for part in parts:
        assert part in errors[0], errors[0]
    assert not HARMFUL.search(errors[0]), errors[0]
    assert "\n" not in errors[0]
    assert "Traceback" not in outcome.stderr


def a_text(catalog: Path) -> None:
    catalog.write_text("not a catalog " * 500)


def an_empty_file(catalog: Path) -> None:
    catalog.touch()


def a_folder(catalog: Path) -> None:
    catalog.mkdir()


def an_sqlite_database(catalog: Path) -> None:
    connection = sqlite3.connect(catalog)
    connection.execute("CREATE TABLE somebodys (i INT)")
    connection.commit()
    connection.close()


def a_duckdb_database(catalog: Path) -> None:
    with duckdb.connect(catalog) as connection:
        connection.execute("CREATE TABLE somebodys (i INT)")


def a_duckdb_view(catalog: Path) -> None:
    with duckdb.connect(catalog) as connection:
        connection.execute("CREATE VIEW somebodys AS SELECT 1")


def an_encrypted_database(catalog: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{extension_path('httpfs')}'")
        connection.execute(f"ATTACH '{catalog}' AS locked (ENCRYPTION_KEY 'not a real key')")
        connection.execute("CREATE TABLE locked.t (i INT)")


def a_newer_duckdbs(catalog: Path) -> None:
    """The version number in the header, and the header's checksum over it, as DuckDB computes it."""
    a_duckdb_database(catalog)
    body = bytearray(catalog.read_bytes())
    assert body[8:12] == b"DUCK"
    body[12:20] = struct.pack("<Q", 999)
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", body[8:4096]):
        checksum ^= word * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
    body[:8] = struct.pack("<Q", checksum)
    catalog.write_bytes(body)


def a_damaged_file(catalog: Path) -> None:
    a_duckdb_database(catalog)
    body = bytearray(catalog.read_bytes())
    body[4096:4200] = body[8192:8296] = b"\xff" * 104
    catalog.write_bytes(body)


CATALOGS: dict[Callable[[Path], None], str] = {
    a_text: "is no DuckDB file",
    an_empty_file: "is no DuckDB file",
    a_folder: "is a folder",
    an_sqlite_database: "is an SQLite database",
    a_duckdb_database: "is a DuckDB database with tables of its own, such as somebodys",
    a_duckdb_view: "is a DuckDB database with tables of its own, such as somebodys",
    an_encrypted_database: "is an encrypted database",
    a_newer_duckdbs: "was written by a newer DuckDB",
    a_damaged_file: "is damaged",
}


@pytest.mark.parametrize("make", CATALOGS, ids=lambda make: make.__name__)
def test_a_file_that_is_no_catalog_is_named_and_stays_as_it_is(tmp_path: Path, make: Callable[[Path], None]) -> None:
    project = things_project(tmp_path)
    project.put(key_of("a.parquet"), data_file([1]))
    project.catalog.parent.mkdir(exist_ok=True)
    make(project.catalog)
    before = None if project.catalog.is_dir() else project.catalog.read_bytes()
    for command in (("register",), ("ingest-check",), ("status",), ("query", "SELECT 1")):
        assert_told(project.run(*command), str(project.catalog), CATALOGS[make], "LOTUSLAKE_CATALOG_URL")
    if before is not None:
        assert project.catalog.read_bytes() == before


def test_a_catalog_that_a_killed_program_left_empty_becomes_a_lake(things: Project) -> None:
    things.catalog.parent.mkdir(exist_ok=True)
    duckdb.connect(things.catalog).close()
    things.put(key_of("a.parquet"), data_file([1]))
    assert things.json("ingest-check").stream(STREAM)["pending_files"] == 1
    assert things.json("register").stream(STREAM)["registered_files"] == 1


@pytest.mark.parametrize("version", ["0.2", "9.0"])
def test_a_catalog_of_another_ducklake_is_named(things: Project, version: str) -> None:
    things.put(key_of("a.parquet"), data_file([1]))
    things.json("register")
    with duckdb.connect(things.catalog) as connection:
        connection.execute(f"UPDATE ducklake_metadata SET value = '{version}' WHERE key = 'version'")
    for command in (("register",), ("status",), ("query", "SELECT 1")):
        assert_told(things.run(*command), f"is a catalog of DuckLake {version}, this program reads 1.0")


def test_a_data_root_that_is_not_the_lakes_is_told_with_the_one_that_is(things: Project) -> None:
    things.put(key_of("a.parquet"), data_file([1]))
    things.json("register")
    made_with = things.root / ".lotuslake" / "data"
    outcome = things.run("status", "--data-url", str(things.root / "elsewhere"))
    assert_told(outcome, "LOTUSLAKE_DATA_URL", f"was made with the data root {made_with}/", "elsewhere")


@pytest.fixture
def lake(things: Project) -> Project:
    """A lake with something to do for each stage."""
    things.put(key_of("a.parquet"), data_file([1]))
    things.json("run")
    things.put(key_of("b.parquet"), data_file([2]))
    return things


@pytest.mark.parametrize(
    ("place", "setting"),
    [
        (".", "LOTUSLAKE_CATALOG_URL"),
        (".lotuslake", "LOTUSLAKE_CATALOG_URL"),
        (".lotuslake/data", "LOTUSLAKE_DATA_URL"),
        (".lotuslake/temp", "LOTUSLAKE_TEMP_DIR"),
    ],
)
def test_a_place_on_a_read_only_mount(lake: Project, place: str, setting: str) -> None:
    folder = lake.root / place
    with read_only(folder):
        for command in READING:
            assert lake.run(*command).exit_code == 0, command
        for command in WRITING:
            assert_told(lake.run(*command), setting, "lies on a read-only file system")
    assert lake.json("run").envelope["data"]["register"]["streams"][0]["registered_files"] == 1
    assert lake.rows("SELECT id FROM processed.int_test__things ORDER BY id") == [(1,), (2,)]


def test_a_project_without_a_folder_to_spill_to_is_read_all_the_same(lake: Project) -> None:
    """As in a pod whose root is read-only: there is a lake, and no `.lotuslake/temp` yet."""
    lake.environment["LOTUSLAKE_TEMP_DIR"] = str(lake.root / "closed" / "temp")
    (lake.root / "closed").mkdir()
    with read_only(lake.root / "closed"):
        for command in READING:
            assert lake.run(*command).exit_code == 0, command


def test_reading_a_lake_leaves_no_trace_in_it(lake: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in (lake.root / ".lotuslake").rglob("*") if path.is_file()}
    for command in READING:
        assert lake.run(*command).exit_code == 0, command
    after = {path: path.stat().st_mtime_ns for path in (lake.root / ".lotuslake").rglob("*") if path.is_file()}
    assert after == before


def test_a_project_folder_that_takes_no_starter(tmp_path: Path) -> None:
    with read_only(tmp_path):
        outcome = Project(tmp_path).run("demo", "--scale", "0.05")
    assert_told(outcome, str(tmp_path), "Read-only file system")
    assert list(tmp_path.iterdir()) == []


def run_held_back(project: Project, *arguments: str) -> Outcome:
    """The program as one whom the modes of files hold back: root without the rights that pass them over."""
    held_back = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    ended = subprocess.run(
        [*held_back, sys.executable, "-c", START, *arguments],
        cwd=project.root,
        env=project.environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    return Outcome(ended.returncode, ended.stdout, ended.stderr)


def test_a_catalog_that_this_user_may_only_read(lake: Project) -> None:
    lake.catalog.chmod(0o444)
    for command in READING:
        assert run_held_back(lake, *command).exit_code == 0, command
    assert_told(run_held_back(lake, "register"), str(lake.catalog), "permission denied")
    lake.catalog.chmod(0o000)
    assert_told(run_held_back(lake, "status"), str(lake.catalog), "permission denied")


def test_a_data_root_that_this_user_may_only_read(lake: Project) -> None:
    data = lake.root / ".lotuslake" / "data"
    data.chmod(0o555)
    for command in READING:
        assert run_held_back(lake, *command).exit_code == 0, command
    assert_told(run_held_back(lake, "register"), "LOTUSLAKE_DATA_URL", str(data), "permission denied")


def test_a_state_folder_that_is_a_file(things: Project) -> None:
    write(things.root / ".lotuslake", "not a folder")
    assert_told(things.run("register"), ".lotuslake")


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("ingest-check", "--json"),
        ("query", "SELECT 1"),
        ("query", "FROM range(20000)", "--json"),
        ("query", "x"),
    ],
    ids=" ".join,
)
def test_what_is_printed_does_not_fit(lake: Project, arguments: tuple[str, ...]) -> None:
    """`/dev/full` is the kernel's own disk without room."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", START, *arguments],
            cwd=lake.root,
            env=lake.environ(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    # What was wrong before counts more.
    assert ended.returncode == (2 if arguments[-1] == "x" else 3)
    assert ("the disk that holds what is printed is full" in ended.stderr) == (ended.returncode == 3)
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
