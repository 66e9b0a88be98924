"""What rebuilds and replays promise: a table is shown whole, whoever begins, goes on or gives up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lotuslake.core.errors import LostRaceError
from lotuslake.core.transform_plan import Cursor, Rebuild, TableRows
from tests.contract.lake.acts import HASH, begin, register, run, totals
from tests.contract.lake.ports import LakeUnderTest, a_row


def test_a_rebuild_shows_nothing_until_it_is_published(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    one, two = register(lake, stream, "0", a_row(1, 1)), register(lake, stream, "1", a_row(1, 2), a_row(2))
    run(lake, stream, "replace", [one])
    rebuild = begin(lake, stream, 2)
    assert lake.transformer.load_rebuild(model) == rebuild
    assert run(lake, stream, "append", [one], rebuild_position=0, progress=1) is None
    assert lake.transformer.load_rebuild(model) == replace(rebuild, position=1)
    run(lake, stream, "append", [two], rebuild_position=1, progress=2)
    assert totals(lake, model) == {1: 1}
    assert lake.transformer.load_cursor(model).version == 1
    assert run(lake, stream, "publish", position=2, rebuild_position=2) == TableRows(1, 2)
    assert totals(lake, model) == {1: 2, 2: 1}
    assert lake.transformer.load_rebuild(model) is None
    assert lake.transformer.load_cursor(model) == Cursor(2, 2, model_hash=HASH)


def test_a_step_of_a_rebuild_that_moved_on_changes_nothing(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    one, two = register(lake, stream, "0", a_row(1)), register(lake, stream, "1", a_row(2))
    begin(lake, stream, 2)
    run(lake, stream, "append", [one], rebuild_position=0, progress=1)
    for parts in (
        {"rebuild_position": 0},
        {"rebuild_position": 1, "epoch": 1},
        {"rebuild_position": 1, "generation_id": 3},
    ):
        with pytest.raises(LostRaceError):
            run(lake, stream, "append", [two], progress=2, **parts)
    with pytest.raises(LostRaceError):
        run(lake, stream, "publish", position=2, rebuild_position=0)
    run(lake, stream, "append", [two], rebuild_position=1, progress=2)
    run(lake, stream, "publish", position=2, rebuild_position=2)
    assert totals(lake, model) == {1: 1, 2: 1}


def test_a_rebuild_is_begun_instead_of_the_one_that_was_found(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    first = begin(lake, stream, 2)
    second = Rebuild(0, 3, 1, "another hash")
    with pytest.raises(LostRaceError):
        lake.transformer.begin_rebuild(model, second)
    assert lake.transformer.load_rebuild(model) == first
    lake.transformer.begin_rebuild(model, second, instead_of=first)
    assert lake.transformer.load_rebuild(model) == second
    lake.transformer.drop_rebuild(model)
    assert lake.transformer.load_rebuild(model) is None
    lake.transformer.drop_rebuild(model)


def test_a_dropped_rebuild_leaves_the_live_table(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    one = register(lake, stream, "0", a_row(1))
    run(lake, stream, "replace", [one])
    begin(lake, stream, 1)
    run(lake, stream, "append", [one], rebuild_position=0, progress=1)
    lake.transformer.drop_rebuild(model)
    assert totals(lake, model) == {1: 1}
    begin(lake, stream, 1)
    run(lake, stream, "append", [one], rebuild_position=0, progress=1)
    assert run(lake, stream, "publish", position=1, rebuild_position=1) == TableRows(1, 1)


def test_the_parts_of_a_rebuild_are_published_together(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    entries = [register(lake, stream, str(n), a_row(n, 1), a_row(9, n + 1)) for n in range(2)]
    begin(lake, stream, 2, shards=2)
    for n, entry in enumerate(entries):
        part = f"shard_{n}"
        begin(lake, stream, 2, part, shards=2)
        run(lake, stream, "append", [entry], rebuild_position=0, progress=2, part=part, shards=2)
    assert lake.transformer.count_rows(model) == 0
    run(lake, stream, "publish", position=2, rebuild_position=2, shards=2)
    assert totals(lake, model) == {0: 1, 1: 1, 9: 2}
    assert [lake.transformer.load_rebuild(model, part) for part in ("", "shard_0", "shard_1")] == [None] * 3


def test_one_part_is_dropped_alone_and_all_parts_with_the_whole(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    whole = begin(lake, stream, 2, shards=2)
    for part in ("shard_0", "shard_1", "replay_1_2"):
        begin(lake, stream, 2, part, shards=2)
    lake.transformer.drop_rebuild(model, "shard_0")
    assert lake.transformer.load_rebuild(model, "shard_0") is None
    assert lake.transformer.load_rebuild(model, "shard_1") == whole
    assert lake.transformer.load_rebuild(model) == whole
    lake.transformer.drop_rebuild(model)
    assert [lake.transformer.load_rebuild(model, part) for part in ("", "shard_1", "replay_1_2")] == [None] * 3


def test_a_replay_merges_once_more_and_ends(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    one, two = register(lake, stream, "0", a_row(1, 1)), register(lake, stream, "1", a_row(1, 2), a_row(2))
    run(lake, stream, "replace", [one, two])
    part = "replay_1_2"
    rebuild = begin(lake, stream, 2, part)
    run(lake, stream, "replay", [one], rebuild_position=0, progress=1, part=part)
    assert lake.transformer.load_rebuild(model, part) == replace(rebuild, position=1)
    run(lake, stream, "replay", [two], rebuild_position=1, progress=None, part=part)
    assert lake.transformer.load_rebuild(model, part) is None
    assert totals(lake, model) == {1: 2, 2: 1}
    assert lake.transformer.load_cursor(model).version == 3
