"""A project folder and the program that works in it: in this process, or in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from lotuslake.config.starter import starter_dir
from tests.support.leaks import hear

FOREIGN = ("LOTUSLAKE_", "AWS_", "PG")
START = "from lotuslake.cli.start import run; run()"
STATE_DIR = ".lotuslake"
PARSED = Path(STATE_DIR, "temp", "dbt", "target", "partial_parse.msgpack")

_parsed: list[Path] = []


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    exit_code: int
    stdout: str
    stderr: str

    @cached_property
    def envelope(self) -> dict[str, Any]:
        """What `--json` printed: one document, and nothing else on stdout."""
        lines = self.stdout.splitlines()
        assert len(lines) == 1, self.stdout
        document = json.loads(lines[0])
        assert isinstance(document, dict)
        return document

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of the log, which is JSON where stderr is no terminal."""
        return [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{")]

    @property
    def message(self) -> str:
        """What the person was told last."""
        return str(self.log[-1]["message"])

    def stream(self, name: str) -> dict[str, Any]:
        """The item of `data.streams` for a stream."""
        found = [item for item in self.envelope["data"]["streams"] if item["stream"] == name]
        assert len(found) == 1, self.envelope
        item = found[0]
        assert isinstance(item, dict)
        return item


@dataclass
class Project:
    """A folder with streams/ and models/, and its lake in `.lotuslake/`."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def landing(self) -> Path:
        return self.root / STATE_DIR / "landing"

    @property
    def catalog(self) -> Path:
        return self.root / STATE_DIR / "catalog.ducklake"

    def run(self, *arguments: str) -> Outcome:
        """The command in this process: quick, since nothing has to be imported again."""
        from lotuslake.cli.main import app

        stdout, stderr = io.StringIO(), io.StringIO()
        exit_code: object = 0
        if arguments[:1] == ("transform",):
            self._take_up_parsing()
        with _process_state(self.environ()), contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            try:
                app(list(arguments), prog_name="lotuslake")
            except SystemExit as end:
                exit_code = end.code
        assert isinstance(exit_code, int)
        hear(stdout.getvalue())
        hear(stderr.getvalue())
        return Outcome(exit_code, stdout.getvalue(), stderr.getvalue())

    def _take_up_parsing(self) -> None:
        """What dbt has parsed in one project saves it most of the work in the next."""
        own = self.root / PARSED
        if own.is_file():
            _parsed.append(own)
        elif _parsed and (self.root / "models").is_dir():
            own.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_parsed[0], own)

    def json(self, *arguments: str, expect: int = 0) -> Outcome:
        """The command with `--json`; it must end with the exit code `expect` and say so in the envelope."""
        outcome = self.run(*arguments, "--json")
        assert outcome.exit_code == expect, outcome.stderr + outcome.stdout
        assert outcome.envelope["exit_code"] == expect
        return outcome

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """The command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", START, *arguments],
            cwd=self.root,
            env=self.environ() | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, *arguments: str, timeout: float = 60, **environment: str) -> Outcome:
        """The command in a process of its own, awaited."""
        process = self.start(*arguments, **environment)
        stdout, stderr = process.communicate(timeout=timeout)
        return Outcome(process.returncode, stdout, stderr)

    def put(self, path: str, body: bytes) -> Path:
        """A file under the landing root."""
        target = self.landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
        return target

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A query answered by a DuckDB that knows nothing of the program."""
        with self.stock() as connection:
            return connection.execute(query).fetchall()

    @contextlib.contextmanager
    def stock(self, alias: str = "lakehouse") -> Iterator[duckdb.DuckDBPyConnection]:
        """A stock DuckDB with the ducklake extension and the catalog attached for reading."""
        with duckdb.connect() as connection:
            extension = next(Path(str(resources.files("duckdb_extension_ducklake"))).rglob("*.duckdb_extension"))
            connection.execute(f"LOAD '{extension}'")
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"ATTACH 'ducklake:{self.catalog}' AS {alias} (READ_ONLY)")
            connection.execute(f"USE {alias}")
            yield connection

    def tree(self) -> list[str]:
        """Everything that lies in the folder."""
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*"))

    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return kept | {"LOTUSLAKE_PROJECT_DIR": str(self.root)} | self.environment


class Fuse(io.StringIO):
    """Takes what the program says on stderr; once it says `line`, it kills the process `seconds` later."""

    def __init__(self, line: str, seconds: float) -> None:
        super().__init__()
        self._line = line
        self._seconds = seconds
        self._burns = False

    def write(self, text: str) -> int:
        if self._line in text and not self._burns:
            self._burns = True
            if self._seconds:
                timer = threading.Timer(self._seconds, _kill_this_process)
                timer.daemon = True
                timer.start()
            else:
                _kill_this_process()
        return super().write(text)


def _kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run_until_killed(project: Project, arguments: Sequence[str], line: str, seconds: float) -> None:
    """The command as the whole of a forked process."""
    os.environ.clear()
    os.environ.update(project.environ())
    sys.argv = ["lotuslake", *arguments]
    sys.stdout, sys.stderr = io.StringIO(), Fuse(line, seconds)
    from lotuslake.cli.main import run

    run()


def make_project(root: Path, streams: Mapping[str, str], models: Mapping[str, str]) -> Project:
    """A project of its own: the starter's macros, the given stream files and the given models by path."""
    starter = starter_dir()
    shutil.copytree(starter / "models" / "macros", root / "models" / "macros")
    shutil.copy(starter / "models" / "dbt_project.yml", root / "models")
    for name, text in streams.items():
        write(root / "streams" / f"{name}.yml", text)
    for folder in ("processed", "enriched"):
        (root / "models" / folder).mkdir(exist_ok=True)
    for name, text in models.items():
        write(root / "models" / name, text)
    return Project(root)


def write(path: Path, text: str) -> None:
    """A text file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _process_state(environ: Mapping[str, str]) -> Iterator[None]:
    """The program's own environment; afterwards the signals are pytest's again."""
    before = dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    os.environ.clear()
    os.environ.update(environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
