"""What a command imports before it has anything to do: nothing that takes long."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from lotuslake.cli.main import app
from tests.functional.conftest import DemoLake

HEAVY = ("boto3", "botocore", "dbt", "duckdb", "jinja2", "numpy", "pandas", "psycopg", "pyarrow", "requests")
COMMANDS = tuple(str(command.name) for command in app.registered_commands)
PROBE = """
import sys
for arguments in {runs!r}:
    from lotuslake.cli.main import app
    try:
        app(arguments, prog_name="lotuslake")
    except SystemExit as end:
        code = end.code
    loaded = sorted({{name.partition(".")[0] for name in sys.modules}} & set({heavy!r}))
    print(f"PROBE {{' '.join(arguments)}}: exit {{code}}, imported {{loaded}}", file=sys.stderr)
"""


def probe(*runs: tuple[str, ...]) -> tuple[list[str], float]:
    """Runs of the program one after the other in a fresh interpreter: what they ended with and had imported; seconds."""
    began = time.monotonic()
    program = PROBE.format(runs=[list(arguments) for arguments in runs], heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    told = [line.removeprefix("PROBE ") for line in done.stderr.splitlines() if line.startswith("PROBE ")]
    return told, time.monotonic() - began


def test_help_imports_nothing_heavy() -> None:
    runs: list[tuple[str, ...]] = [("--help",), ("--version",), *((name, "--help") for name in COMMANDS)]
    told, _ = probe(*runs)
    assert told == [f"{' '.join(arguments)}: exit 0, imported []" for arguments in runs]


def test_help_of_the_program_alone() -> None:
    told, seconds = probe(("--help",))
    print(f"lotuslake --help: {seconds:.2f} s")  # noqa: T201  (shown by pytest -rP)
    assert told == ["--help: exit 0, imported []"]


def test_a_wrong_option_or_setting_costs_no_more(tmp_path: Path) -> None:
    told, _ = probe(("register", "--no-such-option"), ("register", "--project-dir", str(tmp_path)))
    assert [line.rpartition(": ")[2] for line in told] == ["exit 2, imported []"] * 2


def test_a_check_needs_neither_dbt_nor_a_client_for_s3(demo_lake: DemoLake) -> None:
    told, seconds = probe(("ingest-check", "--json", "--quiet", "--project-dir", str(demo_lake.project.root)))
    print(f"lotuslake ingest-check, idle: {seconds:.2f} s")  # noqa: T201  (shown by pytest -rP)
    assert told[0].endswith("exit 0, imported ['duckdb']")
