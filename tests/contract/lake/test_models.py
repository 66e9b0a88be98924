"""What models promise, kept by the lake in memory, and by dbt in the embedded lake and in the one on Postgres and S3."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lotuslake.core.build import built_by
from lotuslake.core.errors import LostRaceError, ShrunkError
from lotuslake.core.transform_plan import Cursor, StepMode, TableRows, Terms
from tests.contract.lake.acts import HASH, register, run, run_enriched, step_of, totals
from tests.contract.lake.ports import LakeUnderTest, a_row, enriched_model

MODES: tuple[StepMode, ...] = ("replace", "merge")
NOON = "2026-01-01T12:00:00"


def tombstone(key: int, version: int) -> dict[str, object]:
    return a_row(key, version, updated_at=None, total=None, deleted_at=f"d{version:03}", _airbyte_raw_id=f"gone-{key}")


def test_models_are_what_the_project_holds(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    models = lake.transformer.load_models()
    processed, enriched = models[stream.processed_model], models[enriched_model(stream)]
    assert (processed.layer, enriched.layer) == ("processed", "enriched")
    assert enriched.upstreams == (stream.processed_model,)
    assert processed.hash
    assert enriched.hash


def test_a_model_begins_at_nothing_prepared_or_not(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    for name in (stream.processed_model, "int_nobody_prepared_it"):
        assert lake.transformer.load_cursor(name) == Cursor()
        assert lake.transformer.load_rebuild(name) is None
        assert lake.transformer.count_rows(name) == 0


def test_a_table_is_made_and_its_cursor_moves_with_it(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    entry = register(lake, stream, "0", a_row(1), a_row(2, 1), a_row(2, 2))
    by = built_by(stream, began="x")
    done = run(lake, stream, "replace", [entry], position=4, epoch=3, generation_id=9, terms=Terms(built_by=by))
    assert done == TableRows(0, 2)
    assert totals(lake, model) == {1: 1, 2: 2}
    assert lake.transformer.count_rows(model) == 2
    assert lake.transformer.load_cursor(model) == Cursor(1, 4, 3, 9, HASH, (), by, None)
    lake.transformer.prepare([lake.transformer.load_models()[model]])
    assert lake.transformer.load_cursor(model).version == 1


def test_a_merge_adds_and_never_goes_back(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    run(lake, stream, "replace", [register(lake, stream, "0", a_row(1, 2), a_row(2, 1))])
    older = register(lake, stream, "1", a_row(1, 1), a_row(2, 3), a_row(3, 1))
    assert run(lake, stream, "merge", [older]) is None
    assert totals(lake, model) == {1: 2, 2: 3, 3: 1}
    assert lake.transformer.load_cursor(model).version == 2
    run(lake, stream, "merge", [older])
    assert totals(lake, model) == {1: 2, 2: 3, 3: 1}, "the same files again change nothing"


def test_nulls_come_first_and_ties_go_to_what_came_first(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    same: dict[str, Any] = {"_airbyte_extracted_at": NOON, "_airbyte_raw_id": "r"}
    rows = [
        a_row(1, total=10, **same),
        a_row(1, updated_at=None, total=11, **same),
        a_row(2, updated_at=None, total=20, **same),
        a_row(3, total=30, _airbyte_extracted_at=NOON, _airbyte_raw_id="a"),
        a_row(3, total=31, _airbyte_extracted_at=NOON, _airbyte_raw_id="b"),
        a_row(4, 9, total=40, **same),
        a_row(4, 8, total=41, **same),
    ]
    run(lake, stream, "replace", [register(lake, stream, "0", *rows)])
    assert totals(lake, stream.processed_model) == {1: 10, 2: 20, 3: 31, 4: 40}
    again = [a_row(1, updated_at=None, total=12, **same), a_row(2, total=21, **same), a_row(3, total=32, **same)]
    run(lake, stream, "merge", [register(lake, stream, "1", *again)])
    assert totals(lake, stream.processed_model) == {1: 10, 2: 21, 3: 32, 4: 40}


def test_a_tombstone_marks_a_record_and_keeps_what_was_known(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model

    def shown() -> dict[object, tuple[object, ...]]:
        return {row["id"]: (row["total"], row["is_deleted"], row["deleted_at"]) for row in lake.table(model)}

    run(lake, stream, "replace", [register(lake, stream, "0", a_row(1, 1), a_row(2, 1), tombstone(3, 1))])
    assert shown() == {1: (1, False, None), 2: (1, False, None), 3: (None, True, "d001")}
    run(lake, stream, "merge", [register(lake, stream, "1", tombstone(1, 5), tombstone(2, 5), a_row(2, 6))])
    assert shown() == {1: (1, True, "d005"), 2: (6, False, None), 3: (None, True, "d001")}
    run(lake, stream, "merge", [register(lake, stream, "2", a_row(1, 4), a_row(3, 2))])
    assert shown() == {1: (4, True, "d005"), 2: (6, False, None), 3: (2, False, None)}


def test_who_comes_second_loses_and_changes_nothing(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    stale = lake.transformer.load_cursor(model)
    entry = register(lake, stream, "0", a_row(1))
    run(lake, stream, "replace", [entry])
    second = register(lake, stream, "1", a_row(1, 7), a_row(2))
    for mode in MODES:
        with pytest.raises(LostRaceError):
            run(lake, stream, mode, [second], cursor=stale)
    assert totals(lake, model) == {1: 1}
    assert lake.transformer.load_cursor(model).version == 1
    run_enriched(lake, enriched_model(stream))
    with pytest.raises(LostRaceError):
        run_enriched(lake, enriched_model(stream), Cursor())


def test_a_table_does_not_shrink_below_what_was_allowed(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    run(lake, stream, "replace", [register(lake, stream, "0", *(a_row(key) for key in range(5)))])
    smaller = register(lake, stream, "1", a_row(1, 2), a_row(2, 2))
    with pytest.raises(ShrunkError) as caught:
        run(lake, stream, "replace", [smaller], terms=Terms(least_rows=3))
    assert (caught.value.rows_before, caught.value.rows_after) == (5, 2)
    assert lake.transformer.count_rows(model) == 5
    assert lake.transformer.load_cursor(model).version == 1
    assert run(lake, stream, "replace", [smaller], terms=Terms(least_rows=2)) == TableRows(5, 2)


def test_rows_of_gone_files_are_carried_where_the_terms_say_so(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    run(lake, stream, "replace", [register(lake, stream, "0", a_row(1, 1), a_row(2, 2), a_row(3, 30))])
    anew = register(lake, stream, "1", a_row(1, 5))
    until = datetime(2026, 1, 1, 0, 2, tzinfo=UTC)
    assert run(lake, stream, "replace", [anew], terms=Terms(carry_until=until)) == TableRows(3, 2)
    assert totals(lake, model) == {1: 5, 2: 2}


def test_records_without_a_key_stay_apart_and_are_counted(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    model = stream.processed_model
    entry = register(lake, stream, "0", a_row(1), a_row(None, 1), a_row(None, 2))
    run(lake, stream, "replace", [entry])
    assert sorted(row["total"] for row in lake.table(model)) == [1, 1, 2]
    assert lake.transformer.load_cursor(model).null_keys == 2
    run(lake, stream, "merge", [entry, register(lake, stream, "1", a_row(None, 3))])
    assert sorted(row["total"] for row in lake.table(model)) == [1, 1, 2, 3]
    assert lake.transformer.load_cursor(model).null_keys == 3


def test_records_without_a_key_are_dropped_where_the_stream_says_so(lake: LakeUnderTest) -> None:
    stream = lake.built_stream(null_keys="drop")
    model = stream.processed_model
    run(lake, stream, "replace", [register(lake, stream, "0", a_row(1), a_row(None, 1))])
    run(lake, stream, "merge", [register(lake, stream, "1", a_row(2), a_row(None, 2))])
    assert totals(lake, model) == {1: 1, 2: 1}
    assert lake.transformer.load_cursor(model).null_keys == 2


def test_an_enriched_model_says_what_it_has_read(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    name = enriched_model(stream)
    run(lake, stream, "replace", [register(lake, stream, "0", a_row(1))])
    run_enriched(lake, name)
    assert lake.table(name) == [{"orders": 1}]
    cursor = lake.transformer.load_cursor(name)
    assert (cursor.version, cursor.model_hash, cursor.upstreams) == (1, HASH, ((stream.processed_model, 1),))
    run(lake, stream, "merge", [register(lake, stream, "1", a_row(2))])
    assert lake.table(name) == [{"orders": 1}]
    run_enriched(lake, name)
    assert lake.table(name) == [{"orders": 2}]
    assert lake.transformer.load_cursor(name).upstreams == ((stream.processed_model, 2),)


def test_data_tests_say_of_which_streams_they_tell(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    name = enriched_model(stream)
    model = lake.transformer.load_models()[name]
    run(lake, stream, "replace", [register(lake, stream, "0", a_row(1))])
    run_enriched(lake, name)
    (outcome,) = lake.transformer.test([model])
    assert (outcome.model, outcome.streams, outcome.status, outcome.failures) == (name, (stream.id,), "fail", 1)
    run(lake, stream, "merge", [register(lake, stream, "1", a_row(2))])
    run_enriched(lake, name)
    assert [(one.status, one.failures) for one in lake.transformer.test([model])] == [("pass", 0)]


def test_a_batch_without_files_moves_the_cursor_alone(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    run(lake, stream, "replace", [register(lake, stream, "0", a_row(1))])
    run(lake, stream, "merge", position=5)
    assert totals(lake, stream.processed_model) == {1: 1}
    assert lake.transformer.load_cursor(stream.processed_model).position == 5


def test_an_empty_table_may_replace_a_full_one(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    run(lake, stream, "replace", [register(lake, stream, "0", a_row(1))])
    assert run(lake, stream, "replace", position=2) == TableRows(1, 0)
    assert lake.table(stream.processed_model) == []


def test_a_step_can_be_planned_twice_and_done_once(lake: LakeUnderTest) -> None:
    stream = lake.built_stream()
    entry = register(lake, stream, "0", a_row(1))
    step = step_of(lake, stream, "replace", [entry])
    lake.transformer.run(step, stream=stream, run_id="run")
    with pytest.raises(LostRaceError):
        lake.transformer.run(step, stream=stream, run_id="run")
