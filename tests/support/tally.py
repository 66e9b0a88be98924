"""How many kills, cuts, races and bad files the tests have put the program through, told at the end of a run."""

from __future__ import annotations

from collections import Counter
from typing import Literal

Kind = Literal["kills", "cuts", "races", "bad files", "outages", "full disks"]
KINDS: tuple[Kind, ...] = ("kills", "cuts", "races", "bad files", "outages", "full disks")
# What tests/histories has played: each is counted once it is over.
Played = Literal["histories", "commands", "events"]
PLAYED: tuple[Played, ...] = ("histories", "commands", "events")
TALLY: Counter[str] = Counter()


def count(kind: Kind | Played, number: int = 1) -> None:
    """One more of them, that did happen."""
    TALLY[kind] += number


def told(tally: Counter[str]) -> list[str]:
    """A line for each sort of thing that happened."""
    lines = {"survived": KINDS, "played": PLAYED}
    return [
        f"{verb}: {', '.join(f'{tally[kind]} {kind}' for kind in kinds)}"
        for verb, kinds in lines.items()
        if any(tally[kind] for kind in kinds)
    ]
