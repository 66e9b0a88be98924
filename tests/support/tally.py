"""How many kills, cuts, races and bad files the tests have put the program through, told at the end of a run."""

from __future__ import annotations

from collections import Counter
from typing import Literal

Kind = Literal["kills", "cuts", "races", "bad files", "outages", "full disks"]
KINDS: tuple[Kind, ...] = ("kills", "cuts", "races", "bad files", "outages", "full disks")
TALLY: Counter[str] = Counter()


def count(kind: Kind, number: int = 1) -> None:
    """One more of them, that did happen."""
    TALLY[kind] += number


def told(tally: Counter[str]) -> str:
    """One line."""
    return ", ".join(f"{tally[kind]} {kind}" for kind in KINDS)
