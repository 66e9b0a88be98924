"""Random histories of docs/histories.md, each against the oracle: tables, findings and exit codes after every command."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tests.histories.draw import Author, draw_config
from tests.histories.lake import Play
from tests.histories.play import Difference, write_and_play
from tests.histories.play_duckdb import Workshop
from tests.histories.play_memory import MemoryPlay
from tests.histories.shapes import HAS_NULL_KEYS
from tests.histories.shrink import shrink
from tests.histories.world import Command, Config, Sql
from tests.support.tally import count
from tools.services import Postgres

# How many in the short form and in the long one, and how many in one test.
HISTORIES = {
    "test_on_the_double": (500, 10_000),
    "test_on_the_embedded_lake": (70, 1_400),
    "test_on_postgres": (30, 600),
}
SHARE = {"test_on_the_double": 250, "test_on_the_embedded_lake": 10, "test_on_postgres": 10}
ALL: tuple[Sql, ...] = ("plain", "marked", "few", "typed")
# A model of the double makes a row of every row, and its columns have no types.
OF_THE_DOUBLE: tuple[Sql, ...] = ("plain", "marked")


def play_share(
    share: range, seed: str, make_lake: Callable[[Config], Play], *, sqls: tuple[Sql, ...], length: int, attempts: int
) -> None:
    for number in share:
        own_seed = f"{seed}-{number}"
        random = Random(own_seed)
        config = draw_config(random)
        lake = make_lake(config)
        try:
            history = write_and_play(own_seed, Author(random, sqls, HAS_NULL_KEYS), config, lake, length)
        except Difference as difference:
            smallest, message = shrink(difference.args[1], make_lake, attempts=attempts)
            pytest.fail(
                f"{smallest.words}\n{message}\n\nas it was drawn:\n{difference.args[1].words}\n{difference.args[0]}"
            )
        finally:
            lake.close()
        count("histories")
        count("events", sum(not isinstance(event, Command) for event in history.events))
        count("commands", sum(isinstance(event, Command) for event in history.events))


def test_on_the_double(share: range, seed: str) -> None:
    play_share(share, f"double-{seed}", MemoryPlay, sqls=OF_THE_DOUBLE, length=40, attempts=2_000)


def test_on_the_embedded_lake(share: range, seed: str, workshop: Workshop) -> None:
    play_share(share, f"embedded-{seed}", workshop.make_lake, sqls=ALL, length=12, attempts=80)


def test_on_postgres(
    share: range, seed: str, workshop: Workshop, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", postgres.password)
    monkeypatch.setenv("PGSSLMODE", "disable")

    def make_lake(config: Config) -> Play:
        return workshop.make_lake(config, postgres.make_database())

    play_share(share, f"postgres-{seed}", make_lake, sqls=ALL, length=12, attempts=60)
