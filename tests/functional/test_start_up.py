"""What a command imports before it has anything to do: nothing that takes long."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from lotuslake.cli.main import app
from tests.functional.conftest import DemoLake

HEAVY = ("boto3", "botocore", "dbt", "duckdb", "jinja2", "numpy", "pandas", "psycopg", "pyarrow", "requests")
COMMANDS = tuple(str(command.name) for command in app.registered_commands)
PROBE = """
import sys
from lotuslake.cli.main import app
try:
    app({arguments!r}, prog_name="lotuslake")
except SystemExit as end:
    code = end.code
loaded = sorted({{name.partition(".")[0] for name in sys.modules}} & set({heavy!r}))
sys.exit(f"exit {{code}}, imported {{loaded}}")
"""


def probe(*arguments: str) -> tuple[str, float]:
    """The program in a fresh interpreter: its exit code and the heavy packages that it imported, and seconds taken."""
    began = time.monotonic()
    program = PROBE.format(arguments=list(arguments), heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    return done.stderr.splitlines()[-1], time.monotonic() - began


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), *((name, "--help") for name in COMMANDS)], ids=" ".join
)
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    told, seconds = probe(*arguments)
    print(f"lotuslake {' '.join(arguments)}: {seconds:.2f} s")  # noqa: T201  (shown by pytest -rP)
    assert told == "exit 0, imported []"


def test_a_wrong_option_or_setting_costs_no_more(tmp_path: Path) -> None:
    assert probe("register", "--no-such-option")[0] == "exit 2, imported []"
    assert probe("register", "--project-dir", str(tmp_path))[0] == "exit 2, imported []"


def test_a_check_needs_neither_dbt_nor_a_client_for_s3(demo_lake: DemoLake) -> None:
    told, seconds = probe("ingest-check", "--json", "--quiet", "--project-dir", str(demo_lake.project.root))
    print(f"lotuslake ingest-check, idle: {seconds:.2f} s")  # noqa: T201  (shown by pytest -rP)
    assert told == "exit 0, imported ['duckdb']"
