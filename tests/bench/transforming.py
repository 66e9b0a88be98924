"""Transforming: what a batch costs beside its SQL, and how much memory a backlog and a rebuild take."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.bench.data import write_sales
from tests.bench.figures import Figure, middle
from tests.bench.lakes import Machine, run_process

SMALL = {"LOTUSLAKE_BATCH_MAX_FILES": "5"}
PLAIN_DBT = Path(__file__).parent / "plain_dbt"


def measure(machine: Machine, batches: int) -> list[Figure]:
    """Overhead of a batch beside a `dbt run` process."""
    lake = machine.embedded()
    first, rest = machine.folder / "first_sales", machine.folder / "more_sales"
    lake.land(write_sales(first, 1, 100), "sales/first")
    lake.run("register", "bench/sales")
    lake.run("transform", "bench/sales", "--skip-tests")
    lake.land(write_sales(rest, batches * 5, 100), "sales/rest")
    lake.run("register", "bench/sales")
    steps = lake.having(**SMALL).inside("transform_sql")["steps"]
    # The first one waits for dbt's start.
    overhead = middle([seconds - sql for seconds, sql in steps[1:]])
    process = middle([_dbt_process(machine) for _ in range(2)])
    return [
        Figure(
            "transform, a batch beside its own SQL", f"{overhead:.2f} s", f"a `dbt run` process: {process:.1f} s",
            f"{process / overhead:.1f} ×", "≤ 0.6 s, ≥ 7 ×", overhead <= 0.6 and process / overhead >= 7,
        ),
        Figure("transform, its first batch with dbt's start", f"{steps[0][0] - steps[0][1]:.2f} s"),
    ]  # fmt: skip


def _dbt_process(machine: Machine) -> float:
    """Seconds of a `dbt run` of one small model on a DuckLake beside its own SQL, with everything parsed before."""
    folder = machine.folder / "plain_dbt"
    folder.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "tests.bench.plain_dbt_run", str(PLAIN_DBT), str(folder)),
    ]
    root = str(Path(__file__).parents[2])
    environment = {"PYTHONPATH": root, "PATH": "/usr/bin:/bin", "HOME": str(folder), "LAKE": str(folder)}
    run_process(command, environment, folder)
    ran = run_process(command, environment, folder)
    results: list[dict[str, float]] = json.loads((folder / "target/run_results.json").read_text(encoding="utf-8"))[
        "results"
    ]
    return ran.seconds - sum(result["execution_time"] for result in results)


def measure_memory(machine: Machine) -> list[Figure]:
    """Peak resident size over backlogs of two lengths and over a large rebuild."""
    peaks = [_backlog_peak(machine, files) for files in (20, 200)]
    rebuild = machine.embedded().having(LOTUSLAKE_MEMORY_LIMIT="1GB")
    rebuild.land(write_sales(machine.folder / "eight_million", 400, 20_000), "sales")
    rebuild.run("register", "bench/sales")
    ran = rebuild.run("transform", "bench/sales", "--skip-tests")
    growth = peaks[1] / peaks[0] - 1
    return [
        Figure(
            "peak memory over a backlog ten times as long", f"{peaks[1] / 2**20:.0f} MiB", f"{peaks[0] / 2**20:.0f} MiB",
            f"{growth:+.0%}", "≤ +15 %", growth <= 0.15,
        ),
        Figure(
            "rebuild of 8 million rows within 1 GB", f"{ran.peak_bytes / 2**20:.0f} MiB", f"{ran.seconds:.0f} s",
            target="< 1.5 GB", met=ran.peak_bytes < 1.5e9,
        ),
    ]  # fmt: skip


def _backlog_peak(machine: Machine, files: int) -> int:
    """Peak of merging a backlog of files of 20,000 rows into a table that has the same records before and after."""
    lake = machine.embedded().having(LOTUSLAKE_MEMORY_LIMIT="1GB", LOTUSLAKE_BATCH_MAX_ROWS="200000")
    keys = 200_000
    lake.land(write_sales(machine.folder / f"base_{files}", 10, 20_000, keys=keys), "sales/base")
    lake.run("register", "bench/sales")
    lake.run("transform", "bench/sales", "--skip-tests")
    lake.land(write_sales(machine.folder / f"backlog_{files}", files, 20_000, keys=keys), "sales/backlog")
    lake.run("register", "bench/sales")
    return lake.run("transform", "bench/sales", "--skip-tests").peak_bytes
