"""Registering: files a second beside what DuckLake itself offers, with and without latency; and at length."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.data import write_orders
from tests.bench.figures import Figure, Pairs, in_turn, middle
from tests.bench.lakes import Lake, Machine, Ran

STREAM = "bench/orders"
REGISTER = ["register", STREAM]
# ext4 takes 65,000 names of one file.
LINKS = 60_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured, and how often."""

    files: int
    rival_files: int
    times: int
    long_run: int
    ledger: int


def measure_with_latency(machine: Machine, size: Size) -> list[Figure]:
    """Files a second while the store, and the catalog, answer late."""
    return _Bench(machine, write_orders(machine.folder / "orders", size.files), size).with_latency()


def measure_without_latency(machine: Machine, size: Size) -> list[Figure]:
    """Milliseconds a file beside one call for each file."""
    return _Bench(machine, write_orders(machine.folder / "orders", size.files), size).without_latency()


@dataclass(frozen=True, slots=True)
class _Bench:
    machine: Machine
    source: Path
    size: Size

    def with_latency(self) -> list[Figure]:
        size = self.size
        pairs = self._pairs(self.machine.cluster, "add_list", {"store_ms": 30})
        both = [self._register(self.machine.cluster(), {"store_ms": 30, "catalog_ms": 2}) for _ in range(size.times)]
        rate, slower = 1 / middle(pairs.ours), 1 / middle(both)
        return [
            Figure(
                "register, 30 ms to the store", f"{rate:.0f} files/s", f"one list call: {1 / middle(pairs.rival):.1f}/s",
                pairs.spread, "≥ 60 files/s, ≥ 8 ×", rate >= 60 and pairs.ratio >= 8,
            ),
            Figure(
                "register, 30 ms to the store, 2 ms to Postgres", f"{slower:.0f} files/s", target="≥ 50 files/s",
                met=slower >= 50,
            ),
        ]  # fmt: skip

    def without_latency(self) -> list[Figure]:
        figures = []
        for what, make, operation, target in (
            ("embedded, beside a call a file", self.machine.embedded, "add_each", 5),
            ("S3 and Postgres, beside a call a file", self.machine.cluster, "add_each", 2),
            ("S3 and Postgres, beside a call and a ledger row a file", self.machine.cluster, "add_each_with_ledger", 4),
        ):
            pairs = self._pairs(make, operation, {})
            figures.append(
                Figure(
                    f"register, {what}", f"{middle(pairs.ours) * 1000:.1f} ms a file",
                    f"{middle(pairs.rival) * 1000:.1f} ms", pairs.spread, f"≥ {target} ×", pairs.ratio >= target,
                )
            )  # fmt: skip
        return figures

    def _pairs(self, make: Callable[[], Lake], operation: str, latency: dict[str, Any]) -> Pairs:
        return in_turn(
            self.size.times, lambda: self._register(make(), latency), lambda: self._rival(make(), operation, latency)
        )

    def _register(self, lake: Lake, latency: dict[str, Any]) -> float:
        """Seconds a file from the plan to the last commit of a `lotuslake register` on a lake that exists."""
        lake.run(*REGISTER)
        lake.land(self.source, "orders")
        with self._slowed(lake, latency) as slow:
            begun, *ends = _marks(slow.run(*REGISTER))
        return (ends[-1] - begun) / self.size.files

    def _rival(self, lake: Lake, operation: str, latency: dict[str, Any]) -> float:
        lake.land(self.source, "orders")
        files = lake.urls(self.source, "orders")[: self.size.rival_files]
        with self._slowed(lake, latency) as slow:
            seconds: float = slow.inside(operation, files=files)["seconds"]
        return seconds / len(files)

    def _slowed(self, lake: Lake, latency: dict[str, Any]) -> AbstractContextManager[Lake]:
        return self.machine.slow(lake, **latency) if latency else nullcontext(lake)


def measure_at_length(machine: Machine, size: Size) -> list[Figure]:
    """One long run on a catalog in Postgres: does the last tenth take longer than the first?"""
    lake = machine.on_postgres()
    lake.run(*REGISTER)
    lake.land(write_orders(machine.folder / "many_orders", size.long_run), "orders")
    ran = lake.having(LOTUSLAKE_BATCH_MAX_FILES="200").run(*REGISTER)
    ends = _marks(ran)
    tenth = max(1, (len(ends) - 1) // 10)
    first, last = (ends[tenth] - ends[0]) / tenth, (ends[-1] - ends[-1 - tenth]) / tenth
    return [
        Figure(
            f"register {size.long_run:,} files of one stream: last tenth", f"{200 / last:.0f} files/s",
            f"first tenth: {200 / first:.0f}/s", f"{last / first:.2f} ×", "≤ 1.5 ×", last / first <= 1.5,
        )
    ]  # fmt: skip


def measure_planning(machine: Machine, size: Size) -> list[Figure]:
    """What it takes to find out that there is nothing to do."""
    lake = machine.embedded()
    folder = lake.folder / ".lotuslake/landing/bench/orders"
    linked = file = next(write_orders(machine.folder / "one_order", 1).rglob("*.parquet"))
    for number in range(size.ledger):
        day = folder / f"year=2026/month={number % 12 + 1:02}/day={number // 12 % 28 + 1:02}"
        if number < 12 * 28:
            day.mkdir(parents=True)
        path = day / f"{number:06}.parquet"
        if number % LINKS:
            os.link(linked, path)
        else:
            linked = Path(shutil.copy(file, path))
    lake.inside("fill_ledger", files=size.ledger)
    usual, sweep = (lake.inside("plan", full_sweep=sweeps)["seconds"] for sweeps in (False, True))
    cluster = machine.cluster()
    cluster.land(write_orders(machine.folder / "orders", size.files), "orders")
    cluster.run(*REGISTER)
    check = cluster.inside("idle_check")
    return [
        Figure(
            f"plan against a ledger of {size.ledger:,} files", f"{usual:.2f} s", f"with a full sweep: {sweep:.2f} s",
            target="≤ 2 s", met=usual <= 2,
        ),
        Figure(
            "idle check of one stream", f"{check['lists']} LIST requests", f"{size.files} files known",
            target="≤ 3", met=check["lists"] <= 3,
        ),
    ]  # fmt: skip


def _marks(ran: Ran) -> list[float]:
    """When the plan was made, and when each of its batches was committed."""
    return [next(at for at, line in ran.lines if "batches to do" in line), *ran.batches()]
