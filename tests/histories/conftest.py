"""Lakes for histories: one project folder a session, one lake a history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.histories.play_duckdb import DuckPlay, Workshop
from tests.histories.scene import Scene, ShapePlay
from tests.histories.world import Config


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("histories"))


@pytest.fixture
def make_scene(workshop: Workshop) -> Iterator[Callable[..., Scene]]:
    """Makes an embedded lake that a test tells a history of."""
    made: list[DuckPlay] = []

    def make(**config: Any) -> Scene:
        while made:
            made.pop().close()
        made.append(DuckPlay(Config(**config), workshop))
        return Scene(made[0])

    yield make
    while made:
        made.pop().close()


@pytest.fixture
def make_shapes(workshop: Workshop) -> Iterator[Callable[..., ShapePlay]]:
    """Makes an embedded lake whose stream has any fields."""
    made: list[ShapePlay] = []

    def make(shapes: Any, select: str, **config: Any) -> ShapePlay:
        made.append(ShapePlay(workshop, Config(**config), shapes, select))
        return made[-1]

    yield make
    for lake in made:
        lake.close()
