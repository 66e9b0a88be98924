"""Runs the real program in a forked process that stops at a named moment: killed there, or held until told to go on.

The product has no hooks for this. Every SQL statement, ours and dbt's, passes through `DuckDBPyConnection.execute`, which
the forked process replaces before it starts the program; where no statement marks the moment, a function is replaced.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

from tests.support.leaks import hear

# A process that has imported everything and is forked: a start then takes no time, and every kill hits the work itself.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "lotuslake.cli.main",
        "lotuslake.cli.wiring",
        "lotuslake.adapters.ducklake_models",
        "lotuslake.adapters.s3_store",
        "dbt.cli.main",
        "dbt.task.run",
        "dbt.task.test",
        "dbt.adapters.duckdb",
        "sqlparse",
        "rich.console",
        "rich.table",
        "boto3",
        "psycopg",
        "pyarrow",
        "tests.support.warm",
    ]
)
FOREIGN = ("LOTUSLAKE_", "AWS_", "PG")
TIMEOUT_SECONDS = 600
KILLED = -signal.SIGKILL
When = Literal["before", "during", "after"]


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a process stops: at the ``passage``-th time that it comes by.

    ``statement`` is searched in SQL, or ``function`` (`module:Class.method`) is called. ``follows`` arms it only once
    another statement was seen. ``during`` kills ``delay_seconds`` after the statement began.
    """

    name: str
    statement: str = ""
    function: str = ""
    when: When = "before"
    passage: int = 1
    follows: str = ""
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Hold:
    """Instead of being killed, the process makes the file ``reached`` and waits until the file ``go_on`` is there."""

    folder: Path

    @property
    def reached(self) -> Path:
        """Made by the process."""
        return self.folder / "reached"

    @property
    def go_on(self) -> Path:
        """Made by the test."""
        return self.folder / "go_on"

    def wait_until_reached(self, process: BaseProcess) -> None:
        """Fails when the process ends without coming by."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not self.reached.exists():
            assert process.is_alive(), f"it ended with {process.exitcode} before the moment came"
            assert time.monotonic() < deadline
            time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a forked program ended and what it told."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def was_killed(self) -> bool:
        """Whether the moment came."""
        return self.exit_code == KILLED


@dataclass(slots=True)
class Running:
    """A forked program."""

    process: BaseProcess
    output: Path

    def wait(self) -> Ended:
        """How it ended."""
        self.process.join(TIMEOUT_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
            raise AssertionError(f"it hung; stderr:\n{self._read('err')}")
        assert self.process.exitcode is not None
        ended = Ended(self.process.exitcode, self._read("out"), self._read("err"))
        hear(ended.stdout)
        hear(ended.stderr)
        return ended

    def stderr(self) -> str:
        """What it has told so far."""
        return self._read("err")

    def _read(self, kind: str) -> str:
        return self.output.with_suffix(f".{kind}").read_text()


_started = 0


def start(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    moment: Moment | None = None,
    hold: Hold | None = None,
) -> Running:
    """Start `lotuslake` with these arguments in ``folder``."""
    global _started  # noqa: PLW0603 - a number for each process's output
    _started += 1
    outputs = folder / "outputs"
    outputs.mkdir(exist_ok=True)
    output = outputs / f"{_started:04}"
    for kind in ("out", "err"):
        output.with_suffix(f".{kind}").write_text("")
    process = FORKS.Process(
        target=_run_program, args=(tuple(arguments), dict(environment), folder, output, moment, hold), daemon=True
    )
    process.start()
    return Running(process, output)


def _run_program(
    arguments: tuple[str, ...],
    environment: dict[str, str],
    folder: Path,
    output: Path,
    moment: Moment | None,
    hold: Hold | None,
) -> None:
    for number, kind in ((1, "out"), (2, "err")):
        with output.with_suffix(f".{kind}").open("w") as stream:
            os.dup2(stream.fileno(), number)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    os.environ.clear()
    os.environ.update(kept | environment)
    os.chdir(folder)
    sys.argv = ["lotuslake", *arguments]
    if moment is not None:
        _arm(moment, _kill_self if hold is None else lambda: _wait(hold))
    from lotuslake.cli.main import run

    run()


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _wait(hold: Hold) -> None:
    hold.reached.touch()
    while not hold.go_on.exists():
        time.sleep(0.005)


class _Trap:
    """Counts passages and acts at the right one; once."""

    def __init__(self, moment: Moment, act: Callable[[], None]) -> None:
        self._moment = moment
        self._act = act
        self._armed = not moment.follows
        self._seen = 0

    def meet(self, when: Literal["before", "after"], text: str) -> None:
        moment = self._moment
        if not self._armed:
            self._armed = when == "after" and re.search(moment.follows, text, re.IGNORECASE | re.DOTALL) is not None
            return
        if when != ("before" if moment.when == "during" else moment.when):
            return
        if moment.statement and not re.search(moment.statement, text, re.IGNORECASE | re.DOTALL):
            return
        self._seen += 1
        if self._seen != moment.passage:
            return
        if moment.when == "during":
            threading.Timer(moment.delay_seconds, self._act).start()
        else:
            self._act()


def _arm(moment: Moment, act: Callable[[], None]) -> None:
    import duckdb

    trap = _Trap(moment, act)
    if moment.function:
        _wrap_function(moment.function, trap)
    execute = duckdb.DuckDBPyConnection.execute

    def watched(self: Any, statement: Any, *more: Any, **named: Any) -> Any:
        text = str(statement)
        if moment.statement:
            trap.meet("before", text)
        result = execute(self, statement, *more, **named)
        if moment.statement or moment.follows:
            trap.meet("after", text)
        return result

    duckdb.DuckDBPyConnection.execute = watched  # type: ignore[method-assign,assignment]


def _wrap_function(name: str, trap: _Trap) -> None:
    module_name, _, path = name.partition(":")
    owner: Any = import_module(module_name)
    *outer, last = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    original = getattr(owner, last)

    def watched(*arguments: Any, **named: Any) -> Any:
        trap.meet("before", "")
        result = original(*arguments, **named)
        trap.meet("after", "")
        return result

    setattr(owner, last, watched)
