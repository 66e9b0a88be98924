"""Lakes that things happen to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.fault_lake import EmbeddedLake, FaultLake, ServiceLake, make_items_project

MakeLake = Callable[[str], FaultLake]


@pytest.fixture
def make_lake(tmp_path: Path, request: pytest.FixtureRequest) -> MakeLake:
    """Makes an empty lake, `embedded` or on `services`."""
    made = 0

    def make(kind: str) -> FaultLake:
        nonlocal made
        made += 1
        root = tmp_path / f"project_{made}"
        make_items_project(root)
        lake: FaultLake
        if kind == "embedded":
            lake = EmbeddedLake(root)
        else:
            lake = ServiceLake(
                root,
                storage=request.getfixturevalue("seaweedfs"),
                postgres=request.getfixturevalue("postgres"),
            )
        lake.take_up_parsing()
        return lake

    return make


@pytest.fixture
def service_lake(make_lake: MakeLake) -> ServiceLake:
    """An empty lake on SeaweedFS and Postgres."""
    lake = make_lake("services")
    assert isinstance(lake, ServiceLake)
    return lake


@pytest.fixture
def embedded_lake(make_lake: MakeLake) -> EmbeddedLake:
    """An empty lake in a folder."""
    lake = make_lake("embedded")
    assert isinstance(lake, EmbeddedLake)
    return lake


@pytest.fixture
def is_long(pytestconfig: pytest.Config) -> bool:
    """Whether the long form was asked for."""
    return bool(pytestconfig.getoption("--long-faults"))
