"""Promise 4: in any order, batches and way of building, a table shows the newest version of each record."""

from __future__ import annotations

from itertools import zip_longest

import pytest

from tests.functional.dbt.lake import Lake, Step, outcomes
from tests.functional.dbt.scenarios import SCENARIOS, Scenario, expected


@pytest.fixture(scope="module")
def finished(scenario_lake: Lake) -> Lake:
    """All scenarios, side by side: the first step of each in one dbt run, then the second, and so on."""
    for position, parts in enumerate(zip_longest(*(scenario.parts for scenario in SCENARIOS)), start=1):
        steps = []
        for scenario, part in zip(SCENARIOS, parts, strict=True):
            if part is None:
                continue
            previous = scenario.parts[position - 2].mode if position > 1 else None
            if part.mode == "append" and previous != "append":
                scenario_lake.begin_rebuild(scenario.model)
            scenario_lake.lay_out(f"stg_{scenario.model.removeprefix('int_')}", scenario.columns, part.rows)
            kind = scenario.primary_key, scenario.has_cursor, scenario.has_tombstones
            steps.append(Step(scenario.model, part.mode, position, *kind))
        result = scenario_lake.run(*steps)
        assert outcomes(result) == dict.fromkeys((step.model for step in steps), "success")
    return scenario_lake


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario.model))
def test_table_shows_the_newest_versions(finished: Lake, scenario: Scenario) -> None:
    columns = ", ".join(scenario.columns)
    found = finished.records(f"select {columns} from lakehouse.processed.{scenario.model}")
    assert sorted(found, key=str) == sorted(expected(scenario), key=str)


def test_rebuilds_leave_nothing_behind(finished: Lake) -> None:
    left = finished.records("select table_name from duckdb_tables() where table_name like '%rebuild%'")
    assert left == []


def test_cursor_counts_commits_and_says_where_the_model_stands(finished: Lake) -> None:
    for scenario in SCENARIOS:
        commits = sum(part.mode != "append" for part in scenario.parts)
        found = finished.row(f"select version, position from lakehouse.meta.cursor_{scenario.model}")
        assert found == (commits, len(scenario.parts))
