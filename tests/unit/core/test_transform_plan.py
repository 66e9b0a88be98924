"""Steps of a model: which entries, in which mode, and where the model stands afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.core.data_file import READABLE, FileStatus, LedgerEntry
from lotuslake.core.head import Head
from lotuslake.core.stream import BatchLimits
from lotuslake.core.transform_plan import (
    Cursor,
    Rebuild,
    is_stale,
    needs_rebuild,
    plan_merges,
    plan_rebuild,
    resume,
)
from tests.support.lake import WIDE, an_entry

CURSOR = Cursor(version=3, position=2, epoch=1, generation_id=7, model_hash="h")
HEAD = Head(seq=20, epoch=1)
REBUILD = Rebuild(0, 20, 1, "h", 7)
LOGS = st.lists(st.tuples(st.sampled_from(FileStatus), st.integers(0, 5)), max_size=15).map(
    lambda items: [an_entry(seq, status=status, rows=rows) for seq, (status, rows) in enumerate(items, 1)]
)
LIMITS = st.builds(BatchLimits, st.integers(1, 4), st.integers(1, 40), st.integers(1, 8))


def wanted(entries: list[LedgerEntry], after: int) -> list[LedgerEntry]:
    return [entry for entry in entries if entry.seq > after and entry.status in READABLE]


@given(LOGS, LIMITS, st.integers(0, 15), st.randoms())
def test_merges_read_every_standing_entry_after_the_cursor_once(
    entries: list[LedgerEntry], limits: BatchLimits, position: int, chance: object
) -> None:
    cursor = replace(CURSOR, position=position)
    steps = plan_merges("int_x", entries[::-1], cursor, HEAD, limits)
    read = [entry for step in steps for entry in step.entries]
    assert read == wanted(entries, position)
    for step in steps:
        assert (step.mode, step.epoch, step.model_hash, step.generation_id) == ("merge", 1, "h", 7)
        assert len(step.entries) <= limits.max_files
        assert len(step.entries) == 1 or step.rows <= limits.max_rows
    assert [step.position for step in steps[:-1]] == [step.entries[-1].seq for step in steps[:-1]]
    assert not steps or steps[-1].position == HEAD.seq


@given(LOGS, LIMITS, st.booleans())
def test_a_rebuild_reads_every_standing_entry_once_and_ends_at_the_head(
    entries: list[LedgerEntry], limits: BatchLimits, begun: bool
) -> None:
    steps = plan_rebuild("int_x", entries, CURSOR, REBUILD, limits, begun=begun)
    assert [entry for step in steps for entry in step.entries] == wanted(entries, 0)
    assert steps[-1].position == REBUILD.until
    modes = [step.mode for step in steps]
    assert modes == (["replace"] if len(modes) == 1 else [*["append"] * (len(modes) - 1), "publish"])
    assert not (begun and modes == ["replace"])
    if len(steps) > 1:
        assert [step.rebuild_position for step in steps] == [0, *(step.progress for step in steps[:-1])]


@given(LOGS, LIMITS, st.data())
def test_a_rebuild_goes_on_behind_any_of_its_steps(
    entries: list[LedgerEntry], limits: BatchLimits, data: st.DataObject
) -> None:
    steps = plan_rebuild("int_x", entries, CURSOR, REBUILD, limits, begun=True)
    done = data.draw(st.integers(1, len(steps) - 1))
    progress = steps[done - 1].progress
    assert progress is not None
    rest = plan_rebuild("int_x", entries, CURSOR, replace(REBUILD, position=progress), limits, begun=True)
    assert rest == steps[done:]


def test_an_entry_beyond_the_end_waits_for_the_next_plan() -> None:
    entries = [an_entry(20), an_entry(21)]
    assert [e.seq for s in plan_merges("m", entries, CURSOR, HEAD, WIDE) for e in s.entries] == [20]
    assert [e.seq for s in plan_rebuild("m", entries, CURSOR, REBUILD, WIDE) for e in s.entries] == [20]


@pytest.mark.parametrize(
    ("cursor", "head", "model_hash", "expected"),
    [
        (CURSOR, HEAD, "h", False),
        (replace(CURSOR, version=0), HEAD, "h", True),
        (CURSOR, replace(HEAD, epoch=2), "h", True),
        (CURSOR, HEAD, "other", True),
    ],
)
def test_what_makes_a_rebuild_needful(cursor: Cursor, head: Head, model_hash: str, expected: bool) -> None:
    assert needs_rebuild(cursor, head, model_hash) is expected


@pytest.mark.parametrize(
    ("under_way", "resumed"),
    [
        (Rebuild(5, 9, 1, "h", 7), Rebuild(5, 20, 1, "h", 7)),
        (Rebuild(0, 9, 1, "h", 7), Rebuild(0, 20, 1, "h", 7)),
        (Rebuild(5, 9, 2, "h", 7), None),
        (Rebuild(5, 9, 1, "old", 7), None),
        (Rebuild(5, 9, 1, "h", 6), None),
        (Rebuild(4, 9, 1, "h", 7), None),
    ],
)
def test_a_rebuild_is_resumed_when_what_it_has_read_still_counts(under_way: Rebuild, resumed: Rebuild | None) -> None:
    assert resume(under_way, REBUILD, [an_entry(5), an_entry(12)]) == resumed


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        (Cursor(version=1, model_hash="h", upstreams=(("a", 1), ("b", 2))), False),
        (Cursor(version=1, model_hash="h", upstreams=(("a", 1), ("b", 1))), True),
        (Cursor(version=1, model_hash="h", upstreams=(("a", 1),)), True),
        (Cursor(version=1, model_hash="old", upstreams=(("a", 1), ("b", 2))), True),
        (Cursor(), True),
    ],
)
def test_what_makes_an_enriched_model_stale(cursor: Cursor, expected: bool) -> None:
    assert is_stale(cursor, "h", {"b": 2, "a": 1}) is expected
