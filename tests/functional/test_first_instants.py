"""What ends before a command has begun: plain words, the right code, and an envelope where one was asked for."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.functional.program import START, Project

# The program of the console script, which sends itself a signal when it comes to the import of a module.
INTERRUPTED = """
import builtins, os, sys
sys.argv = ["lotuslake", *{arguments!r}]
original = builtins.__import__
def importing(name, *rest):
    if name == {module!r}:
        builtins.__import__ = original
        os.kill(os.getpid(), {number})
    return original(name, *rest)
builtins.__import__ = importing
{start}
"""


@pytest.mark.parametrize("module", ["lotuslake.cli.main", "typer", "yaml", "lotuslake.config.section"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("as_json", [True, False])
def test_a_signal_while_the_program_is_imported(
    things: Project, module: str, number: signal.Signals, code: int, as_json: bool
) -> None:
    arguments = ["register", *(["--json"] if as_json else [])]
    program = INTERRUPTED.format(arguments=arguments, module=module, number=int(number), start=START)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=things.root,
        env=things.environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, "stopped before anything had begun\n")
    envelope = (
        f'{{"version": 1, "command": "", "status": "error", "exit_code": {code}, "data": {{}}, '
        '"errors": [{"code": "stopped", "message": "stopped before anything had begun", "stream": null}]}\n'
    )
    assert done.stdout == (envelope if as_json else "")
    assert not things.catalog.exists()


@pytest.mark.parametrize(
    ("arguments", "command", "message"),
    [
        (("register", "--no-such"), "register", "No such option: --no-such; see: lotuslake register --help"),
        (("nosuch",), "", "No such command 'nosuch'; see: lotuslake --help"),
        (("register", "--max-batches", "x"), "register", "Invalid value for '--max-batches'"),
        (("query",), "query", "Missing argument 'SQL'; see: lotuslake query --help"),
        (("register", "--threads"), "register", "Option '--threads' requires an argument"),
        (("register", "--threads", "none"), "register", "--threads must be a whole number, 1 or more, not 'none'"),
    ],
)
def test_wrong_usage_is_an_envelope(things: Project, arguments: tuple[str, ...], command: str, message: str) -> None:
    outcome = things.run(arguments[0], "--json", *arguments[1:])
    assert outcome.exit_code == 2
    assert outcome.envelope["command"] == command
    (error,) = outcome.envelope["errors"]
    assert error["message"].startswith(message)
    assert outcome.message == error["message"]


def test_help_and_version_are_no_envelopes(things: Project) -> None:
    assert things.run("register", "--json", "--help").stdout.lstrip().startswith("Usage: lotuslake register")
    assert things.run("--version").exit_code == 0


def test_without_json_the_parser_speaks_for_itself(things: Project) -> None:
    outcome = things.run("register", "--no-such")
    assert outcome.exit_code == 2
    assert "No such option: --no-such" in outcome.stderr
    assert outcome.stdout == ""


def test_a_demo_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Root may write anywhere: the folder says no by other means.
    monkeypatch.setattr("lotuslake.config.starter.shutil.copy2", refuse)
    outcome = Project(tmp_path).json("demo", expect=2)
    assert outcome.message == (
        f"{tmp_path}: streams/ and models/ cannot be laid out there (Permission denied); run the demo in a folder of your "
        "own: mkdir shop && cd shop && lotuslake demo"
    )


@pytest.mark.parametrize("statement", ["CREATE TABLE mine AS SELECT 1 AS a", "CREATE VIEW mine AS SELECT 1 AS a"])
def test_no_lake_is_made_in_a_file_of_somebodys_own(things: Project, statement: str) -> None:
    things.catalog.parent.mkdir(exist_ok=True)
    with duckdb.connect(str(things.catalog)) as connection:
        connection.execute(statement)
    for command in ("ingest-check", "register", "transform", "status"):
        outcome = things.run(command)
        assert outcome.exit_code == 2, command
        assert f"{things.catalog} is a DuckDB database with tables of its own, such as mine" in outcome.message
    with duckdb.connect(str(things.catalog), read_only=True) as connection:
        assert connection.execute("SELECT a FROM mine").fetchall() == [(1,)]
        assert connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name <> 'mine'").fetchall() == [
            (0,)
        ]


def test_an_empty_file_becomes_a_lake(things: Project) -> None:
    things.catalog.parent.mkdir(exist_ok=True)
    duckdb.connect(str(things.catalog)).close()
    assert things.run("ingest-check").exit_code == 0
    assert things.run("register").exit_code == 0
    assert things.run("status").exit_code == 0
