"""A perfect footer before pages that cannot be read: the file is set aside by the transform that meets it."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lotuslake.core.setting_aside import UNREADABLE
from tests.functional.program import Project
from tests.functional.things import STREAM_FILE, columns, data_file, key_of, things_project
from tests.support.parquet_footer import DATA_PAGE_OFFSET, Value, chunks, rewrite

SECRET = b"Tom Sawyer, Hannibal"
COPYING = STREAM_FILE + "landing: copy\n"


def no_utf8(ids: list[int]) -> bytes:
    """The text of a column is Latin-1, as an old program may write it."""
    text = SECRET + b" caf\xe9"
    arrays = columns(ids)
    arrays["name"] = pa.array([text for _ in ids], pa.binary()).view(pa.string())
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays), sink, store_schema=False, use_dictionary=False)
    return sink.getvalue()


def damaged_page(ids: list[int]) -> bytes:
    """One byte in the middle of a compressed page is another."""
    body = bytearray(data_file(ids))
    offsets: list[int] = []

    def look(footer: Value) -> None:
        offsets.append(chunks(footer, "price")[0][DATA_PAGE_OFFSET].value)

    rewrite(bytes(body), look)
    for at in range(offsets[0] + 2, offsets[0] + 26):
        body[at] ^= 0xFF
    return bytes(body)


def put_all(project: Project) -> None:
    bodies = {
        "a good": data_file([1]),
        "b latin": no_utf8([2]),
        "c damaged": damaged_page([3]),
        "d good": data_file([4]),
    }
    for name, body in bodies.items():
        project.put(key_of(f"{name}.parquet"), body)


def ledger(project: Project) -> dict[str, tuple[str, str | None]]:
    found = project.rows("SELECT path, status, reason FROM meta.current_files")
    return {path.rsplit("/", 1)[-1].removesuffix(".parquet"): (status, reason) for path, status, reason in found}


def shown(project: Project) -> list[Any]:
    return [row[0] for row in project.rows("SELECT id FROM processed.int_test__things ORDER BY id")]


@pytest.mark.parametrize("stream_file", [STREAM_FILE, COPYING], ids=["by reference", "copied"])
def test_such_a_file_is_set_aside_and_the_rest_goes_on(tmp_path: Path, stream_file: str) -> None:
    project = things_project(tmp_path, stream_file=stream_file)
    put_all(project)
    is_copied = stream_file is COPYING
    registered = project.json("register", expect=5 if is_copied else 0)
    transformed = project.json("transform", expect=5)
    assert shown(project) == [1, 4]
    state = ledger(project)
    assert {name: status for name, (status, _) in state.items()} == {
        "a good": "copied" if is_copied else "registered",
        "b latin": "quarantined",
        "c damaged": "quarantined",
        "d good": "copied" if is_copied else "registered",
    }
    assert state["b latin"][1] == f"{UNREADABLE}column name holds text that is not UTF-8"
    assert state["c damaged"][1] == f"{UNREADABLE}column price is damaged, or packed in a way that DuckDB does not read"
    assert [row[0] for row in project.rows("SELECT id FROM landing.stg_test__things ORDER BY id")] == [1, 4]
    told = registered.stderr + registered.stdout + transformed.stderr + transformed.stdout
    assert "b latin.parquet" in told
    assert "c damaged.parquet" in told
    assert SECRET.decode() not in told
    findings = project.rows("SELECT subject FROM meta.findings WHERE kind = 'quarantined' ORDER BY subject")
    assert [subject.rsplit("/", 1)[-1] for (subject,) in findings] == ["b latin.parquet", "c damaged.parquet"]


def test_a_later_file_does_not_wait_and_a_retry_takes_the_mended_one(tmp_path: Path) -> None:
    project = things_project(tmp_path)
    put_all(project)
    project.json("register")
    project.json("transform", expect=5)
    project.put(key_of("e later.parquet"), data_file([5]))
    project.json("register", expect=5)
    project.json("transform", expect=5)
    assert shown(project) == [1, 4, 5]
    # Taken up again as it is, it is set aside again; the mended one comes in.
    project.json("register", "--retry-quarantined")
    project.json("transform", expect=5)
    assert shown(project) == [1, 4, 5]
    for name, id_ in (("b latin", 2), ("c damaged", 3)):
        project.put(key_of(f"{name}.parquet"), data_file([id_]))
    project.json("register", "--full-sweep")
    project.json("transform")
    assert shown(project) == [1, 2, 3, 4, 5]
    assert project.rows("SELECT count(*) FROM meta.findings") == [(0,)]


def test_a_column_that_nobody_declared_may_be_damaged(tmp_path: Path) -> None:
    project = things_project(tmp_path)
    arrays = columns([1]) | {"notes": pa.array([b"caf\xe9"], pa.binary()).view(pa.string())}
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays), sink, store_schema=False)
    project.put(key_of("odd.parquet"), sink.getvalue())
    project.json("register")
    project.json("transform")
    assert shown(project) == [1]


def test_an_object_that_is_gone_is_an_outage_and_no_quarantine(tmp_path: Path) -> None:
    project = things_project(tmp_path)
    put_all(project)
    project.json("register")
    shutil.rmtree(project.landing / "test")
    project.json("transform", expect=3)
    assert {status for status, _ in ledger(project).values()} == {"registered"}
