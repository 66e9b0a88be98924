"""Files of whole folders are added by a pattern: exactly those of the batch, whatever else comes into the folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from lotuslake.adapters.ducklake_files import DuckLakeFiles
from lotuslake.adapters.whole_folders import FEWEST
from tests.functional.program import Project
from tests.functional.things import STREAM, data_file, key_of

Call = Callable[[DuckLakeFiles, str, Sequence[str]], None]


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What each call was given: patterns or names, from the day's folder on."""
    calls: list[list[str]] = []
    watch(monkeypatch, lambda files: calls.append([file.split(f"{STREAM}/")[-1] for file in files]))
    return calls


def watch(monkeypatch: pytest.MonkeyPatch, before: Callable[[Sequence[str]], None]) -> None:
    call: Call = DuckLakeFiles._call

    def watched(self: DuckLakeFiles, table: str, files: Sequence[str]) -> None:
        if files:
            before(files)
        call(self, table, files)

    monkeypatch.setattr(DuckLakeFiles, "_call", watched)


def land(things: Project, ids: Sequence[int], *, days_ago: int = 0) -> None:
    for number in ids:
        things.put(key_of(f"{number:04}_0.parquet", days_ago=days_ago), data_file([number]))


def folder(days_ago: int) -> str:
    return key_of("", days_ago=days_ago).removeprefix(f"{STREAM}/").rstrip("/")


def landed(things: Project) -> list[int]:
    """Ids in the landing table; a double would show twice."""
    return [key for (key,) in things.rows("SELECT id FROM landing.stg_test__things ORDER BY id")]


def test_a_whole_folder_is_one_pattern_and_a_small_one_is_named_file_by_file(
    things: Project, added: list[list[str]]
) -> None:
    land(things, range(FEWEST), days_ago=1)
    land(things, range(FEWEST, FEWEST + 2))
    item = things.json("register").stream(STREAM)
    assert (item["registered_files"], landed(things)) == (FEWEST + 2, list(range(FEWEST + 2)))
    names = [f"{folder(0)}/{number:04}_0.parquet" for number in (FEWEST, FEWEST + 1)]
    assert added == [[f"{folder(1)}/*"], names]


def test_many_small_days_of_one_month_are_one_pattern(things: Project, added: list[list[str]]) -> None:
    for number in range(FEWEST):
        things.put(f"{STREAM}/year=2026/month=03/day={number % 28 + 1:02}/{number:04}_0.parquet", data_file([number]))
    things.json("register")
    assert (added, landed(things)) == ([["year=2026/month=03/*/*"]], list(range(FEWEST)))


def test_a_folder_that_holds_anything_else_is_named_file_by_file(things: Project, added: list[list[str]]) -> None:
    land(things, range(3))
    things.json("register")
    added.clear()
    # One folder with registered files, one with a quarantined file, one with a name that a pattern would mistake.
    land(things, range(3, FEWEST + 3))
    land(things, range(100, 100 + FEWEST), days_ago=1)
    things.put(key_of("bad.parquet", days_ago=1), b"PAR1")
    land(things, range(200, 200 + FEWEST), days_ago=2)
    things.put(key_of("[0-9]*.parquet", days_ago=2), data_file([300]))
    item = things.json("register", expect=5).stream(STREAM)
    assert (item["registered_files"], item["quarantined_files"]) == (3 * FEWEST + 1, 1)
    assert landed(things) == [*range(FEWEST + 3), *range(100, 100 + FEWEST), *range(200, 200 + FEWEST), 300]
    assert not [file for call in added for file in call if file.endswith("/*")]


@pytest.mark.parametrize("change", ["comes", "goes and comes back otherwise named"])
def test_a_folder_that_changes_meanwhile_gives_exactly_the_files_of_the_batch(
    things: Project, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    land(things, range(FEWEST))
    patterns: list[str] = []

    def meanwhile(files: Sequence[str]) -> None:
        if files[0].endswith("/*"):
            patterns.extend(files)
            things.put(key_of("9999_0.parquet"), data_file([9999]))
            if change != "comes":
                # As many files as before: counting them would not show it.
                (things.landing / key_of("0000_0.parquet")).rename(things.landing / key_of("held.back"))

    watch(monkeypatch, meanwhile)
    if change == "comes":
        assert things.json("register").stream(STREAM)["registered_files"] == FEWEST
    else:
        things.json("register", expect=3)
        assert landed(things) == []
        (things.landing / key_of("held.back")).rename(things.landing / key_of("0000_0.parquet"))
        monkeypatch.undo()
    things.json("register")
    assert patterns
    assert landed(things) == [*range(FEWEST), 9999]
    assert things.json("register").stream(STREAM)["registered_files"] == 0
