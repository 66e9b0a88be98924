"""Lakes that are lost, in part or whole, and come back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from tests.drills.table import PROPERTY, row
from tests.faults.conftest import MakeLake, embedded_lake, is_long, make_lake, service_lake
from tests.support.fault_lake import EmbeddedLake, FaultLake, items, make_items_project, path_of

__all__ = ["embedded_lake", "is_long", "make_lake", "service_lake"]


@pytest.fixture(autouse=True)
def noted(request: pytest.FixtureRequest) -> None:
    """The row of the drill goes with its report."""
    marker = request.node.get_closest_marker("drill")
    if marker is not None:
        request.node.user_properties.append((PROPERTY, row(marker.args)))


SERVICES = pytest.param("services", marks=pytest.mark.long)


def fill(lake: FaultLake) -> FaultLake:
    """Three files, one of which had to be converted, taken in by two transforms: a table of several files."""
    lake.put(path_of("a", days_ago=2), items(0, 10))
    lake.put(path_of("b", days_ago=1), items(10, 10), amount_type=pa.string())
    lake.settle()
    lake.put(path_of("c"), items(20, 10))
    lake.settle()
    lake.check()
    return lake


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> FaultLake:
    """A lake in a folder, made once: each drill begins with a copy of it."""
    root = tmp_path_factory.mktemp("filled") / "project"
    make_items_project(root)
    return fill(EmbeddedLake(root))


@pytest.fixture(params=["embedded", SERVICES])
def lake(request: pytest.FixtureRequest, filled: FaultLake, make_lake: MakeLake, tmp_path: Path) -> FaultLake:
    """What `fill` makes."""
    if request.param == "services":
        return fill(make_lake("services"))
    root = tmp_path / "copied"
    shutil.copytree(filled.root, root)
    lake = EmbeddedLake(root, files=dict(filled.files))
    # The first command writes the new place into the catalog.
    lake.run("register", expect=[0])
    return lake
