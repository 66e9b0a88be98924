"""Records whose key is wholly NULL: kept as rows of their own or left out, counted and reported either way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.program import Project, make_project, write
from tests.support.keyless import (
    GONE_WITHOUT_KEY,
    MODEL,
    SHOWN,
    SQL,
    STREAM,
    WITH_KEY,
    Shown,
    Sighting,
    path_of,
    shown,
    sightings_file,
    stream_file,
    without_key,
)

COUNT = f"SELECT null_keys FROM meta.cursor_{MODEL}"
FINDINGS = "SELECT subject, reason FROM meta.findings WHERE kind = 'null_keys'"


def project_with(root: Path, null_keys: str, key: str = "[shop, id]") -> Project:
    return make_project(root, {STREAM: stream_file(null_keys, key)}, {f"processed/{MODEL}.sql": SQL})


def land(project: Project, name: str, records: list[Sighting]) -> None:
    project.put(path_of(name), sightings_file(records))
    assert project.run("register").exit_code in {0, 5}


def in_passes_of(project: Project, rows: int) -> None:
    """From now on a rebuild is published in passes over so few rows."""
    path = project.root / "models" / "macros" / "build_processed.sql"
    text = path.read_text(encoding="utf-8")
    assert "rows_in_a_pass = 2000000" in text
    path.write_text(text.replace("rows_in_a_pass = 2000000", f"rows_in_a_pass = {rows}"), encoding="utf-8")


def table(project: Project) -> list[Shown]:
    return sorted(((shop, id_, note, deleted, raw) for shop, id_, note, deleted, raw in project.rows(SHOWN)), key=repr)


@pytest.mark.parametrize("null_keys", ["", "drop"])
def test_a_thousand_records_without_a_key(tmp_path: Path, null_keys: str) -> None:
    keeps = null_keys != "drop"
    project = project_with(tmp_path, null_keys)
    thousand = without_key(0, 1000)
    land(project, "1", [*WITH_KEY, *thousand])
    outcome = project.json("transform", expect=5)
    assert outcome.stream(STREAM)["rows"] == 1007
    assert table(project) == shown([*WITH_KEY, *thousand], keeps=keeps)
    assert len(table(project)) == (1004 if keeps else 4)
    ((subject, reason),) = project.rows(FINDINGS)
    assert subject == "shop, id"
    assert reason.startswith("1,000 records have no key, shop, id being NULL: ")
    assert (
        "`null_keys: drop` in the stream's file would" if keeps else "stay in landing.stg_test__sightings"
    ) in reason
    assert project.run("ingest-check").exit_code == 5

    assert project.run("accept", STREAM, "--kind", "null_keys", "--reason", "they are walk-ins").exit_code == 0
    assert project.run("transform").exit_code == 0
    # The same records again, as in an overlapping file or a replay, and a newer version of a key.
    newer = [*thousand[:10], Sighting("a", 1, 9, "a1 newest")]
    land(project, "2", newer)
    assert project.run("transform").exit_code == (0 if keeps else 5)
    assert table(project) == shown([*WITH_KEY, *thousand, *newer], keeps=keeps)
    # What is dropped shows nowhere, so what comes twice counts twice until the table is built anew.
    assert project.rows(COUNT) == [(1000 if keeps else 1010,)]

    more = without_key(5000, 3)
    land(project, "3", [*more, *GONE_WITHOUT_KEY])
    assert project.run("transform").exit_code == 5
    assert project.rows(COUNT) == [(1004 if keeps else 1014,)]
    everything = [*WITH_KEY, *thousand, *newer, *more, *GONE_WITHOUT_KEY]
    assert table(project) == shown(everything, keeps=keeps)
    assert [reason.split()[0] for _, reason in project.rows(FINDINGS)] == ["1,004" if keeps else "1,014"]
    assert len(project.rows("SELECT * FROM meta.findings")) == 1


@pytest.mark.parametrize("null_keys", ["keep", "drop"])
def test_rebuilds_replays_and_shards_show_the_same(tmp_path: Path, null_keys: str) -> None:
    project = project_with(tmp_path, null_keys)
    project.environment["LOTUSLAKE_BATCH_MAX_FILES"] = "1"
    batches = [
        [*WITH_KEY[:4], *without_key(0, 5)],
        [*WITH_KEY[4:], *without_key(3, 5, minute=2), *GONE_WITHOUT_KEY],
        [*without_key(6, 1), *GONE_WITHOUT_KEY],
    ]
    for number, records in enumerate(batches):
        land(project, str(number), records)
    like = shown([one for records in batches for one in records], keeps=null_keys == "keep")

    def check(*arguments: str) -> None:
        assert project.run(*arguments).exit_code == 5
        assert table(project) == like
        assert project.rows(COUNT) == [(9,)]
        assert len(project.rows(FINDINGS)) == 1

    check("transform")
    check("backfill", STREAM, "--from", "2026-01-01")
    check("transform", "--full-refresh")
    assert project.run("backfill", STREAM, "--shards", "2", "--shard-index", "0").exit_code == 5
    check("backfill", STREAM, "--shards", "2", "--shard-index", "1")
    in_passes_of(project, 4)
    check("transform", "--full-refresh")
    project.environment["LOTUSLAKE_BATCH_MAX_FILES"] = "9"
    check("transform", "--full-refresh")


def test_another_word_in_the_streams_file_asks_for_a_rebuild(tmp_path: Path) -> None:
    project = project_with(tmp_path, "")
    land(project, "1", [*WITH_KEY, *without_key(0, 3)])
    assert project.run("transform").exit_code == 5
    assert project.run("accept", STREAM, "--reason", "known").exit_code == 0
    for null_keys, rows in (("drop", 4), ("keep", 7)):
        write(tmp_path / "streams" / f"{STREAM}.yml", stream_file(null_keys))
        # That they are left out is another thing than what was accepted.
        assert project.run("transform").exit_code == (5 if null_keys == "drop" else 0)
        assert len(table(project)) == rows
        assert project.rows(COUNT) == [(3,)]


def test_the_finding_closes_when_no_such_record_is_left(tmp_path: Path) -> None:
    project = project_with(tmp_path, "", key="id")
    land(project, "1", [Sighting("a", 1, 1, "a1")])
    land(project, "2", without_key(0, 1))
    assert project.run("transform").exit_code == 5
    ((subject, reason),) = project.rows(FINDINGS)
    assert subject == "id"
    assert reason.startswith("1 record has no key, id being NULL: ")
    project.put(path_of("2"), sightings_file([Sighting("a", 2, 2, "a2")]))
    # The object was written over: landing is healed, and what was made of the old one is built anew.
    project.run("register", "--full-sweep")
    assert project.run("transform").exit_code == 0
    assert project.rows(FINDINGS) == []
    assert project.rows(COUNT) == [(0,)]
    assert len(table(project)) == 2


def test_a_lake_without_such_records_counts_nothing(tmp_path: Path) -> None:
    project = project_with(tmp_path, "drop")
    for number in (1, 2):
        land(project, str(number), [one for one in WITH_KEY if one.minute == number])
        assert project.run("transform").exit_code == 0
        assert project.rows(COUNT) == [(None,)]
