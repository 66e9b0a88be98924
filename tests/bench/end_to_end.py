"""The whole chain beside dlt on the very same files, and beside plain DuckDB, which is the limit; and how commands start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench.data import write_sales
from tests.bench.figures import Figure, Pairs, in_turn, middle
from tests.bench.lakes import ROOT, Lake, Machine, Ran, run_process

HERE = Path(__file__).parent
VENV = ROOT / ".lotuslake/bench/dlt"
REQUIREMENTS = HERE / "requirements-dlt.txt"
CHECK = "SELECT count(*) AS n, sum(round(total * 100)::BIGINT)::BIGINT AS total FROM processed.int_bench__sales"


def measure(machine: Machine, files: int, rows: int, target: float, times: int) -> list[Figure]:
    """Whole processes from files on disk to a table with one row a record."""
    source = write_sales(machine.folder / f"sales_{files}", files, rows)
    answers: list[tuple[int, int]] = []
    cpu: dict[str, list[float]] = {"ours": [], "dlt": []}
    unparsed: list[float] = []
    in_two: list[float] = []

    def run(lake: Lake, *commands: str) -> list[Ran]:
        lake.land(source, "sales")
        ran = [lake.run(command, "bench/sales") for command in commands]
        answers.append(_answer(lake))
        return ran

    def ours() -> float:
        (ran,) = run(machine.embedded(parsed=True), "run")
        cpu["ours"].append(ran.cpu_seconds)
        unparsed.append(run(machine.embedded(), "run")[0].seconds)
        in_two.append(sum(one.seconds for one in run(machine.embedded(parsed=True), "register", "transform")))
        return ran.seconds

    def dlt() -> float:
        folder = machine.folder / "dlt"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        command = (str(_dlt_python()), str(HERE / "rival_dlt.py"), str(source), str(folder), "rows")
        ran = run_process(command, _plain(folder), folder)
        answers.append((ran.answer()["n"], ran.answer()["total"]))
        cpu["dlt"].append(ran.cpu_seconds)
        return ran.seconds

    pairs = in_turn(times, ours, dlt)
    lake = machine.embedded()
    lake.land(source, "sales")
    limit = lake.inside("newest_of_each", files=lake.urls(source, "sales"), to=str(machine.folder / "limit.parquet"))
    if len(set(answers)) != 1:
        raise RuntimeError(f"the tables differ: {sorted(set(answers))}")
    dlt_seconds = f"dlt: {middle(pairs.rival):.1f} s"
    return [
        Figure(
            f"{files:,} files of {rows:,} rows to a processed table", f"{middle(pairs.ours):.1f} s",
            f"{dlt_seconds}, plain DuckDB: {limit['seconds']:.1f} s", pairs.spread, f"≥ {target} ×", pairs.ratio >= target,
        ),
        Figure(
            "the same in seconds on a processor", f"{middle(cpu['ours']):.1f} s", f"dlt: {middle(cpu['dlt']):.1f} s",
            Pairs(tuple(cpu["ours"]), tuple(cpu["dlt"])).spread,
        ),
        Figure(
            "the same as two processes, register and transform", f"{middle(in_two):.1f} s", dlt_seconds,
            Pairs(tuple(in_two), pairs.rival).spread,
        ),
        Figure(
            "the same in a project that dbt has never parsed", f"{middle(unparsed):.1f} s", dlt_seconds,
            Pairs(tuple(unparsed), pairs.rival).spread,
        ),
    ]  # fmt: skip


def measure_start(machine: Machine, times: int) -> list[Figure]:
    """What a command costs that has nothing to do."""
    lake = machine.embedded()
    lake.land(write_sales(machine.folder / "few_sales", 10, 100), "sales")
    bare = (sys.executable, "-c", "import typer, duckdb")
    lake.run("register")
    lake.run("transform")
    python = in_turn(
        times, lambda: lake.help().seconds, lambda: run_process(bare, _plain(lake.folder), lake.folder).seconds
    )
    check, transform = (
        middle([lake.run(command, "bench/sales").seconds for _ in range(times)])
        for command in ("ingest-check", "transform")
    )
    bare_seconds = middle(python.rival)
    return [
        Figure(
            "lotuslake --help", f"{middle(python.ours):.2f} s", f"Python with typer and duckdb: {bare_seconds:.2f} s"
        ),
        Figure("ingest-check with nothing to do", f"{check:.2f} s", f"the same: {bare_seconds:.2f} s"),
        Figure("transform with nothing to do", f"{transform:.2f} s", f"the same: {bare_seconds:.2f} s"),
    ]


def _answer(lake: Lake) -> tuple[int, int]:
    records, total = lake.run("query", CHECK).answer()["data"]["rows"][0]
    return int(records), int(total)


def _dlt_python() -> Path:
    """dlt in a venv of its own, made when it is first asked for and again when the requirements change."""
    marker = VENV / "requirements.txt"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not marker.exists() or marker.read_text(encoding="utf-8") != wanted:
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run((uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)), check=True)
        install = (
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(VENV / "bin/python"),
            "--requirements",
            str(REQUIREMENTS),
        )
        subprocess.run(install, check=True)
        marker.write_text(wanted, encoding="utf-8")
    return VENV / "bin/python"


def _plain(folder: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
