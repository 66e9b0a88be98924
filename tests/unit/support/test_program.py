"""Programs that are stopped by pid only while the pid is theirs."""

from __future__ import annotations

import dataclasses
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from tools.services.program import Program, start_program

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


def started(tmp_path: Path, code: str) -> Program:
    program = start_program([sys.executable, "-c", code], folder=tmp_path, log=tmp_path / "log", environment={})
    deadline = time.monotonic() + 60
    while not (tmp_path / "log").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return program


def test_stop(tmp_path: Path) -> None:
    program = started(tmp_path, SLEEP)
    program.stop(signal.SIGTERM)
    assert not program.is_running()
    program.stop(signal.SIGTERM)
    program.kill()


def test_a_stubborn_program_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.services.program.STOP_TIMEOUT_SECONDS", 0.2)
    program = started(tmp_path, STUBBORN)
    program.stop(signal.SIGTERM)
    assert not program.is_running()


def test_a_stranger_with_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    program = started(tmp_path, SLEEP)
    other = dataclasses.replace(program, command=("/usr/bin/weed", "mini"))
    assert not other.is_running()
    other.stop(signal.SIGTERM)
    other.kill()
    assert program.is_running()
    program.kill()


def test_a_program_that_ended_by_itself_is_no_zombie(tmp_path: Path) -> None:
    program = start_program([sys.executable, "-c", ""], folder=tmp_path, log=tmp_path / "log", environment={})
    deadline = time.monotonic() + 10
    while program.is_running() or psutil.pid_exists(program.pid):
        assert time.monotonic() < deadline
