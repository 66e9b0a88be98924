"""Which generation of a full-refresh stream is shown; docs/histories.md has the table that these cases come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from lotuslake.core.build import built_by
from lotuslake.core.choice import choose_content
from lotuslake.core.content import Choice, Evidence, Outcome
from lotuslake.core.data_file import FileStatus, LedgerEntry
from lotuslake.core.healing import EMPTIED
from lotuslake.core.transform_plan import Cursor
from tests.support.lake import CATALOGUE, NOW, an_entry

OVERWRITE = replace(CATALOGUE, destination_sync_mode="overwrite")


def entry(
    seq: int, generation: int | None, hours_ago: float, *, sync: int | None = None, rows: int = 10
) -> LedgerEntry:
    at = NOW - timedelta(hours=hours_ago)
    found = an_entry(seq, generation_id=generation, newest_extracted_at=at, at=at, rows=rows)
    return replace(found, sync_id=sync, oldest_extracted_at=at)


def gone(one: LedgerEntry, status: FileStatus = FileStatus.MISSING, reason: str | None = None) -> LedgerEntry:
    return replace(one, status=status, reason=reason)


def shows(one: LedgerEntry | None) -> Cursor:
    """A table that shows the generation which began with a file."""
    return Cursor(
        version=4,
        position=one.seq if one else 9,
        generation_id=one.generation_id if one else None,
        built_by=built_by(CATALOGUE, one.file.path if one else None),
    )


def choose(
    entries: Sequence[LedgerEntry],
    cursor: Cursor,
    *,
    stream: object = CATALOGUE,
    accepted: Sequence[str] = (),
    outcomes: dict[int, Outcome] | None = None,
    rows_shown: int = 10,
) -> Choice:
    evidence = Evidence(
        NOW,
        lambda id_: any(part in id_ for part in accepted),
        (outcomes or {}).get,
        lambda: rows_shown,
    )
    return choose_content(stream, entries, cursor, evidence)  # type: ignore[arg-type]


def told(choice: Choice) -> tuple[list[int] | None, bool | None, list[str]]:
    """Log numbers of the files to show, whether they are shown already, and the kinds of the findings."""
    kinds = [str(finding.kind) for finding in choice.findings]
    content = choice.content
    return (None, None, kinds) if content is None else ([e.seq for e in content.entries], content.is_shown, kinds)


OLD, NEW, COMING = entry(1, 1, 48), entry(2, 2, 24), entry(3, 3, 0.1)
DIED = entry(2, 2, 1)
TRIED_AGAIN = [entry(1, 0, 48, sync=1), gone(entry(2, 1, 1, sync=1))]


@pytest.mark.parametrize(
    ("what", "stream", "entries", "cursor", "expected"),
    [
        ("nothing at all", CATALOGUE, [], Cursor(), ([], False, [])),
        ("nothing any more", CATALOGUE, [], shows(OLD), (None, None, [])),
        ("the first, as it comes", CATALOGUE, [COMING], Cursor(), ([3], False, [])),
        ("no first: its job was tried again", CATALOGUE, TRIED_AGAIN, Cursor(), (None, None, ["incomplete"])),
        ("what is shown stays", CATALOGUE, [COMING], shows(COMING), ([3], True, [])),
        ("settled", CATALOGUE, [OLD, NEW], shows(OLD), ([2], False, [])),
        ("coming", CATALOGUE, [OLD, COMING], shows(OLD), ([1], True, [])),
        ("coming, the old one gone", CATALOGUE, [gone(OLD), COMING], shows(OLD), (None, None, [])),
        ("died, its successor begins", CATALOGUE, [OLD, DIED, COMING], shows(OLD), ([1], True, ["incomplete"])),
        ("died, its successor vanished", CATALOGUE, [OLD, DIED, gone(COMING)], shows(OLD), ([1], True, ["incomplete"])),
        ("died, its successor is there", CATALOGUE, [OLD, entry(2, 2, 7), entry(3, 3, 6)], shows(OLD), ([3], False, [])),
        ("complete, then one comes", CATALOGUE, [OLD, NEW, COMING], shows(OLD), ([2], False, [])),
        ("never built, none complete", CATALOGUE, [DIED, COMING], Cursor(), (None, None, ["incomplete"])),
        ("older ones are no way back", CATALOGUE, [OLD, gone(NEW)], shows(NEW), (None, None, [])),
        ("overwrite, older left", OVERWRITE, [OLD, NEW], shows(OLD), ([1], True, ["held_back"])),
        ("overwrite, older gone", OVERWRITE, [gone(OLD), NEW], shows(OLD), ([2], False, [])),
        ("overwrite, died", OVERWRITE, [OLD, NEW, COMING], shows(OLD), ([1], True, ["incomplete"])),
        ("overwrite, shown stays", OVERWRITE, [OLD, NEW], shows(NEW), ([2], True, [])),
        ("overwrite, another connection's left", OVERWRITE, [entry(1, 5, 48), NEW], shows(entry(1, 5, 48)), ([2], False, [])),
        ("left from before what is shown", OVERWRITE, [OLD, gone(NEW), entry(3, 3, 5)], shows(NEW), ([3], False, [])),
    ],
)  # fmt: skip
def test_what_is_shown(
    what: str, stream: object, entries: list[LedgerEntry], cursor: Cursor, expected: tuple[object, ...]
) -> None:
    assert told(choose(entries, cursor, stream=stream)) == expected, what


@pytest.mark.parametrize(
    ("noticed", "expected"),
    [(5, ([2], False, [])), (0.05, (None, None, ["incomplete"])), (None, (None, None, ["incomplete"]))],
)
def test_what_a_later_sync_deletes_does_not_vouch_for_the_one_before_it(
    noticed: float | None, expected: tuple[object, ...]
) -> None:
    """The old objects went, as far as is known, before or after the next sync began to write."""
    at = None if noticed is None else NOW - timedelta(hours=noticed)
    entries = [replace(gone(OLD), recorded_at=at), NEW, COMING]
    assert told(choose(entries, shows(OLD), stream=OVERWRITE)) == expected


def test_of_two_attempts_of_one_job_the_earlier_was_never_complete() -> None:
    """However long ago it was: a job is tried again only when an attempt failed."""
    attempts = [entry(2, 2, 24, sync=7), entry(3, 3, 0.1, sync=7)]
    assert told(choose([OLD, *attempts], shows(OLD))) == ([1], True, ["incomplete"])


@pytest.mark.parametrize(
    ("outcome", "hours_ago", "expected"),
    [
        ("succeeded", 0.1, ([2], False, [])),
        ("failed", 24, ([1], True, ["incomplete"])),
        ("under_way", 24, ([1], True, [])),
    ],
)
@pytest.mark.parametrize("stream", [CATALOGUE, OVERWRITE])
def test_airbyte_says_whether_a_job_succeeded(
    stream: object, outcome: Outcome, hours_ago: float, expected: tuple[object, ...]
) -> None:
    entries = [OLD, entry(2, 2, hours_ago, sync=7)]
    assert told(choose(entries, shows(OLD), stream=stream, outcomes={7: outcome})) == expected


def test_a_generation_that_waits_for_older_objects_is_shown_once_it_is_accepted() -> None:
    assert told(choose([OLD, NEW], shows(OLD), stream=OVERWRITE, accepted=[":left:"])) == ([2], False, [])


def test_an_incomplete_generation_is_not_shown_by_accepting_its_finding() -> None:
    choice = choose([OLD, DIED, COMING], shows(OLD), accepted=["incomplete"])
    assert told(choice) == ([1], True, ["incomplete"])


def test_a_fall_beyond_max_shrink_is_measured_by_what_the_table_shows() -> None:
    few = entry(2, 2, 24, rows=4)
    choice = choose([OLD, few], shows(OLD), rows_shown=9)
    assert told(choice) == ([1], True, ["held_back"])
    assert choice.content is not None
    assert choice.content.held_back is not None
    assert "has 4 rows, the table shows 9" in choice.content.held_back
    assert told(choose([OLD, few], shows(OLD), rows_shown=8)) == ([2], False, [])
    assert told(choose([OLD, few], shows(OLD), rows_shown=9, accepted=[":rows:"])) == ([2], False, [])
    assert told(choose([gone(OLD), few], shows(OLD), rows_shown=9)) == (None, None, ["held_back"])


def test_a_stream_whose_emptiness_was_accepted_is_empty() -> None:
    emptied = gone(OLD, FileStatus.SUPERSEDED, EMPTIED)
    assert told(choose([emptied], shows(OLD))) == ([], False, [])
    assert told(choose([emptied], shows(None))) == (None, None, [])
    assert told(choose([emptied, entry(5, 2, 24)], shows(None))) == ([5], False, [])


def test_two_syncs_that_cannot_be_told_apart_are_said() -> None:
    at = NOW - timedelta(hours=5)
    files = [replace(one, file=replace(one.file, last_modified_at=at)) for one in (entry(1, 0, 48), entry(2, 0, 30))]
    assert told(choose(files, shows(files[0]))) == ([1, 2], True, ["untold"])


def test_a_table_of_an_older_version_shows_the_newest_generation_of_its_id_that_it_has_read() -> None:
    old_cursor = Cursor(version=4, position=1, generation_id=0)
    first, again = entry(1, 0, 90, sync=1), entry(2, 0, 40, sync=2)
    assert told(choose([first, again], old_cursor)) == ([2], False, [])
    assert told(choose([first, again], replace(old_cursor, position=2))) == ([2], True, [])
