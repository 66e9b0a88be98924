"""A bug is one line for the person, a trace in the log record that outlives the pod, and an envelope where one is wanted."""

from __future__ import annotations

import os

import pytest

from tests.functional.program import Project

SECRET = "hush-hush-hush"
# As DuckDB does: the statement, with a row in it, in the lines below.
TEXT = f"it broke with {SECRET}\nLINE 1: SELECT 'jane@example.com'"


def fail(*_: object, **__: object) -> None:
    try:
        os.environ["LOTUSLAKE_NOTHING"]
    except KeyError as error:
        raise RuntimeError(TEXT) from error


@pytest.fixture
def broken(things: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("lotuslake.cli.ingest_check.ingest_check", fail)
    things.environment["PGPASSWORD"] = SECRET
    return things


def test_the_trace_is_in_the_log_record(broken: Project) -> None:
    outcome = broken.run("ingest-check")
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    (line,) = outcome.log
    assert line["message"].startswith("unexpected RuntimeError: it broke with … (the trace is in ")
    assert line["level"] == "error"
    assert line["action"] == "ingest-check"
    assert len(line["run_id"]) == 36
    trace = line["trace"]
    assert trace.index("KeyError: ") < trace.index("Then:") < trace.index("RuntimeError: it broke with …\n")
    assert 'File "' in trace
    assert ", in fail\n" in trace
    assert SECRET not in outcome.stderr
    assert "jane@example.com" not in outcome.stderr


def test_the_file_keeps_it_too(broken: Project) -> None:
    broken.run("ingest-check")
    kept = (broken.root / ".lotuslake" / "error.log").read_text()
    assert "RuntimeError: it broke with …" in kept
    assert SECRET not in kept


def test_text_that_nobody_watches_has_it(broken: Project) -> None:
    outcome = broken.run("ingest-check", "--log-format", "text")
    first, *rest = outcome.stderr.splitlines()
    assert first.startswith("error: unexpected RuntimeError: it broke with … (the trace is in ")
    assert any(", in fail" in line for line in rest)


def test_an_envelope_is_an_envelope(broken: Project) -> None:
    outcome = broken.json("ingest-check", expect=1)
    (error,) = outcome.envelope["errors"]
    assert (error["code"], error["message"]) == ("failed", outcome.log[0]["message"])
