"""An answer as a table on the screen: never folded; columns that do not fit are left out in the middle, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TextIO

from lotuslake.cli.query_values import is_number, one_line, text_of

# A column is as wide as its content up to here while others want room.
MODEST_WIDTH = 32
GAP = 3
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Shown:
    """Which columns stand left and right of those that are left out; ``hidden`` of them are."""

    left: int
    right: int
    hidden: int


def fit(widths: Sequence[int], room: int) -> Shown:
    """The columns to show in ``room`` characters: all, or as many as fit from both ends, at least the first.

    ``widths`` are those of their contents. A wide column counts as MODEST_WIDTH: its values are cut short instead.
    """
    modest = [min(width, MODEST_WIDTH) + GAP for width in widths]
    if sum(modest) <= room + GAP:
        return Shown(len(widths), 0, 0)
    left = right = 0
    free = room - len(ELLIPSIS) - GAP
    while left + right < len(widths):
        takes_left = left <= right
        width = modest[left if takes_left else -1 - right]
        if width > free and left:
            break
        free -= width
        left, right = (left + 1, right) if takes_left else (left, right + 1)
    return Shown(left, right, len(widths) - left - right)


def draw(columns: Sequence[str], rows: Sequence[Sequence[Any]], to: TextIO, width: int | None = None) -> Shown:
    """Write the table in as many characters as the terminal is wide, or ``width``."""
    # Deferred: rich's tables take a tenth of a second to import, and other forms have no use for them.
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=to, highlight=False, width=width)
    room = console.width - 2
    titles = [one_line(name) for name in columns]
    cells = [[one_line(text_of(value)) for value in row] for row in rows]
    widths = [max(map(cell_len, [title, *(row[at] for row in cells)])) for at, title in enumerate(titles)]
    shown = fit(widths, room)
    at_all: list[int | None] = [*range(shown.left)]
    at_all += [None] if shown.hidden else []
    at_all += range(len(titles) - shown.right, len(titles))
    granted = _grant([len(ELLIPSIS) if at is None else widths[at] for at in at_all], room)
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at, wide in zip(at_all, granted, strict=True):
        is_right = at is not None and bool(rows) and all(row[at] is None or is_number(row[at]) for row in rows)
        title = ELLIPSIS if at is None else titles[at]
        justify: Literal["right", "left"] = "right" if is_right else "left"
        drawn.add_column(Text(title), justify=justify, width=wide, no_wrap=True, overflow="ellipsis")
    for row in cells:
        drawn.add_row(*(Text(ELLIPSIS if at is None else row[at]) for at in at_all))
    console.print(drawn)
    return shown


def _grant(widths: Sequence[int], room: int) -> list[int]:
    """What each column gets: what it wants, up to MODEST_WIDTH, and from the first on what is left over."""
    granted = [min(width, MODEST_WIDTH) for width in widths]
    free = max(room - sum(granted) - GAP * (len(widths) - 1), 0)
    for at, width in enumerate(widths):
        more = min(width - granted[at], free)
        granted[at] += more
        free -= more
    return [min(width, max(room, 1)) for width in granted]
