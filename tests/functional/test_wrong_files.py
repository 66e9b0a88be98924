"""What a wrong stream file stops, and what it does not."""

from __future__ import annotations

import pytest

from tests.functional.program import Project, write
from tests.functional.things import STREAM, STREAM_FILE, data_file, key_of

WRONG = "sync_mode: incremental\nprimary_key: [id]\ncursor_field: at\nmax_files: 3\nfields:\n  id: {type: int}\n"
FILE = "streams/other/wrong.yml"


@pytest.fixture
def broken(things: Project) -> Project:
    """A good stream with a file to register, and another source whose only stream file holds four mistakes."""
    write(things.root / FILE, WRONG)
    things.put(key_of("part_0.parquet"), data_file([1, 2]))
    return things


def test_another_source_goes_on(broken: Project) -> None:
    for command in ("ingest-check", "register", "transform", "run", "generate-catalog"):
        assert broken.run(command, STREAM.partition("/")[0]).exit_code == 0, command
    assert broken.run("status").exit_code == 0
    assert broken.rows("SELECT count(*) FROM processed.int_test__things") == [(2,)]


@pytest.mark.parametrize("command", ["ingest-check", "register", "transform", "run", "maintain", "generate-catalog"])
def test_every_mistake_is_told_once(broken: Project, command: str) -> None:
    outcome = broken.json(command, expect=2)
    messages = [error["message"] for error in outcome.envelope["errors"]]
    assert [message.partition(":")[0] for message in messages] == [
        f"{FILE}, line 4",
        FILE,
        f"{FILE}, line 6",
        f"{FILE}, line 3",
    ]
    assert [line["message"] for line in outcome.log] == messages
    assert {error["stream"] for error in outcome.envelope["errors"]} == {"other/wrong"}
    assert not broken.catalog.exists()


def test_a_wrong_file_of_the_same_source_stops_those_that_mean_it(broken: Project) -> None:
    write(broken.root / "streams/test/later.yml", STREAM_FILE + "lookback_days: -1\n")
    assert broken.run("register", "test").exit_code == 2
    assert broken.run("register", STREAM).exit_code == 0
