"""A disk is full, at COMMIT or anywhere: exit 3 and which one, nothing is lost, and with room again the work is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lotuslake.adapters.local_store import LocalStore
from lotuslake.config.starter import copy_starter
from lotuslake.config.streams import load_streams
from lotuslake.core.errors import DiskFullError
from tests.functional.program import Project
from tests.functional.things import things_project
from tests.support.disks import small_disk
from tests.support.fault_lake import EmbeddedLake, Item, items, path_of
from tests.support.tally import count

# Free bytes, from none to what lets all but the last write through: the disk is full at another moment each time.
FREE = [0, 4_096, 16_384, 40_960, 131_072, 393_216]
SHORT = {("catalog", 0), ("catalog", 40_960), ("data", 0), ("temp", 0)}
SCENES = [
    pytest.param(what, free, marks=[] if (what, free) in SHORT else pytest.mark.long)
    for what in ("catalog", "data", "temp")
    for free in FREE
]


@pytest.mark.parametrize(("what", "free"), SCENES)
def test_a_disk_is_full(embedded_lake: EmbeddedLake, what: str, free: int) -> None:
    lake = embedded_lake
    state = lake.root / ".lotuslake"
    # The catalog lies in .lotuslake/ itself: what is not to be on its disk lies elsewhere.
    where = {"catalog": state, "data": lake.root / "data", "temp": lake.root / "temp"}
    lake.environment |= {"LOTUSLAKE_DATA_URL": str(where["data"]), "LOTUSLAKE_TEMP_DIR": str(where["temp"])}
    with small_disk(where[what], 48) as disk:
        lake.put(path_of("first"), items(0, 3))
        lake.settle()
        lake.put(path_of("second"), [Item(1, 5), *items(10, 3)])
        lake.put(path_of("text"), items(20, 3), amount_type=pa.string())
        disk.fill(but_for=free)
        for command in ("register", "transform"):
            ended = lake.run(command, expect=(0, 3))
            count("full disks")
            if ended.exit_code:
                assert f"the disk that holds {where[what]}" in ended.stderr, ended.stderr
                assert "make room" in ended.stderr
            assert "Traceback" not in ended.stderr
            assert "unexpected" not in ended.stderr
        disk.make_room()
        lake.settle()
        lake.check()


SPILLS = "SELECT max(s) FROM (SELECT DISTINCT hash(range)::VARCHAR || range AS s FROM range(3000000))"


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        # DuckDB's own bound is 90 % of what is free when it starts.
        ({}, "there is no room left in LOTUSLAKE_TEMP_DIR"),
        ({"LOTUSLAKE_TEMP_LIMIT": "8MiB"}, "there is no room left in LOTUSLAKE_TEMP_DIR"),
        ({"LOTUSLAKE_TEMP_LIMIT": "8GiB"}, "the disk that holds {temp} is full"),
    ],
    ids=["default", "bound", "unbound"],
)
def test_a_query_spills_more_than_the_disk_takes(embedded_lake: EmbeddedLake, limit: dict[str, Any], told: str) -> None:
    lake = embedded_lake
    temp = lake.root / "temp"
    lake.environment["LOTUSLAKE_TEMP_DIR"] = str(temp)
    lake.put(path_of("first"), items(0, 3))
    lake.run("register")
    with small_disk(temp, 16):
        ended = lake.run("query", SPILLS, expect=(3,), LOTUSLAKE_MEMORY_LIMIT="64MiB", **limit)
    count("full disks")
    assert told.format(temp=temp) in ended.stderr


def test_a_starter_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    """Half a folder streams/ would be taken for the person's own the next time."""
    project = Project(tmp_path / "project")
    with small_disk(project.root, 8) as disk:
        disk.fill(but_for=131_072)
        outcome = project.run("demo", "--scale", "0.05")
        count("full disks")
        assert outcome.exit_code == 3, outcome.stderr
        assert f"the disk that holds {project.root}" in outcome.message
        disk.make_room()
        assert list(project.root.iterdir()) == []
        assert copy_starter(project.root)
        assert load_streams(project.root).all


def test_what_lands_does_not_fit(tmp_path: Path) -> None:
    """`demo` writes the landing root itself: what is there is whole, and the rest comes with the next run."""
    project = things_project(tmp_path)
    with small_disk(project.landing, 1) as disk:
        store = LocalStore(project.landing)
        store.put("a", b"x" * 4096)
        disk.fill(but_for=4096)
        with pytest.raises(DiskFullError, match=str(project.landing)):
            store.put("b", b"x" * 65_536)
        disk.make_room()
        assert [file.path for file in store.list_objects("")] == ["a"]
        store.put("b", b"x" * 65_536)
        assert [file.size_bytes for file in store.list_objects("")] == [4096, 65_536]
