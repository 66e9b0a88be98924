"""A figure beside its rival and its target, and the table of them."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

HEADINGS = ("what", "Lotus Lake", "beside", "ratio", "target", "met")
MARK = "<!-- the table: written by `make bench` -->"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: texts as shown; ``met`` is None where there is no target, or none in the quick mode."""

    what: str
    ours: str
    beside: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        met = {None: "", True: "yes", False: "**no**"}[self.met]
        return (self.what, self.ours, self.beside, self.ratio, self.target, met)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Measurements of ours and of the rival, taken in turn."""

    ours: tuple[float, ...]
    rival: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios: how many times ours goes into the rival's."""
        return statistics.median(self._ratios)

    @property
    def spread(self) -> str:
        """The ratio with the lowest and the highest pair, which is the noise."""
        if len(self.ours) == 1:
            return f"{self.ratio:.1f} ×"
        return f"{self.ratio:.1f} × ({min(self._ratios):.1f}–{max(self._ratios):.1f})"

    @property
    def _ratios(self) -> list[float]:
        return [rival / own for own, rival in zip(self.ours, self.rival, strict=True)]


def in_turn(times: int, ours: Callable[[], float], rival: Callable[[], float]) -> Pairs:
    """Measure both so many times, one after the other, so that what else the machine does meets both."""
    taken = [(ours(), rival()) for _ in range(times)]
    return Pairs(tuple(own for own, _ in taken), tuple(other for _, other in taken))


def middle(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def render(figures: Sequence[Figure], mode: str) -> str:
    """The table as Markdown, led by when and where."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([_where(mode), "", *lines, ""])


def write(page: Path, table: str) -> None:
    """Put the table into the page, after its mark."""
    text = page.read_text(encoding="utf-8")
    page.write_text(f"{text[: text.index(MARK)]}{MARK}\n\n{table}", encoding="utf-8")


def _where(mode: str) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    load = os.getloadavg()[2]
    return (
        f"{now} UTC, {mode} mode, {os.cpu_count()} processors ({_processor()}), {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, DuckDB {version('duckdb')}. "
        f"Load of the machine over the last 15 minutes: {load:.1f}, on {os.cpu_count()} processors."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
