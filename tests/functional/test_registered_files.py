"""What becomes of files that are registered already: fields that join, fields retyped, other content, another root."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from tests.functional.program import Project, write
from tests.functional.things import MODEL, STREAM, STREAM_FILE, data_file, key_of


def test_a_field_added_later_is_filled_from_then_on_and_registering_anew_brings_its_history(things: Project) -> None:
    things.put(key_of("before.parquet"), data_file([1], colour=pa.array(["red"])))
    things.json("register")
    things.json("transform")
    write(things.root / "streams" / f"{STREAM}.yml", STREAM_FILE + "  colour: {type: string}\n")
    write(things.root / "models" / "processed" / "int_test__things.sql", MODEL.replace("either,", "either, colour,"))
    things.put(key_of("later.parquet"), data_file([2], colour=pa.array(["blue"])))
    things.json("register")
    things.json("transform")
    colours = dict(things.rows("SELECT id, colour FROM processed.int_test__things"))
    assert colours[2] == "blue"
    assert colours.keys() == {1, 2}
    things.json("backfill", STREAM, "--reregister")
    for table in ("landing.stg_test__things", "processed.int_test__things"):
        assert dict(things.rows(f"SELECT id, colour FROM {table}")) == {1: "red", 2: "blue"}


def test_a_retyped_field_is_refused_until_it_is_registered_anew(things: Project) -> None:
    things.put(key_of("before.parquet"), data_file([1], amount=pa.array([5], pa.int64())))
    things.json("register")
    things.json("transform")
    write(
        things.root / "streams" / f"{STREAM}.yml",
        STREAM_FILE.replace("amount: {type: integer}", "amount: {type: number}"),
    )
    assert "--reregister" in things.json("register", expect=2).message
    things.json("backfill", STREAM, "--reregister")
    found = things.rows("SELECT typeof(amount), amount FROM processed.int_test__things")
    assert found == [("DOUBLE", 5.0)]


def test_an_object_of_the_same_size_and_other_content_takes_the_old_ones_place(things: Project) -> None:
    """Only its etag tells it from a copy, and only its footer from the same content."""
    old, new = data_file([1], name=pa.array(["red"])), data_file([2], name=pa.array(["tan"]))
    assert len(old) == len(new)
    things.put(key_of("same.parquet"), old)
    things.put(key_of("neighbour.parquet"), data_file([9]))
    things.json("register")
    things.json("transform")
    things.put(key_of("same.parquet"), new)
    things.json("register", expect=5)
    things.json("transform")
    for table in ("landing.stg_test__things", "processed.int_test__things"):
        assert things.rows(f"SELECT id, name FROM {table} ORDER BY id") == [(2, "tan"), (9, "thing 9")]
    assert things.rows("SELECT path, status FROM meta.files WHERE status = 'superseded'") == [
        (key_of("same.parquet"), "superseded")
    ]


@pytest.mark.parametrize("told", [["register", "--relocate"], ["backfill", STREAM, "--reregister"]])
def test_a_landing_root_that_moved_is_no_new_data_and_nothing_happens_until_one_says_so(
    things: Project, tmp_path: Path, told: list[str]
) -> None:
    for number in range(3):
        things.put(key_of(f"{number}.parquet"), data_file([number]))
    things.json("register")
    things.json("transform")
    moved = tmp_path / "moved"
    shutil.copytree(things.landing, moved)
    shutil.rmtree(things.landing)
    (moved / key_of("3.parquet")).write_bytes(data_file([3]))
    things.environment["LOTUSLAKE_LANDING_URL"] = str(moved)
    refused = things.run("register", "--full-sweep")
    assert refused.exit_code == 2
    assert "run: lotuslake register --relocate" in refused.message
    assert str(things.landing) in refused.message
    assert things.rows("SELECT count(*) FROM meta.files") == [(3,)]
    things.json(*told)
    things.json("register")
    names = things.rows("SELECT DISTINCT filename FROM landing.stg_test__things ORDER BY 1")
    assert names == [(str(moved / key_of(f"{number}.parquet")),) for number in range(4)]
    things.json("transform")
    assert things.rows("SELECT id FROM processed.int_test__things ORDER BY 1") == [(0,), (1,), (2,), (3,)]
    standing = things.rows("SELECT status, count(*) FROM meta.current_files GROUP BY ALL")
    assert standing == [("registered", 4)]


def test_a_wrong_landing_root_makes_no_file_missing(things: Project, tmp_path: Path) -> None:
    things.put(key_of("1.parquet"), data_file([1]))
    things.json("register")
    right = dict(things.environment)
    things.environment["LOTUSLAKE_LANDING_URL"] = str(tmp_path / "mistyped")
    for arguments in (["register"], ["register", "--full-sweep"]):
        assert things.run(*arguments).exit_code == 2
    # Not even by one who insists: the objects are not there.
    insisted = things.run("register", "--relocate")
    assert insisted.exit_code == 3
    things.environment.clear()
    things.environment.update(right)
    assert things.json("register", "--full-sweep").stream(STREAM)["registered_files"] == 0
    assert things.rows("SELECT id FROM landing.stg_test__things") == [(1,)]
    assert things.rows("SELECT status FROM meta.current_files") == [("registered",)]
