"""Lakes with models in them, one for each folder of models."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lotuslake.config.streams import Streams, load_streams
from tests.functional.dbt.lake import Lake, Step, outcomes
from tests.functional.dbt.records import RECORDS
from tests.functional.dbt.scenarios import SCENARIOS, model_sql

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def streams() -> Streams:
    return load_streams(ROOT)


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory, streams: Streams) -> Iterator[Lake]:
    """All models, built from `records.py`."""
    with Lake(tmp_path_factory.mktemp("lake"), ROOT / "models") as built:
        for stream in streams.all:
            built.lay_out_stream(stream, RECORDS[stream.id])
        build_all(built, streams)
        yield built


def build_all(lake: Lake, streams: Streams, mode: str = "replace") -> None:
    """The nine processed models from what is laid out, then fct_sales."""
    steps = [
        Step(
            stream.processed_model,
            mode,
            position=1,
            primary_key=stream.primary_key,
            has_tombstones=stream.tombstone_field is not None,
        )
        for stream in streams.all
    ]
    assert outcomes(lake.run(*steps)) == dict.fromkeys((step.model for step in steps), "success")
    assert outcomes(lake.run(Step("fct_sales", "enriched", position=0))) == {"fct_sales": "success"}


@pytest.fixture(scope="session")
def scenario_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """The project's macros with one plain model for each scenario, and two more for single steps."""
    folder = tmp_path_factory.mktemp("scenarios")
    project = folder / "models"
    shutil.copytree(ROOT / "models" / "macros", project / "macros")
    shutil.copy(ROOT / "models" / "dbt_project.yml", project)
    (project / "processed").mkdir()
    for scenario in SCENARIOS:
        (project / "processed" / f"{scenario.model}.sql").write_text(model_sql(scenario))
    (project / "processed" / "int_test__things.sql").write_text(
        "select id, name, {{ airbyte_columns() }} from {{ landing() }}"
    )
    (project / "enriched").mkdir()
    (project / "enriched" / "fct_things.sql").write_text("select id from {{ ref('int_test__things') }}")
    with Lake(folder, project) as built:
        yield built
