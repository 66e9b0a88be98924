"""Each step of a model is one commit, and a step that was planned on an older state is refused."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from lotuslake.core.field_types import BIGINT, TIMESTAMP, VARCHAR, ColumnType
from tests.functional.dbt.lake import Lake, Step, outcomes

MODEL = "int_test__things"
COLUMNS: dict[str, ColumnType] = {
    "id": BIGINT,
    "name": VARCHAR,
    "_airbyte_raw_id": VARCHAR,
    "_airbyte_extracted_at": TIMESTAMP,
    "_cursor": BIGINT,
}


def thing(key: int, name: str, *, day: int = 1) -> dict[str, Any]:
    return {
        "id": key,
        "name": name,
        "_airbyte_raw_id": f"{key}",
        "_airbyte_extracted_at": f"2026-11-0{day}",
        "_cursor": 1,
    }


def run(lake: Lake, mode: str, *rows: dict[str, Any]) -> dict[str, str]:
    lake.lay_out("stg_test__things", COLUMNS, rows)
    return outcomes(lake.run(Step(MODEL, mode, 1)))


def names(lake: Lake) -> dict[int, str]:
    return {row["id"]: row["name"] for row in lake.records(f"from lakehouse.processed.{MODEL}")}


def snapshots(lake: Lake) -> int:
    (count,) = lake.row("select count(*) from lakehouse.snapshots()")
    return int(count)


@pytest.fixture
def things(scenario_lake: Lake) -> Lake:
    """A table of two things."""
    assert run(scenario_lake, "replace", thing(1, "one"), thing(2, "two")) == {MODEL: "success"}
    return scenario_lake


def test_the_same_version_again_takes_effect(things: Lake) -> None:
    assert run(things, "merge", thing(1, "one, mapped anew")) == {MODEL: "success"}
    assert names(things) == {1: "one, mapped anew", 2: "two"}


def test_an_older_version_changes_nothing(things: Lake) -> None:
    older = thing(1, "zero") | {"_airbyte_extracted_at": "2026-10-31"}
    assert run(things, "merge", older, thing(3, "three")) == {MODEL: "success"}
    assert names(things) == {1: "one", 2: "two", 3: "three"}


def test_replace_forgets_what_was(things: Lake) -> None:
    assert run(things, "replace", thing(3, "three")) == {MODEL: "success"}
    assert names(things) == {3: "three"}


def test_readers_see_the_old_table_until_a_rebuild_is_published(things: Lake) -> None:
    things.begin_rebuild(MODEL)
    assert run(things, "append", thing(3, "three")) == {MODEL: "success"}
    assert names(things) == {1: "one", 2: "two"}
    assert run(things, "publish") == {MODEL: "success"}
    assert names(things) == {3: "three"}


@pytest.mark.parametrize("modes", [["replace"], ["merge"], ["append", "publish"]], ids=" ".join)
def test_a_step_is_one_commit(things: Lake, modes: list[str]) -> None:
    if "append" in modes:
        things.begin_rebuild(MODEL)
    before = snapshots(things)
    for mode in modes:
        assert run(things, mode, thing(1, "new", day=2)) == {MODEL: "success"}
    assert snapshots(things) == before + len(modes)


def test_an_enriched_model_is_one_commit_and_remembers_what_it_read(things: Lake) -> None:
    before = snapshots(things)
    assert outcomes(things.run(Step("fct_things", "enriched", 0))) == {"fct_things": "success"}
    assert snapshots(things) == before + 1
    (upstreams,) = things.row("select upstreams from lakehouse.meta.cursor_fct_things")
    assert json.loads(upstreams) == {MODEL: things.row(f"select version from lakehouse.meta.cursor_{MODEL}")[0]}
    (updated_at,) = things.row("select updated_at from lakehouse.meta.cursor_fct_things")
    assert isinstance(updated_at, datetime)


def test_a_step_planned_on_an_older_state_is_refused(things: Lake) -> None:
    things.lay_out("stg_test__things", COLUMNS, [thing(1, "late")])
    things.plan(Step(MODEL, "merge", 1))
    things.connection.execute(f"update lakehouse.meta.cursor_{MODEL} set version = version + 1")
    before = snapshots(things)
    (status,) = outcomes(things.run_planned(MODEL)).values()
    assert f"lost race: another process has moved {MODEL}" in status
    assert names(things) == {1: "one", 2: "two"}
    assert snapshots(things) == before


def test_a_rebuild_step_planned_on_an_older_progress_is_refused(things: Lake) -> None:
    things.begin_rebuild(MODEL)
    things.lay_out("stg_test__things", COLUMNS, [thing(1, "late")])
    things.plan(Step(MODEL, "append", 1))
    things.connection.execute(f"update lakehouse.meta.rebuild_{MODEL} set position = 7")
    (status,) = outcomes(things.run_planned(MODEL)).values()
    things.connection.execute(f"drop table lakehouse.meta.rebuild_{MODEL}")
    assert f"lost race: another process has moved the rebuild of {MODEL}" in status


def test_a_model_without_a_step_says_who_builds_it(things: Lake) -> None:
    things.connection.execute("delete from memory.main.step")
    (status,) = outcomes(things.run_planned(MODEL)).values()
    assert f"{MODEL} is built by `lotuslake transform`" in status
