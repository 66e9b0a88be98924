"""The invented shop in a lake, made once, and small projects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from json import loads
from pathlib import Path

import pytest

from lotuslake.config.streams import Streams, load_streams
from lotuslake.demo import Shop, build_shop
from tests.functional.program import Outcome, Project
from tests.functional.things import things_project

DEMO_SCALE = 0.05


@dataclass(frozen=True)
class DemoLake:
    """A project that `lotuslake demo` has filled, what it printed, and the shop that it delivered."""

    project: Project
    outcome: Outcome
    shop: Shop
    streams: Streams


@pytest.fixture(scope="session")
def demo_lake(tmp_path_factory: pytest.TempPathFactory) -> DemoLake:
    """The demo's lake. Tests only read it, or run commands that find nothing to do."""
    project = Project(tmp_path_factory.mktemp("demo"))
    outcome = project.run("demo", "--scale", str(DEMO_SCALE))
    assert outcome.exit_code == 0, outcome.stderr
    marker = loads((project.landing / "_lotuslake_demo.json").read_text())
    shop = build_shop(marker["seed"], marker["scale"], datetime.fromisoformat(marker["now"]))
    return DemoLake(project, outcome, shop, load_streams(project.root))


@pytest.fixture
def things(tmp_path: Path) -> Project:
    """A project with stream `test/things` and an empty landing root."""
    return things_project(tmp_path)
