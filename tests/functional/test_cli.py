"""What every command prints: one documented envelope, or text for a person; and how wrong usage is told."""

from __future__ import annotations

import dataclasses
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from lotuslake.cli.wiring import Wiring
from lotuslake.config.starter import copy_starter
from tests.functional.conftest import DemoLake
from tests.functional.program import START, Outcome, Project, write
from tests.functional.things import STREAM, STREAM_FILE, data_file, key_of, things_project

DOCS = Path(__file__).parents[2] / "docs"
ENVELOPE = {"version": int, "command": str, "status": str, "exit_code": int, "data": dict, "errors": list}
TYPES: dict[str, tuple[type, ...]] = {
    "stream": (str,),
    "newest_file_at": (str, type(None)),
    "lag_seconds": (int, type(None)),
    "freshness": (str, type(None)),
    "models": (list,),
    "rows_before": (int, type(None)),
    "rows_after": (int, type(None)),
}


def documented_keys(command: str) -> set[str]:
    """The keys of `data.streams` that docs/json-output.md promises for a command."""
    text = (DOCS / "json-output.md").read_text()
    (row,) = re.findall(rf"^\| `{command}` \| (.+) \|$", text, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", row))


def assert_envelope(outcome: Outcome, command: str) -> None:
    document = outcome.envelope
    assert {name: type(value) for name, value in document.items()} == ENVELOPE
    assert (document["version"], document["command"]) == (1, command)
    assert document["exit_code"] == outcome.exit_code
    assert document["status"] in {"success", "partial", "error"}
    assert (document["status"] == "success") == (not document["errors"])
    for error in document["errors"]:
        assert error.keys() >= {"code", "message", "stream"}
        assert re.fullmatch(r"[a-z_]+", error["code"])
        assert "\n" not in error["message"]
    for item in document["data"].get("streams", []):
        for name, value in item.items():
            assert isinstance(value, TYPES.get(name, (int,))), (name, value)


@pytest.mark.parametrize("command", ["ingest-check", "register", "transform"])
def test_the_envelope_is_as_documented(demo_lake: DemoLake, command: str) -> None:
    outcome = demo_lake.project.json(command)
    assert_envelope(outcome, command)
    streams = outcome.envelope["data"]["streams"]
    assert [item["stream"] for item in streams] == [stream.id for stream in demo_lake.streams.all]
    for item in streams:
        assert item.keys() >= documented_keys(command) | {"stream"}
        if command == "ingest-check":
            assert item["freshness"] in {"pass", "warn", "error"}
            assert datetime.fromisoformat(item["newest_file_at"]).utcoffset() is not None


def test_a_query_answers_in_an_envelope(demo_lake: DemoLake) -> None:
    sql = "SELECT 1 AS one, 'ä' AS text, 1.50::DECIMAL(9,2) AS money, DATE '2026-11-01' AS day, NULL AS nothing, [1, 2] AS list"
    outcome = demo_lake.project.json("query", sql)
    assert_envelope(outcome, "query")
    assert outcome.envelope["data"]["columns"] == ["one", "text", "money", "day", "nothing", "list"]
    assert outcome.envelope["data"]["rows"] == [[1, "ä", "1.50", "2026-11-01", None, [1, 2]]]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM enriched.fct_sales",
        "DROP TABLE enriched.fct_sales",
        "CREATE TABLE enriched.x AS SELECT 1",
        "UPDATE meta.fence_shopify__orders SET head_seq = 0",
        "COPY (SELECT 1) TO '{root}/leak.csv'",
        "ATTACH '{root}/other.db' AS other",
        "INSTALL spatial",
        "SELECT 1; SELECT 2",
        "PIVOT enriched.fct_sales ON currency",
        "SELEKT 1",
        "SELECT no_such_column FROM enriched.fct_sales",
        "",
    ],
)
def test_a_query_only_reads(demo_lake: DemoLake, sql: str) -> None:
    before = demo_lake.project.tree()
    outcome = demo_lake.project.run("query", sql.format(root=demo_lake.project.root), "--json")
    assert outcome.exit_code == 2, outcome.stdout
    assert_envelope(outcome, "query")
    assert demo_lake.project.tree() == before
    assert demo_lake.project.rows("SELECT count(*) > 0 FROM enriched.fct_sales") == [(True,)]


def test_a_dry_run_shows_the_plan_and_writes_nothing(things: Project) -> None:
    for number in range(5):
        things.put(key_of(f"part_{number}.parquet"), data_file([number]))
    before = things.tree()
    outcome = things.json("register", "--dry-run", "--batch-max-files", "2")
    assert_envelope(outcome, "register")
    item = outcome.stream(STREAM)
    assert (item["planned_files"], item["planned_batches"], item["registered_files"]) == (5, 3, 0)
    text = things.run("register", "--dry-run", "--batch-max-files", "2").stdout
    assert "nothing is written" in text
    assert re.findall(r"part_\d", text) == ["part_0", "part_2", "part_4"]
    assert things.tree() == before


def test_bounds_end_a_run_early_and_the_next_one_goes_on(things: Project) -> None:
    for number in range(5):
        things.put(key_of(f"part_{number}.parquet"), data_file([number]))
    first = things.json("register", "--batch-max-files", "2", "--max-batches", "1")
    assert (first.stream(STREAM)["registered_files"], first.envelope["data"]["finished"]) == (2, False)
    assert "run the same command again" in things.run("register", "--max-seconds", "0").stdout
    rest = things.json("register", "--batch-max-files", "2")
    assert (rest.stream(STREAM)["registered_files"], rest.stream(STREAM)["batches"]) == (3, 2)


def in_terminal(project: Project, *arguments: str, width: int = 80) -> str:
    """What a terminal of that width shows."""
    ours, theirs = pty.openpty()
    environment = project.environ() | {"COLUMNS": str(width), "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-c", START, *arguments], cwd=project.root, env=environment, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    process.wait(timeout=30)
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r\n", "\n")


@pytest.mark.parametrize("command", ["ingest-check", "register", "--help"])
def test_a_terminal_of_80_columns_is_wide_enough(demo_lake: DemoLake, command: str) -> None:
    text = in_terminal(demo_lake.project, command)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    if command != "--help":
        for stream in demo_lake.streams.all:
            assert stream.id in text, text
    assert "…" not in text, text


def replaced(old: str, new: str) -> Callable[[Project], None]:
    """The stream file with one thing changed."""

    def change(project: Project) -> None:
        assert old in STREAM_FILE
        write(project.root / "streams" / f"{STREAM}.yml", STREAM_FILE.replace(old, new))

    return change


def nothing(project: Project) -> None:
    del project


def no_streams(project: Project) -> None:
    (project.root / "streams").rename(project.root / "elsewhere")


def no_models(project: Project) -> None:
    (project.root / "models").rename(project.root / "elsewhere")


def state_is_a_file(project: Project) -> None:
    write(project.root / ".lotuslake", "not a folder")


def catalog_is_a_text(project: Project) -> None:
    write(project.catalog, "not a catalog " * 500)


def catalog_is_a_folder(project: Project) -> None:
    project.catalog.mkdir(parents=True)


def landing_is_a_file(project: Project) -> None:
    write(project.landing, "not a folder")


USAGE: dict[str, tuple[Callable[[Project], None], tuple[str, ...], dict[str, str], tuple[str, ...]]] = {
    "unknown stream": (nothing, ("register", "test/thinks"), {}, ("test/thinks", "test/things")),
    "unknown source": (nothing, ("ingest-check", "tset"), {}, ("tset", "test")),
    "a glob of nothing": (nothing, ("transform", "x*"), {}, ("x*",)),
    "unknown model": (nothing, ("transform", "--select", "int_nothing"), {}, ("int_nothing",)),
    "bad YAML": (
        replaced("primary_key: [id]", "primary_key: [id"),
        ("ingest-check",),
        {},
        ("streams/test/things.yml",),
    ),
    "unknown key": (
        replaced("cursor_field:", "cursor_feild:"),
        ("register",),
        {},
        ("things.yml", "cursor_feild", "cursor_field"),
    ),
    "unknown type": (
        replaced("{type: number}", "{type: nubmer}"),
        ("register",),
        {},
        ("things.yml", "nubmer", "number"),
    ),
    "key that is no field": (
        replaced("[id]", "[idd]"),
        ("register",),
        {},
        ("things.yml", "primary_key", "idd", "'id'"),
    ),
    "no streams folder": (no_streams, ("register",), {}, ("streams", "LOTUSLAKE_PROJECT_DIR")),
    "no models folder": (no_models, ("transform",), {}, ("models",)),
    "no such project": (nothing, ("register", "--project-dir", "/nowhere"), {}, ("/nowhere",)),
    "data in landing": (
        nothing,
        ("register",),
        {"LOTUSLAKE_DATA_URL": ".lotuslake/landing/data"},
        ("LOTUSLAKE_DATA_URL", "landing root"),
    ),
    "data in landing by flag": (
        nothing,
        ("register", "--data-url", ".lotuslake/landing/data"),
        {},
        ("--data-url", "landing root"),
    ),
    "catalog in landing": (
        nothing,
        ("register",),
        {"LOTUSLAKE_CATALOG_URL": ".lotuslake/landing/x.ducklake"},
        ("LOTUSLAKE_CATALOG_URL",),
    ),
    "misspelled setting": (
        nothing,
        ("register",),
        {"LOTUSLAKE_LANDIG_URL": "x"},
        ("LOTUSLAKE_LANDIG_URL", "LOTUSLAKE_LANDING_URL"),
    ),
    "no number": (nothing, ("register", "--threads", "two"), {}, ("--threads", "two")),
    "password in a URL": (
        nothing,
        ("register",),
        {"LOTUSLAKE_CATALOG_URL": "postgresql://u:hunter22@h/d"},
        ("PGPASSWORD",),
    ),
    "state is a file": (state_is_a_file, ("register",), {}, (".lotuslake",)),
    "catalog is a text": (catalog_is_a_text, ("register",), {}, ("catalog.ducklake",)),
    "catalog is a folder": (catalog_is_a_folder, ("register",), {}, ("catalog.ducklake",)),
    "landing is a file": (landing_is_a_file, ("ingest-check",), {}, ("landing",)),
    "catalog where nothing can be written": (
        nothing,
        ("register",),
        {"LOTUSLAKE_CATALOG_URL": "/proc/lake/x.ducklake"},
        ("/proc/lake",),
    ),
    "temporary folder where nothing can be written": (
        nothing,
        ("register",),
        {"LOTUSLAKE_TEMP_DIR": "/proc/lake"},
        ("/proc/lake",),
    ),
    "data where nothing can be written": (
        nothing,
        ("register",),
        {"LOTUSLAKE_DATA_URL": "/proc/lake"},
        ("/proc/lake",),
    ),
    "a query without a lake": (nothing, ("query", "SELECT 1"), {}, ("no lake yet",)),
    "nothing to accept": (nothing, ("accept", STREAM, "--reason", "x"), {}, ("nothing that is open",)),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_is_told_in_one_plain_line_with_exit_2(tmp_path: Path, name: str) -> None:
    spoil, arguments, environment, parts = USAGE[name]
    project = things_project(tmp_path)
    spoil(project)
    project.environment.update(environment)
    if name not in {"landing is a file", "state is a file", "no such project"}:
        project.put(key_of("a.parquet"), data_file([1], price=None))
    outcome = project.run(*arguments, "--json")
    assert outcome.exit_code == 2, outcome.stderr
    assert_envelope(outcome, arguments[0])
    errors = [line for line in outcome.log if line["level"] == "error"]
    # Each mistake of a file is told: that word stands in two places.
    assert len(errors) == (2 if name == "unknown type" else 1)
    for part in parts:
        assert part in errors[0]["message"], errors[0]["message"]
    assert "hunter22" not in outcome.stderr + outcome.stdout
    assert "Traceback" not in outcome.stderr
    assert len(outcome.stderr.splitlines()) == len(outcome.log), "every line is a log line"


@pytest.mark.parametrize(
    "arguments",
    [
        ("register", "--no-such-option"),
        ("regsiter",),
        ("accept", STREAM),
        ("register", "--max-batches", "x"),
        ("query",),
    ],
    ids=" ".join,
)
def test_wrong_options_are_named_with_exit_2(things: Project, arguments: tuple[str, ...]) -> None:
    before = things.tree()
    outcome = things.run(*arguments)
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert "Error" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert things.tree() == before


@pytest.fixture
def holder(things: Project) -> Iterator[int]:
    """Another process that holds the catalog."""
    things.put(key_of("a.parquet"), data_file([1]))
    things.json("register")
    program = (
        f"import duckdb, time; c = duckdb.connect({str(things.catalog)!r}); print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process.pid
    process.kill()
    process.communicate()


def test_a_catalog_that_another_process_holds_ends_with_4_naming_it(
    things: Project, holder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = vars(Wiring)["instance_options"].func
    impatient = property(lambda wiring: dataclasses.replace(patient(wiring), lock_wait_seconds=0.5))
    monkeypatch.setattr(Wiring, "instance_options", impatient)
    for command in (("ingest-check",), ("register",), ("transform",), ("query", "SELECT 1")):
        outcome = things.run(*command, "--json")
        assert outcome.exit_code == 4, outcome.stderr
        assert_envelope(outcome, command[0])
        assert outcome.envelope["errors"][0]["code"] == "catalog_held"
        assert f"PID {holder}" in outcome.message
        assert "Traceback" not in outcome.stderr


def test_a_command_waits_for_the_catalog(things: Project, holder: int) -> None:
    process = things.start("ingest-check", "--json")
    time.sleep(1.5)
    assert process.poll() is None
    os.kill(holder, signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=20)
    assert Outcome(process.returncode, stdout, stderr).stream(STREAM)["pending_files"] == 0


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_after_the_current_batch(things: Project, number: signal.Signals, expected: int) -> None:
    for n in range(30):
        things.put(key_of(f"part_{n}.parquet"), data_file([n]))
    process = things.start("register", "--json", "--batch-max-files", "1")
    assert process.stderr is not None
    begun = ""
    while "1 files" not in begun:
        begun += process.stderr.readline()
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    outcome = Outcome(process.returncode, stdout, begun + stderr)
    assert outcome.exit_code == expected, outcome.stderr
    assert_envelope(outcome, "register")
    assert outcome.envelope["errors"][0]["code"] == "stopped"
    assert "Traceback" not in outcome.stderr
    done = outcome.stream(STREAM)["registered_files"]
    assert 0 < done < 30
    assert things.rows("SELECT count(*) FROM landing.stg_test__things") == [(done,)]
    assert things.json("register").stream(STREAM)["registered_files"] == 30 - done


def test_a_starter_project_speaks_for_itself(tmp_path: Path) -> None:
    assert copy_starter(tmp_path)
    assert not copy_starter(tmp_path)
    outcome = Project(tmp_path).run("ingest-check", "shopify/oders")
    assert outcome.exit_code == 2
    assert "shopify/orders" in outcome.message


def test_the_copy_of_a_read_only_starter_is_its_owners_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it lies in an image, or wherever packages are installed for all."""
    for part in ("streams", "models"):
        file = tmp_path / "package" / part / "shop" / "a.yml"
        file.parent.mkdir(parents=True)
        file.touch(0o444)
        file.parent.chmod(0o555)
        file.parent.parent.chmod(0o555)
    monkeypatch.setattr("lotuslake.config.starter.starter_dir", lambda: tmp_path / "package")
    try:
        assert copy_starter(tmp_path / "project")
    finally:
        for path in (tmp_path / "package").rglob("*"):
            path.chmod(0o755)
    copied = list((tmp_path / "project").rglob("*"))
    assert len(copied) == 6
    assert [path for path in copied if not path.stat().st_mode & 0o200] == []


def test_run_registers_and_transforms_in_one_process(things: Project) -> None:
    things.put(key_of("1_0.parquet"), data_file([1, 2]))
    outcome = things.json("run")
    stages = outcome.envelope["data"]
    assert stages["register"]["streams"][0]["registered_files"] == 1
    assert stages["transform"]["streams"][0]["rows"] == 2
    assert things.rows("SELECT id FROM processed.int_test__things ORDER BY id") == [(1,), (2,)]
    assert things.rows("SELECT command, exit_code FROM meta.runs ORDER BY started_at") == [
        ("register", 0),
        ("transform", 0),
    ]
    text = things.run("run")
    assert (text.exit_code, text.stdout.count("test/things")) == (0, 2)
    things.put(key_of("2_0.parquet"), b"PAR1")
    again = things.run("run")
    assert (again.exit_code, again.stdout.count("2_0.parquet")) == (5, 1)


def test_a_stream_whose_model_does_not_build_is_not_shown_as_up_to_date(tmp_path: Path) -> None:
    project = things_project(tmp_path, model="select nothing from {{ landing() }}")
    project.put(key_of("1_0.parquet"), data_file([1]))
    assert project.run("register").exit_code == 0
    outcome = project.run("transform")
    assert outcome.exit_code == 2
    assert re.search(rf"{STREAM} +0 +0 +failed", outcome.stdout), outcome.stdout
