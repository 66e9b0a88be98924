"""The 97 files of apache/parquet-testing, 17 of them bad on purpose, among good ones of three streams."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.instance_options import InstanceOptions
from lotuslake.adapters.local_store import LocalStore
from lotuslake.adapters.parquet_footers import ParquetFooters
from lotuslake.adapters.unreadable_pages import UnreadablePages
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.setting_aside import UNREADABLE
from tests.functional.program import make_project, write
from tests.functional.things import MODEL, STREAM_FILE, data_file, key_of
from tests.support.cluster import ClusterLake

STREAMS = ("test/things", "test/others", "test/copies")
FILES = {name: STREAM_FILE + ("landing: copy\n" if name == "test/copies" else "") for name in STREAMS}
GOOD_FILES = 40
IDS = [[2 * number, 2 * number + 1] for number in range(GOOD_FILES)]


def key(stream: str, name: str) -> str:
    return key_of(name).replace("test/things", stream)


def model_of(stream: str) -> str:
    return f"int_{stream.replace('/', '__')}"


@dataclass(frozen=True)
class Place:
    """A lake somewhere, with what the test needs of it; a command gives its exit code, its envelope and all its text."""

    put: Callable[[str, bytes], Any]
    run: Callable[..., tuple[int, dict[str, Any], str]]
    read: Callable[[str], bytes]


@pytest.fixture
def embedded(tmp_path: Path) -> Place:
    models = {f"processed/{model_of(stream)}.sql": MODEL for stream in STREAMS}
    project = make_project(tmp_path, FILES, models)

    def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
        outcome = project.run(*arguments, "--json")
        return outcome.exit_code, outcome.envelope, outcome.stdout + outcome.stderr

    return Place(project.put, run, lambda path: (project.landing / path).read_bytes())


@pytest.fixture
def on_s3(cluster_lake: ClusterLake) -> Place:
    for folder, kept in (("streams", ()), ("models/processed", ()), ("models/enriched", ()), ("models/tests", ())):
        for path in [
            path for path in (cluster_lake.project / folder).rglob("*") if path.is_file() and path.name not in kept
        ]:
            path.unlink()
    for stream in STREAMS:
        write(cluster_lake.project / "streams" / f"{stream}.yml", FILES[stream])
        write(cluster_lake.project / "models" / "processed" / f"{model_of(stream)}.sql", MODEL)

    def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
        outcome = cluster_lake.run(*arguments, "--json")
        return outcome.exit_code, outcome.envelope, outcome.stdout + outcome.stderr

    def read(path: str) -> bytes:
        found = cluster_lake.storage.client().get_object(Bucket=cluster_lake.bucket, Key=f"landing/{path}")
        body: bytes = found["Body"].read()
        return body

    return Place(cluster_lake.put, run, read)


@pytest.mark.parametrize("where", ["embedded", "on_s3"])
def test_good_files_come_in_whole_among_foreign_ones(
    where: str, foreign_files: dict[str, bytes], request: pytest.FixtureRequest
) -> None:
    place: Place = request.getfixturevalue(where)
    for stream in STREAMS:
        for name, body in foreign_files.items():
            place.put(key(stream, name), body)
        for number, ids in enumerate(IDS):
            # Between the foreign ones, in every third place.
            place.put(key(stream, f"{2 * number:03}_good.parquet"), data_file(ids))
    code, envelope, told = place.run("register")
    assert code == 5, told
    for item in envelope["data"]["streams"]:
        taken = "copied_files" if item["stream"] == "test/copies" else "registered_files"
        assert item[taken] == GOOD_FILES
        assert item["quarantined_files"] + item["empty_files"] == len(foreign_files)
        assert item["rows"] == 2 * GOOD_FILES
    assert "Traceback" not in told
    code, _, told = place.run("transform")
    assert code == 5, told
    for stream in STREAMS:
        query = f"SELECT count(*), count(DISTINCT id), min(id), max(id), sum(amount) FROM processed.{model_of(stream)}"
        _, envelope, _ = place.run("query", query)
        [row] = envelope["data"]["rows"]
        numbers = list(row.values()) if isinstance(row, dict) else row
        last = 2 * GOOD_FILES - 1
        assert [int(number) for number in numbers] == [last + 1, last + 1, 0, last, last * (last + 1) // 2]
    code, envelope, _ = place.run("register")
    assert code == 5
    assert all(item["batches"] == 0 for item in envelope["data"]["streams"])
    for name, body in foreign_files.items():
        assert hashlib.sha256(place.read(key(STREAMS[0], name))).digest() == hashlib.sha256(body).digest()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DuckDbInstance]:
    options = InstanceOptions(
        str(tmp_path / "catalog.ducklake"), str(tmp_path / "data"), 512 * 1024**2, 2, tmp_path / "temp"
    )
    opened = DuckDbInstance(options)
    yield opened
    opened.close()


def test_every_foreign_file_is_judged_by_itself(
    foreign_files: dict[str, bytes], instance: DuckDbInstance, tmp_path: Path
) -> None:
    """Footer, then every page of every column: each is read or has a reason, and the DuckDB of the lake lives on."""
    root = tmp_path / "landing"
    for name, body in foreign_files.items():
        (root / "x").mkdir(parents=True, exist_ok=True)
        (root / "x" / name).write_bytes(body)
    store = LocalStore(root)
    footers, pages = ParquetFooters(instance, store), UnreadablePages(instance, store)
    found = footers.read(list(store.list_objects("x")))
    assert len(found) == len(foreign_files)
    read, unreadable, damaged = 0, [], []
    for footer in found:
        if isinstance(footer, Unreadable):
            unreadable.append(footer.file.path)
            assert footer.reason
            continue
        assert isinstance(footer, Footer)
        reason = pages.find_reason(footer.file, footer.columns)
        if reason is None:
            read += 1
        else:
            assert reason.startswith(UNREADABLE)
            damaged.append(footer.file.path)
    assert read + len(unreadable) + len(damaged) == len(foreign_files)
    # What the README of bad_data says to be unreadable is never read as good.
    good = duckdb.connect().execute("SELECT 1").fetchall()
    assert good == [(1,)]
    assert instance.connection.execute("SELECT 1").fetchall() == [(1,)]
    assert read >= 60, (unreadable, damaged)
