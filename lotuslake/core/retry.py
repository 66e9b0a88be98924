"""Trying again after a lost race: DuckLake's conflicts are an everyday event when two programs run at once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from lotuslake.core.errors import LostRaceError

ATTEMPTS = 10
FIRST_WAIT_SECONDS = 0.1
GROWTH = 1.5

T = TypeVar("T")


def wait_before_retry(lost: int) -> None:
    """Wait after the ``lost``-th defeat: 0.1 s, growing by half, with a random share so that rivals part."""
    spread = random.uniform(0.5, 1.5)  # noqa: S311  (it spreads rivals and guards nothing)
    time.sleep(FIRST_WAIT_SECONDS * GROWTH ** (lost - 1) * spread)


def retrying(doing: str, attempt: Callable[[], T]) -> T:
    """Call ``attempt`` until it wins.

    Raises:
        LostRaceError: it lost every time.
    """
    for lost in range(1, ATTEMPTS + 1):
        try:
            return attempt()
        except LostRaceError:
            if lost < ATTEMPTS:
                wait_before_retry(lost)
    raise LostRaceError(f"lost the race {ATTEMPTS} times while {doing}; run the same command again")
