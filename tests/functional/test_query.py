"""`lotuslake query` in a process of its own: a crash is told, a signal ends it at once, and nobody is left at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import psutil
import pytest

from lotuslake.adapters.instance_options import InstanceOptions
from lotuslake.adapters.separate_query import SeparateQuery
from tests.functional.program import START, Outcome, Project
from tests.functional.things import data_file, key_of, things_project

# DuckDB 1.5.5 walks JSON on its stack, whatever its depth.
CRASHES = "SELECT json_structure(repeat('[', 200000) || repeat(']', 200000))"
ENDLESS = "SELECT sum(a.range * b.range) FROM range(1000000000) AS a, range(1000000000) AS b"
# A guard against hanging, however slow the machine.
DEADLINE_SECONDS = 600


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A lake with a landing table; tests only read it."""
    project = things_project(tmp_path_factory.mktemp("lake"))
    project.put(key_of("a.parquet"), data_file([1, 2]))
    project.json("register")
    return project


@contextmanager
def at_work(project: Project, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """The program, and the process in which it answers an endless query, once that is at it."""
    process = project.start("query", ENDLESS, *arguments)
    try:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            assert time.monotonic() < deadline
            assert process.poll() is None
            for child in psutil.Process(process.pid).children():
                # Once it has its request it watches over the program in a thread of its own.
                if child.num_threads() > 1:
                    yield process, child
                    return
            time.sleep(0.02)
    finally:
        process.kill()
        process.communicate()


def options_of(project: Project) -> InstanceOptions:
    state = project.root / ".lotuslake"
    return InstanceOptions(str(project.catalog), str(state / "data"), 2**30, 2, state / "temp")


def ended(process: subprocess.Popen[str]) -> Outcome:
    stdout, stderr = process.communicate(timeout=DEADLINE_SECONDS)
    return Outcome(process.returncode, stdout, stderr)


def assert_gone(process: psutil.Process) -> None:
    process.wait(DEADLINE_SECONDS)
    assert not process.is_running()


def test_a_statement_that_makes_duckdb_crash(lake: Project) -> None:
    outcome = lake.run("query", CRASHES, "--json")
    assert outcome.exit_code == 1
    assert outcome.envelope["errors"][0]["code"] == "crashed"
    assert "made DuckDB crash (SIGSEGV)" in outcome.message
    assert "the lake is unharmed" in outcome.message
    assert len(outcome.stderr.splitlines()) == len(outcome.log) == 1
    assert lake.json("query", "SELECT count(*) > 0 FROM landing.stg_test__things").envelope["data"]["rows"] == [[True]]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (signal.SIGKILL, "the query was killed (SIGKILL), most likely because memory ran out"),
        (signal.SIGABRT, "the statement made DuckDB crash (SIGABRT)"),
        (signal.SIGBUS, "the statement made DuckDB crash (SIGBUS)"),
        (signal.SIGTERM, "the query was ended from outside (SIGTERM)"),
    ],
)
def test_the_process_of_a_query_dies(lake: Project, number: signal.Signals, told: str) -> None:
    with at_work(lake, "--json") as (process, child):
        child.send_signal(number)
        outcome = ended(process)
    assert outcome.exit_code == 1
    assert told in outcome.message
    assert outcome.envelope["exit_code"] == 1
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_query_at_once(lake: Project, number: signal.Signals, expected: int) -> None:
    with at_work(lake, "--json") as (process, child):
        process.send_signal(number)
        outcome = ended(process)
        assert_gone(child)
    assert outcome.exit_code == expected, outcome.stderr
    assert outcome.envelope["errors"][0]["code"] == "stopped"
    assert "Traceback" not in outcome.stderr


def test_nobody_is_left_at_work_for_a_program_that_was_killed(lake: Project) -> None:
    with at_work(lake) as (process, child):
        process.kill()
        assert_gone(child)


def test_the_command_line_of_the_process_holds_nothing_of_the_query(lake: Project) -> None:
    with at_work(lake) as (_, child):
        command = child.cmdline()
        limit = child.rlimit(psutil.RLIMIT_CORE)
    # Nor does its memory end in a file, should it crash.
    assert limit[0] == 0
    assert "range" not in " ".join(command)
    assert lake.root.name not in " ".join(command)


def test_values_come_over_as_they_are(lake: Project) -> None:
    sql = (
        "SELECT 1.50::DECIMAL(9,2), TIMESTAMPTZ '2026-11-01 10:00:00+01', [1, NULL], {'a': 'ä'}, MAP {'k': 1}, NULL, "
        "'x'::BLOB, true, 9223372036854775808::HUGEINT, INTERVAL 1 DAY, uuid() IS NOT NULL, 'NaN'::DOUBLE IS NULL"
    )
    query = SeparateQuery(lambda: options_of(lake))
    row = list(query.ask(sql).rows[0])
    assert row[0] == Decimal("1.50")
    assert row[1] == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert row[2:6] == [[1, None], {"a": "ä"}, {"k": 1}, None]
    assert row[6:9] == [b"x", True, 2**63]
    assert query.ask("SELECT $a + 1 AS b", {"a": 41}).rows == ((42,),)
    many = query.ask("SELECT range AS i FROM range(100001) ORDER BY i")
    assert (many.columns, len(many.rows), many.rows[-1]) == (("i",), 100_001, (100_000,))


def test_a_query_reads_what_comes_in(lake: Project) -> None:
    read, write = os.pipe()
    os.write(write, b"a,b\n1,2\n")
    os.close(write)
    with os.fdopen(read) as standard_input:
        process = subprocess.run(
            [sys.executable, "-c", START, "query", "FROM read_csv('/dev/stdin')", "--json"],
            cwd=lake.root,
            env=lake.environ(),
            stdin=standard_input,
            capture_output=True,
            text=True,
            check=True,
        )
    assert Outcome(0, process.stdout, "").envelope["data"]["rows"] == [[1, 2]]


def test_memory_that_does_not_suffice_names_the_setting(lake: Project) -> None:
    outcome = lake.run("query", "SELECT list(range) FROM range(50000000)", "--memory-limit", "64MiB", "--json")
    assert outcome.exit_code == 2, outcome.stderr
    assert "LOTUSLAKE_MEMORY_LIMIT" in outcome.message


def test_a_bug_in_the_process_comes_with_its_trace(lake: Project) -> None:
    broken = replace(options_of(lake), temp_dir=None)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=r"^AttributeError: 'NoneType'") as raised:
        SeparateQuery(lambda: broken).ask("SELECT 1")
    assert "duckdb_opening.py" in "".join(raised.value.__notes__)


def test_a_process_that_ends_without_a_word(lake: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="ended with 1 and gave no answer"):
        SeparateQuery(lambda: options_of(lake)).ask("SELECT 1")


def test_a_name_is_not_looked_for_among_the_programs_own_variables(lake: Project) -> None:
    for name in ("request", "incoming", "sys", "cursor", "self"):
        outcome = lake.run("query", f"FROM {name}", "--json")
        assert (outcome.exit_code, "Python" in outcome.message) == (2, False), outcome.message
        assert f"Table with name {name} does not exist" in outcome.message
