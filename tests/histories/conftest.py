"""Lakes for histories: one project folder a session, one lake a history."""

from __future__ import annotations

import secrets
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


@pytest.fixture(scope="session")
def is_long(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--long-faults"))


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config, is_long: bool) -> str:
    """The short form always plays the same histories, the long one new ones."""
    return pytestconfig.getoption("--histories-seed") or (secrets.token_hex(3) if is_long else "1")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of `SHARES` histories at a time, so that one that fails does not hide what the others show."""
    if "share" in metafunc.fixturenames:
        short, long = metafunc.module.HISTORIES[metafunc.function.__name__]
        number = long if metafunc.config.getoption("--long-faults") else short
        size = metafunc.module.SHARE[metafunc.function.__name__]
        metafunc.parametrize(
            "share", [range(first, min(first + size, number)) for first in range(0, number, size)], ids=str
        )
