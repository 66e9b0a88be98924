"""What `lotuslake query` gives: tabs in a pipe, a table on a terminal, files in full or not at all, DuckDB's hints."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.functional.program import START, Outcome, Project
from tests.functional.things import data_file, key_of, things_project

STYLE = re.compile(r"\x1b\[[0-9;]*m")
ODD = "SELECT 1 AS id, 'a' || chr(9) || 'b' AS text, NULL AS nothing, 'nan'::DOUBLE AS odd, {'n': [1, 2]} AS nested"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A lake with a landing table; tests only read it."""
    project = things_project(tmp_path_factory.mktemp("lake"))
    project.put(key_of("a.parquet"), data_file([1, 2]))
    project.json("register")
    return project


def piped(lake: Project, *arguments: str, statement: bytes = b"", **environment: str) -> Outcome:
    """In a process of its own, with the statement on stdin and pipes for the rest."""
    process = subprocess.run(
        [sys.executable, "-c", START, "query", *arguments],
        cwd=lake.root,
        env=lake.environ() | environment,
        input=statement,
        capture_output=True,
        check=False,
    )
    return Outcome(process.returncode, process.stdout.decode(), process.stderr.decode())


def on_a_terminal(lake: Project, *arguments: str, columns: int = 80) -> list[str]:
    """The lines on the screen of a terminal."""
    ours, theirs = pty.openpty()
    environment = lake.environ() | {"COLUMNS": str(columns), "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-c", START, "query", *arguments], cwd=lake.root, env=environment, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    screen = b""
    try:
        while part := os.read(ours, 65536):
            screen += part
    except OSError:
        pass  # The other end is closed.
    finally:
        os.close(ours)
    assert process.wait() == 0, screen.decode()
    return STYLE.sub("", screen.decode()).splitlines()


def test_a_pipe_takes_tabs_and_every_row(lake: Project) -> None:
    outcome = piped(lake, "SELECT range AS a, repeat('x', 500) AS b, NULL AS c FROM range(3000)")
    assert outcome.exit_code == 0, outcome.stderr
    lines = outcome.stdout.splitlines()
    assert lines[:2] == ["a\tb\tc", f"0\t{'x' * 500}\t"]
    assert len(lines) == 3001
    assert outcome.stderr == ""


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_the_statement_comes_on_stdin(lake: Project, arguments: tuple[str, ...]) -> None:
    outcome = piped(lake, *arguments, statement=b"-- how many?\nSELECT count(*) AS n\nFROM landing.stg_test__things;\n")
    assert outcome.stdout == "n\n2\n", outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "statement", "told"),
    [
        ((), b"", "the statement is empty"),
        ((), b" \n\t", "the statement is empty"),
        ((), b"SELECT '\xff'", "is not utf-8 text, at character 8"),
        (("SELECT 1", "--format", "parquet"), b"", "name one with -o FILE.parquet"),
        (("SELECT 1", "--format", "csv", "--json"), b"", "leave out --format"),
        (("SELECT 1", "-o", "answer"), b"", "what kind of file is answer?"),
        (("SELECT 1", "-o", "answer.xls"), b"", "End its name with .csv"),
        (("SELECT 1", "-o", "no/such/answer.csv"), b"", "there is no such folder"),
        (("SELECT 1", "-o", ".", "--format", "csv"), b"", "is a folder"),
        (("SELECT 1", "-o", "answer.parquet", "--max-rows", "1"), b"", "write LIMIT into the statement"),
    ],
)
def test_what_is_refused(lake: Project, arguments: tuple[str, ...], statement: bytes, told: str) -> None:
    before = sorted(path.name for path in lake.root.iterdir())
    outcome = piped(lake, *arguments, statement=statement)
    words = " ".join(STYLE.sub("", outcome.stderr).replace("│", " ").split())
    assert (outcome.exit_code, told in words) == (2, True), outcome.stderr
    assert sorted(path.name for path in lake.root.iterdir()) == before


@pytest.mark.parametrize("name", ["answer.csv", "answer.tsv", "answer.json", "answer.parquet"])
def test_a_file_is_read_back_by_duckdb(lake: Project, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("what stood there before")
    outcome = piped(lake, f"{ODD} FROM range(3)", "-o", str(path))
    assert (outcome.exit_code, outcome.stdout) == (0, f"3 rows in {path}\n"), outcome.stderr
    assert [one.name for one in tmp_path.iterdir()] == [name]
    found = duckdb.sql(f"SELECT id, text, nothing FROM '{path}'").fetchall()
    text = "a\\tb" if name.endswith(".tsv") else "a\tb"
    assert found == [(1, text, None)] * 3


def test_parquet_keeps_duckdbs_own_types(lake: Project, tmp_path: Path) -> None:
    path = tmp_path / "answer.parquet"
    sql = "SELECT 1.5::DECIMAL(20,2) AS money, TIMESTAMPTZ '2026-11-01 10:00:00+01' AS at, {'n': [1, 2]} AS nested -- a remark"
    assert piped(lake, sql, "-o", str(path), "--json").envelope["data"] == {"rows_written": 1}
    types = [str(kind) for kind in duckdb.sql(f"FROM '{path}'").types]
    assert types == ["DECIMAL(20,2)", "TIMESTAMP WITH TIME ZONE", "STRUCT(n INTEGER[])"]


def test_a_statement_that_fails_leaves_the_file_that_was_there(lake: Project, tmp_path: Path) -> None:
    for name in ("answer.csv", "answer.parquet"):
        path = tmp_path / name
        path.write_text("before")
        outcome = piped(lake, "SELECT CAST(if(range = 99999, 'x', '1') AS INT) FROM range(100000)", "-o", str(path))
        assert outcome.exit_code == 2, outcome.stderr
        assert path.read_text() == "before"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["answer.csv", "answer.parquet"]


def test_a_parquet_file_is_no_way_to_write_into_the_lake(lake: Project, tmp_path: Path) -> None:
    for statement in ("DROP TABLE landing.stg_test__things", "SELECT 1) TO 'x' --", "COPY (SELECT 1) TO 'x'"):
        assert piped(lake, statement, "-o", str(tmp_path / "x.parquet")).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_json_has_no_number_that_is_none(lake: Project) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    plain = json.loads(piped(lake, ODD, "--format", "json").stdout, parse_constant=refuse)
    assert plain == [{"id": 1, "text": "a\tb", "nothing": None, "odd": "NaN", "nested": {"n": [1, 2]}}]
    envelope = json.loads(piped(lake, ODD, "--json").stdout, parse_constant=refuse)
    assert envelope["data"]["rows"] == [[1, "a\tb", None, "NaN", {"n": [1, 2]}]]


def test_show_tables_shows_the_lakes(lake: Project) -> None:
    lines = piped(lake, "show tables;").stdout.splitlines()
    assert lines[:2] == ["name\tkind", "landing.stg_test__things\ttable"]
    assert "meta.findings\tview" in lines


def test_duckdbs_hints_are_kept(lake: Project) -> None:
    outcome = piped(lake, "SELECT i\nFROM landing.stg_test__thing")
    assert (outcome.exit_code, "\n" in outcome.message) == (2, False)
    assert 'Did you mean "stg_test__things"?' in outcome.message
    assert outcome.message.endswith("(line 2)")
    assert "Candidate bindings: " in piped(lake, "SELECT idd FROM landing.stg_test__things").message


def test_a_screen_shows_so_many_rows_and_says_so(lake: Project) -> None:
    lines = on_a_terminal(lake, "FROM range(600)")
    assert [line.strip() for line in lines if line.strip().isdigit()] == [str(number) for number in range(500)]
    assert "first 500 rows, there are more" in lines[-1]
    few = on_a_terminal(lake, "FROM range(600)", "--max-rows", "2")
    assert [line.strip() for line in few if line.strip().isdigit()] == ["0", "1"]
    assert len(on_a_terminal(lake, "FROM range(600)", "--max-rows", "0")) > 600


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_wide_answer_is_elided_and_never_folded(lake: Project, columns: int) -> None:
    wide = ", ".join(f"repeat('value {at} ', 9) AS column_{at}" for at in range(60))
    lines = on_a_terminal(lake, f"SELECT {wide} FROM range(2)", columns=columns)
    table = [line for line in lines if line.strip() and "columns are left out" not in line]
    assert len(table) == 4
    assert max(map(len, table)) <= columns
    assert "…" in table[0]
    assert "columns are left out: --format vertical shows all" in lines[-1]


def test_a_reader_that_has_had_enough_is_no_error(lake: Project) -> None:
    command = f"'{sys.executable}' -c '{START}' query 'FROM range(1000000)' | head -n 2"
    process = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=lake.root, env=lake.environ(), capture_output=True, check=False
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, b"range\n0\n", b"")


def test_a_terminal_that_knows_few_letters(lake: Project) -> None:
    for form in ("table", "tsv", "vertical", "csv"):
        outcome = piped(lake, "SELECT '€ 😀' AS x", "--format", form, PYTHONIOENCODING="ascii")
        assert outcome.exit_code == 0, outcome.stderr
        assert "\\u20ac \\U0001f600" in outcome.stdout
