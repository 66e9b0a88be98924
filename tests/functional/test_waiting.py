"""Waiting for another program is said at once, counted, and ended by Ctrl-C."""

from __future__ import annotations

import io
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lotuslake.adapters.postgres_lock import PostgresLock
from lotuslake.adapters.waiting import Waiting
from lotuslake.cli.diagnostics import ErrHandler, TextFormatter
from lotuslake.core.errors import ExitCode, StopRequestedError
from tests.functional.program import Project
from tests.functional.things import data_file, key_of
from tools.services import Postgres

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"


@pytest.fixture
def holder(things: Project) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the catalog of a lake until its stdin is closed."""
    things.put(key_of("part_0.parquet"), data_file([1]))
    assert things.run("register").exit_code == 0
    command = [sys.executable, "-c", HOLD, str(things.catalog)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return str(json.loads(process.stderr.readline())["message"])


def test_a_held_catalog_is_told_at_once_and_then_had(things: Project, holder: subprocess.Popen[str]) -> None:
    waiting = things.start("status")
    said = first_line(waiting)
    assert said.startswith("the catalog is held by ")
    assert said.endswith(f"(PID {holder.pid}): waiting, 0 of 30 s")
    holder.communicate()
    _, stderr = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, stderr
    assert json.loads(stderr.splitlines()[-1])["message"].startswith("waited ")


def test_ctrl_c_ends_the_wait(things: Project, holder: subprocess.Popen[str]) -> None:
    waiting = things.start("status")
    first_line(waiting)
    waiting.send_signal(signal.SIGINT)
    _, stderr = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert holder.poll() is None, "the catalog was held all the time"
    assert json.loads(stderr.splitlines()[-1])["message"].startswith("stopped on request")


def test_so_is_work_that_another_program_is_at(
    postgres: Postgres, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, name = postgres.make_database(), "transform shop/orders"
    for variable, value in {"PGPASSWORD": postgres.password, "PGSSLMODE": "disable"}.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(logging.getLogger("lotuslake"), "propagate", True)
    caplog.set_level(logging.INFO, logger="lotuslake")
    first, second = PostgresLock(url), PostgresLock(url, wait_seconds=0.3)
    with first.held(name) as got, second.held(name) as also:
        assert (got, also) == (True, False)
    first.close()
    second.close()
    assert caplog.messages[0] == "another program is at the same work (transform shop/orders): waiting, 0 of 0 s"


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def wait_for(seconds: float, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    handler = ErrHandler()
    handler.setFormatter(TextFormatter(shows_trace=False))
    logger = logging.getLogger("lotuslake")
    monkeypatch.setattr(logger, "handlers", [handler])
    monkeypatch.setattr(logger, "propagate", False)
    logger.setLevel(logging.INFO)
    clock = Clock()
    waiting = Waiting(30, lambda: None, clock)
    while clock.now < 100 + seconds:
        waiting.tell("it is held")
        clock.now += 0.25
    waiting.end()
    return stream.getvalue()


def test_a_log_has_a_line_at_once_and_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wait_for(21, io.StringIO(), monkeypatch).splitlines() == [
        "it is held: waiting, 0 of 30 s",
        "it is held: waiting, 10 of 30 s",
        "it is held: waiting, 20 of 30 s",
        "waited 21 s",
    ]


def test_a_terminal_has_one_line_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    counting = "".join(f"\r\x1b[2Kit is held: waiting, {second} of 30 s" for second in range(3))
    assert wait_for(3, Terminal(), monkeypatch) == f"{counting}\nwaited 3 s\n"


def test_it_asks_whether_to_go_on() -> None:
    def interrupt() -> None:
        raise StopRequestedError(ExitCode.INTERRUPTED)

    with pytest.raises(StopRequestedError):
        Waiting(30, interrupt, Clock()).tell("it is held")
