"""Which files are one generation; docs/histories.md has the rules and their sources."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lotuslake.core.data_file import FileStatus, LedgerEntry
from lotuslake.core.generation import split_generations
from tests.support.lake import CATALOGUE, NOW, ORDERS, an_entry

BEGAN = NOW - timedelta(days=30)


def entry(
    seq: int, generation: int | None, hours: float | None, *, sync: int | None = None, written: float | None = None
) -> LedgerEntry:
    """A file extracted so many hours after the beginning, and written then too unless said otherwise."""
    at = None if hours is None else BEGAN + timedelta(hours=hours)
    written_at = BEGAN + timedelta(hours=(hours or 0) if written is None else written)
    found = an_entry(seq, generation_id=generation, newest_extracted_at=at, at=written_at)
    return replace(found, sync_id=sync, oldest_extracted_at=at)


def split(*entries: LedgerEntry, stream: object = CATALOGUE) -> list[tuple[int | None, list[int]]]:
    return [(one.id, [e.seq for e in one.entries]) for one in split_generations(entries, stream)]  # type: ignore[arg-type]


def test_files_are_told_apart_by_generation_in_the_order_of_extraction() -> None:
    late_in_the_log = entry(1, 2, 1.5)
    entries = [late_in_the_log, entry(2, 1, 1), entry(4, 1, 1.2), entry(3, 1, 1.3), entry(5, None, None)]
    gone = replace(entry(6, 3, 9), status=FileStatus.MISSING)
    assert split(*entries, gone) == [(None, [5]), (1, [2, 3, 4]), (2, [1])]


def test_a_generation_is_a_set_whatever_the_order_of_its_files() -> None:
    """Issue: of two generations that interleave in time, one was torn into pieces."""
    files = [entry(1, 1, 0), entry(2, 2, 0.5), entry(3, 1, 1), entry(4, 2, 1.5), entry(5, 1, 2), entry(6, 2, 2.5)]
    assert split(*files) == [(1, [1, 3, 5]), (2, [2, 4, 6])]


@pytest.mark.parametrize(
    ("later", "is_another"),
    [
        # Airbyte says which job wrote a file: another job of a full refresh is another reading of the source.
        (entry(2, 0, 0.1, sync=8), True),
        (entry(2, 0, 48, sync=8), True),
        (entry(2, 0, 20, sync=7), False),
        # No job is silent for a day: Airbyte was installed anew and counts its jobs from 1 again.
        (entry(2, 0, 48, sync=7), True),
    ],
)
def test_the_same_generation_id_of_another_sync_is_another_connection(later: LedgerEntry, is_another: bool) -> None:
    expected = [(0, [1]), (0, [2])] if is_another else [(0, [1, 2])]
    assert split(entry(1, 0, 0, sync=7), later) == expected


@pytest.mark.parametrize(
    ("hours", "written", "is_another", "is_untold"),
    [
        (1, 1, False, False),
        (1, 9, False, False),
        (9, 9, True, False),
        (9, 1, False, True),
        (30, 1, True, False),
    ],
)
def test_without_a_sync_id_times_must_tell(hours: float, written: float, is_another: bool, is_untold: bool) -> None:
    files = [entry(1, 0, 0), entry(2, 0, hours, written=written)]
    assert split(*files) == ([(0, [1]), (0, [2])] if is_another else [(0, [1, 2])])
    assert any(one.is_untold for one in split_generations(files, CATALOGUE)) is is_untold


def test_a_sync_whose_generations_go_back_tells_nothing() -> None:
    files = [entry(1, 0, 0, sync=1), entry(2, 1, 5, sync=1), entry(3, 0, 10, sync=1), entry(4, 1, 15, sync=1)]
    assert split(*files) == [(0, [1]), (1, [2]), (0, [3]), (1, [4])]


def test_files_of_a_ledger_that_did_not_note_the_sync_join_those_near_them() -> None:
    assert split(entry(1, 4, 0), entry(2, 4, 1, sync=9)) == [(4, [1, 2])]
    assert split(entry(1, 4, 0), entry(2, 4, 9, sync=9)) == [(4, [1]), (4, [2])]


def test_in_an_incremental_stream_the_id_alone_delimits_a_generation() -> None:
    files = [entry(1, 0, 0, sync=1), entry(2, 1, 50, sync=2), entry(3, 0, 100, sync=3)]
    assert split(*files, stream=ORDERS) == [(0, [1, 3]), (1, [2])]


def test_a_touched_file_keeps_its_generations_place() -> None:
    """It stands in the log under a new number, and still begins where it began."""
    touched = replace(entry(9, 1, 0), readable_seq=1)
    assert split(touched, entry(2, 2, 0)) == [(1, [9]), (2, [2])]
