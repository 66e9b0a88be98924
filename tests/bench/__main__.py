"""Every figure beside its rival: `python -m tests.bench [quick|full]`, as `make bench` calls it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

from tests.bench import end_to_end, registering, transforming
from tests.bench.figures import Figure, render, write
from tests.bench.lakes import ROOT, Machine, machine

PAGE = ROOT / "docs/benchmarks.md"
Section = Callable[[Machine], list[Figure]]

QUICK_SIZE = registering.Size(files=200, rival_files=60, times=1, long_run=2_000, ledger=20_000)
FULL_SIZE = registering.Size(files=500, rival_files=150, times=3, long_run=20_000, ledger=100_000)


def _registering(size: registering.Size) -> dict[str, Section]:
    return {
        "latency": lambda on: registering.measure_with_latency(on, size),
        "calls": lambda on: registering.measure_without_latency(on, size),
        "length": lambda on: registering.measure_at_length(on, size),
        "planning": lambda on: registering.measure_planning(on, size),
    }


QUICK: dict[str, Section] = {
    **_registering(QUICK_SIZE),
    "transform": lambda on: transforming.measure(on, 6),
    "many": lambda on: end_to_end.measure(on, 1_000, 100, 2.5, 1),
    "start": lambda on: end_to_end.measure_start(on, 2),
}
FULL: dict[str, Section] = {
    **_registering(FULL_SIZE),
    "transform": lambda on: transforming.measure(on, 12),
    "memory": transforming.measure_memory,
    "many": lambda on: end_to_end.measure(on, 1_000, 100, 2.5, 3),
    "large": lambda on: end_to_end.measure(on, 100, 20_000, 15, 1),
    "start": lambda on: end_to_end.measure_start(on, 5),
}


def main(mode: str, only: list[str]) -> None:
    """Measure all sections, or ``only`` some; the page is written when all were measured."""
    figures: list[Figure] = []
    begun = time.monotonic()
    for name, measure in {"quick": QUICK, "full": FULL}[mode].items():
        if only and name not in only:
            continue
        with machine(ROOT / f".lotuslake/bench/work_{os.getpid()}") as on:
            found = measure(on)
        figures += found
        _tell(f"{name}, after {time.monotonic() - begun:.0f} s", *map(_line, found))
    table = render(figures, mode)
    print(table)  # noqa: T201 - a tool
    if not only:
        write(PAGE, table)


def _tell(*lines: str) -> None:
    print(*lines, sep="\n  ", file=sys.stderr, flush=True)  # noqa: T201 - a tool


def _line(figure: Figure) -> str:
    return " | ".join(cell for cell in figure.cells() if cell)


if __name__ == "__main__":
    # Services and folders are cleared away however the run ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main(sys.argv[1] if len(sys.argv) > 1 else "full", sys.argv[2:])
