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
# As `juicefs` does: the memory that holds the arguments is written over.
RENAMED = f"""
import ctypes, sys
from pathlib import Path
fields = Path('/proc/self/stat').read_text().rpartition(') ')[2].split()
begins, ends = int(fields[45]), int(fields[46])
ctypes.memmove(begins, b'another'.ljust(ends - begins, b'x'), ends - begins)
{SLEEP}
"""
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


def test_a_program_that_rewrites_its_command_line_is_still_the_same(tmp_path: Path) -> None:
    program = dataclasses.replace(started(tmp_path, RENAMED))
    assert psutil.Process(program.pid).cmdline()[0].startswith("another")
    assert program.is_running()
    program.kill()
    assert not program.is_running()


def test_a_stubborn_program_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.services.program.STOP_TIMEOUT_SECONDS", 0.2)
    program = started(tmp_path, STUBBORN)
    program.stop(signal.SIGTERM)
    assert not program.is_running()


def test_a_stranger_with_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    program = started(tmp_path, SLEEP)
    other = dataclasses.replace(program, started_at=program.started_at - 60)
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
