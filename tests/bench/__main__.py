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

QUICK: dict[str, Section] = {
    "register": lambda on: registering.measure(on, registering.Size(200, 60, 1, 2_000, 20_000)),
    "transform": lambda on: transforming.measure(on, 6),
    "many": lambda on: end_to_end.measure(on, 1_000, 100, 2.5, 1),
    "start": lambda on: end_to_end.measure_start(on, 2),
}
FULL: dict[str, Section] = {
    "register": lambda on: registering.measure(on, registering.Size(500, 150, 3, 20_000, 100_000)),
    "transform": lambda on: transforming.measure(on, 12),
    "memory": transforming.measure_memory,
    "many": lambda on: end_to_end.measure(on, 1_000, 100, 2.5, 3),
    "large": lambda on: end_to_end.measure(on, 100, 20_000, 15, 1),
    "start": lambda on: end_to_end.measure_start(on, 5),
}


def main(mode: str, only: list[str]) -> None:
    sections = {"quick": QUICK, "full": FULL}[mode]
    figures: list[Figure] = []
    begun = time.monotonic()
    for name, measure in sections.items():
        if only and name not in only:
            continue
        with machine(ROOT / f".lotuslake/bench/work_{os.getpid()}") as on:
            figures += measure(on)
        print(f"{name}: measured after {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)  # noqa: T201 - a tool
    table = render(figures, mode)
    print(table)  # noqa: T201 - a tool
    if not only:
        write(PAGE, table)


if __name__ == "__main__":
    # Services and folders are cleared away however the run ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main(sys.argv[1] if len(sys.argv) > 1 else "full", sys.argv[2:])
