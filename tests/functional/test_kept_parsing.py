"""What dbt has parsed is taken up again without dbt as long as it is of the very files that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lotuslake.adapters.dbt_project import DbtProject
from tests.functional.program import PARSED, Project, write
from tests.functional.things import data_file, key_of, things_project

MARKED = "select id, updated_at, '%s' as mark, {{ airbyte_columns() }} from {{ landing() }}"
BY_VARIABLE = "select id, updated_at, '{{ env_var(\"MARK\") }}' as mark, {{ airbyte_columns() }} from {{ landing() }}"


@pytest.fixture
def parsings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with each time that dbt is asked to parse."""
    counted: list[int] = []
    parse = DbtProject._parse

    def counting(project: DbtProject) -> object:
        counted.append(1)
        return parse(project)

    monkeypatch.setattr(DbtProject, "_parse", counting)
    return counted


def deliver(project: Project, *keys: int) -> None:
    path = project.landing / key_of(f"{keys[0]}_0.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data_file(list(keys)))
    project.json("register")


def marks(project: Project) -> list[list[object]]:
    query = "SELECT id, mark FROM processed.int_test__things ORDER BY id"
    rows: list[list[object]] = project.json("query", query).envelope["data"]["rows"]
    return rows


def test_a_project_is_parsed_when_it_changed_and_only_then(tmp_path: Path, parsings: list[int]) -> None:
    project = things_project(tmp_path, model=MARKED % "one")
    deliver(project, 1)
    project.json("transform")
    parsed = len(parsings)
    deliver(project, 2)
    project.json("transform")
    assert len(parsings) == parsed
    write(tmp_path / "models" / "processed" / "int_test__things.sql", MARKED % "two")
    project.json("transform")
    assert len(parsings) == parsed + 1
    assert marks(project) == [[1, "two"], [2, "two"]]
    deliver(project, 3)
    project.json("transform")
    assert len(parsings) == parsed + 1
    assert marks(project) == [[1, "two"], [2, "two"], [3, "two"]]


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-100])])
def test_what_was_kept_and_is_spoilt_is_parsed_anew(tmp_path: Path, parsings: list[int], spoil: object) -> None:
    project = things_project(tmp_path, model=MARKED % "one")
    deliver(project, 1)
    project.json("transform")
    parsed = len(parsings)
    spoil(tmp_path / PARSED)  # type: ignore[operator]
    deliver(project, 2)
    project.json("transform")
    assert len(parsings) == parsed + 1
    assert marks(project) == [[1, "one"], [2, "one"]]


def test_a_model_that_reads_a_variable_is_for_dbt_to_look_at(tmp_path: Path) -> None:
    project = things_project(tmp_path, model=BY_VARIABLE)
    project.environment["MARK"] = "one"
    deliver(project, 1)
    project.json("transform")
    project.environment["MARK"] = "two"
    deliver(project, 2)
    project.json("transform")
    assert marks(project) == [[1, "one"], [2, "two"]]
