"""What dbt hands on of a data test that could not run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lotuslake.adapters.dbt_project import DbtProject
from lotuslake.core.errors import DiskFullError, LostRaceError, LotusLakeError, UnreachableError

HEADING = "Runtime Error in test unique_int_x_id (processed/x.yml)\n  "


@pytest.fixture
def project(tmp_path: Path) -> DbtProject:
    instance: Any = None
    project = DbtProject(tmp_path, tmp_path, instance)
    project.models = {}
    return project


def result_of(message: str, status: str = "error") -> Any:
    node = SimpleNamespace(name="unique_int_x_id", depends_on=SimpleNamespace(nodes=["model.lotuslake.int_x"]))
    return SimpleNamespace(node=node, status=SimpleNamespace(value=status), failures=None, message=message)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            'IO Error: Could not write file "/t/duckdb_temp_storage_DEFAULT-0.tmp": No space left on device',
            DiskFullError,
        ),
        ("HTTP Error: Request returned HTTP 503 for HTTP GET to 'http://127.0.0.1:1/x'", UnreachableError),
        ("TransactionContext Error: Transaction conflict - attempting to …", LostRaceError),
    ],
)
def test_an_outage_says_nothing_of_the_model(project: DbtProject, text: str, kind: type[LotusLakeError]) -> None:
    """It would stay open as a finding: a version is tested once."""
    with pytest.raises(kind, match=r"int_x|disk"):
        project._outcome(result_of(HEADING + text))


def test_a_test_that_does_not_run_for_its_own_fault_is_a_finding(project: DbtProject) -> None:
    outcome = project._outcome(result_of(HEADING + 'Binder Error: Referenced column "connection" not found'))
    assert (outcome.status, outcome.model) == ("error", "int_x")
    assert "Referenced column" in outcome.message
