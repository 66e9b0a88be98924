"""What a replay of history reads: days, and shards that share a rebuild."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.core.backfill_plan import (
    NOT_BEGUN,
    DateRange,
    is_done,
    plan_publish,
    plan_replay,
    plan_shard,
    shard_of,
    shard_part,
)
from lotuslake.core.data_file import FileStatus
from lotuslake.core.stream import BatchLimits
from lotuslake.core.transform_plan import Cursor, Rebuild
from tests.support.lake import WIDE, an_entry

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 3)


def in_day(day: int) -> str:
    return f"shop/orders/year=2026/month=03/day={day:02}/1_0.parquet"


@pytest.mark.parametrize(
    ("days", "covered", "outside_partitions", "text", "part"),
    [
        (DateRange(), [1, 2, 3, 4], True, "..", "replay__"),
        (DateRange(FIRST), [1, 2, 3, 4], False, "2026-03-01..", "replay_20260301_"),
        (DateRange(date(2026, 3, 2)), [2, 3, 4], False, "2026-03-02..", "replay_20260302_"),
        (DateRange(None, LAST), [1, 2, 3], False, "..2026-03-03", "replay__20260303"),
        (DateRange(LAST, LAST), [3], False, "2026-03-03..2026-03-03", "replay_20260303_20260303"),
        (DateRange(date(2027, 1, 1)), [], False, "2027-01-01..", "replay_20270101_"),
    ],
)
def test_a_range_covers_its_days_and_both_ends(
    days: DateRange, covered: list[int], outside_partitions: bool, text: str, part: str
) -> None:
    assert [day for day in range(1, 5) if days.covers(in_day(day))] == covered
    assert days.covers("shop/orders/1_0.parquet") is outside_partitions
    assert days.is_everything is (days == DateRange())
    assert (str(days), days.part) == (text, part)


SEQS = st.sets(st.integers(1, 60))


@given(SEQS, st.integers(1, 7), st.integers(0, 60), st.integers(1, 4))
def test_shards_partition_the_entries_up_to_the_end(seqs: set[int], shards: int, until: int, max_files: int) -> None:
    entries = [an_entry(seq) for seq in seqs]
    rebuild = Rebuild(NOT_BEGUN, until, 2, "h", 3, shards)
    limits = BatchLimits(max_files, 2**29, 500_000)
    read: list[int] = []
    for index in range(shards):
        steps = plan_shard("int_x", entries, Cursor(), rebuild, index, limits)
        own = [entry.seq for step in steps for entry in step.entries]
        assert own == sorted(own)
        assert {shard_of(an_entry(seq), shards) for seq in own} <= {index}
        assert {(step.mode, step.part, step.epoch, step.model_hash, step.generation_id) for step in steps} == {
            ("append", shard_part(index), 2, "h", 3)
        }
        assert [step.rebuild_position for step in steps] == [NOT_BEGUN, *(step.progress for step in steps[:-1])]
        assert steps[-1].progress == until
        read += own
    assert sorted(read) == sorted(seq for seq in seqs if seq <= until)


@given(SEQS, st.integers(1, 4), st.integers(1, 60), st.data())
def test_a_shard_cut_off_after_any_step_goes_on_with_the_rest(
    seqs: set[int], shards: int, until: int, data: st.DataObject
) -> None:
    entries = [an_entry(seq) for seq in seqs]
    rebuild = Rebuild(NOT_BEGUN, until, 0, "h", None, shards)
    limits = BatchLimits(1, 2**29, 500_000)
    steps = plan_shard("int_x", entries, Cursor(), rebuild, 0, limits)
    done = data.draw(st.integers(1, len(steps)))
    progress = steps[done - 1].progress
    assert progress is not None
    rest = plan_shard("int_x", entries, Cursor(), replace(rebuild, position=progress), 0, limits)
    assert [step.entries for step in rest] == [step.entries for step in steps[done:]]


WHOLE = Rebuild(0, 9, 1, "h", 4, shards=2)
DONE = replace(WHOLE, position=9)


@pytest.mark.parametrize(
    "other",
    [
        None,
        replace(DONE, position=8),
        replace(DONE, until=8, position=8),
        replace(DONE, epoch=0),
        replace(DONE, model_hash="g"),
        replace(DONE, generation_id=None),
        replace(DONE, shards=3),
    ],
    ids=["none", "under way", "shorter", "epoch", "sql", "generation", "shards"],
)
def test_only_parts_of_this_very_rebuild_that_are_done_are_published(other: Rebuild | None) -> None:
    assert plan_publish("int_x", Cursor(version=3), [DONE, other], WHOLE) is None
    assert not is_done(other, WHOLE)
    step = plan_publish("int_x", Cursor(version=3), [DONE, DONE], WHOLE)
    assert step is not None
    assert (step.mode, step.shards, step.rebuild_position, step.position) == ("publish", 2, 9, 9)
    assert (step.epoch, step.model_hash, step.generation_id, step.cursor.version) == (1, "h", 4, 3)


def test_a_replay_reads_what_the_model_has_read_and_leaves_its_cursor_there() -> None:
    entries = [an_entry(seq, in_day(seq)) for seq in range(1, 5)]
    entries[1] = replace(entries[1], status=FileStatus.EMPTY)
    cursor = Cursor(version=5, position=3, epoch=1, generation_id=2, model_hash="h")
    limits = BatchLimits(1, 2**29, 500_000)
    steps = plan_replay("int_x", entries, cursor, Rebuild(0, 9, 1, "h", 2), DateRange(FIRST), limits)
    assert [(step.entries, step.rebuild_position, step.progress) for step in steps] == [
        ((entries[0],), 0, 1),
        ((entries[2],), 1, None),
    ]
    assert {(step.mode, step.position, step.part) for step in steps} == {("replay", 3, "replay_20260301_")}


def test_a_replay_that_stopped_goes_on_and_one_of_no_file_does_nothing() -> None:
    entries = [an_entry(seq, in_day(seq)) for seq in range(1, 4)]
    cursor, replay = Cursor(version=1, position=3), Rebuild(2, 3, 0, "h")
    steps = plan_replay("int_x", entries, cursor, replay, DateRange(FIRST, LAST), WIDE)
    assert [step.entries for step in steps] == [(entries[2],)]
    assert plan_replay("int_x", entries, cursor, replay, DateRange(date(2027, 1, 1)), WIDE) == []
