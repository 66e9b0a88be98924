"""Which generation of a full-refresh stream is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lotuslake.core.data_file import FileStatus, LedgerEntry
from lotuslake.core.generation import Generation, newest_complete, split_generations
from lotuslake.core.transform_plan import Cursor
from tests.support.lake import CATALOGUE, NOW, an_entry

OVERWRITE = replace(CATALOGUE, destination_sync_mode="overwrite")
LONG_AGO, LATELY = NOW - timedelta(days=1), NOW - timedelta(minutes=1)


def entry(seq: int, generation: int | None, hour: int | None, at: datetime = LONG_AGO) -> LedgerEntry:
    extracted_at = None if hour is None else NOW + timedelta(hours=hour)
    return an_entry(seq, generation_id=generation, newest_extracted_at=extracted_at, at=at)


def test_files_are_told_apart_by_generation_in_the_order_of_extraction() -> None:
    late_in_the_log = entry(1, 2, 5)
    entries = [late_in_the_log, entry(2, 1, 1), entry(4, 1, 2), entry(3, 1, 3), entry(5, None, None)]
    split = split_generations([*entries, replace(entry(6, 3, 9), status=FileStatus.MISSING)])
    assert [(one.id, [e.seq for e in one.entries], one.rows) for one in split] == [
        (None, [5], 10),
        (1, [2, 3, 4], 30),
        (2, [1], 10),
    ]


def test_ids_that_begin_again_are_another_generation() -> None:
    split = split_generations([entry(1, 1, 1), entry(2, 2, 2), entry(3, 1, 3)])
    assert [one.id for one in split] == [1, 2, 1]


OLD = Generation(1, (entry(1, 1, 1),))
SETTLED = Generation(2, (entry(2, 2, 2),))
COMING = Generation(2, (entry(2, 2, 2), entry(3, 2, 2, at=LATELY)))
SHOWS_OLD = Cursor(version=4, position=1, generation_id=1)
SHOWS_NEW = Cursor(version=5, position=2, generation_id=2)
NAMESAKE = Cursor(version=5, position=1, generation_id=2)


@pytest.mark.parametrize(
    ("stream", "generations", "cursor", "expected"),
    [
        (CATALOGUE, [], Cursor(), None),
        (CATALOGUE, [], SHOWS_OLD, None),
        (CATALOGUE, [COMING], Cursor(), COMING),
        (CATALOGUE, [COMING], SHOWS_NEW, COMING),
        (CATALOGUE, [OLD, SETTLED], SHOWS_OLD, SETTLED),
        (CATALOGUE, [OLD, COMING], SHOWS_OLD, OLD),
        (CATALOGUE, [OLD, COMING], SHOWS_NEW, COMING),
        (CATALOGUE, [OLD, COMING], NAMESAKE, OLD),
        (CATALOGUE, [COMING], SHOWS_OLD, None),
        (CATALOGUE, [SETTLED], SHOWS_OLD, SETTLED),
        (OVERWRITE, [OLD, SETTLED], SHOWS_OLD, OLD),
        (OVERWRITE, [OLD, SETTLED], SHOWS_NEW, SETTLED),
        (OVERWRITE, [SETTLED], SHOWS_OLD, SETTLED),
        (OVERWRITE, [COMING], SHOWS_OLD, None),
        (OVERWRITE, [COMING], Cursor(), COMING),
    ],
)
def test_the_generation_to_show(
    stream: object, generations: list[Generation], cursor: Cursor, expected: Generation | None
) -> None:
    assert newest_complete(stream, generations, cursor, NOW) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("age", "shown"), [(timedelta(hours=2), 2), (timedelta(hours=2) - timedelta(seconds=1), 1)])
def test_settled_is_as_old_as_settle_after(age: timedelta, shown: int) -> None:
    newest = Generation(2, (entry(2, 2, 2, at=NOW - age),))
    found = newest_complete(CATALOGUE, [OLD, newest], SHOWS_OLD, NOW)
    assert found is not None
    assert found.id == shown
