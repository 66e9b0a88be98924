"""Waiting for another program: said at once, and counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

logger = logging.getLogger("lotuslake")


class Waiting:
    """One wait of at most ``limit_seconds``.

    Each whole second is a log record whose ``waited_seconds`` lets the face draw a line that counts, or show a few of them.
    ``interrupt`` raises where a person has asked to stop.
    """

    def __init__(
        self, limit_seconds: float, interrupt: Callable[[], None], clock: Callable[[], float] | None = None
    ) -> None:
        self._limit_seconds = limit_seconds
        self._interrupt = interrupt
        self._clock = clock or time.monotonic
        self._began = self._clock()
        self._told = -1

    @property
    def is_over(self) -> bool:
        """Whether it has lasted long enough."""
        return self._clock() - self._began >= self._limit_seconds

    def end(self) -> None:
        """Say that it is over, if anything was said."""
        if self._told >= 0:
            logger.info("waited %d s", int(self._clock() - self._began))

    def tell(self, what: str) -> None:
        """Say what is waited for, once a second."""
        self._interrupt()
        seconds = int(self._clock() - self._began)
        if seconds > self._told:
            self._told = seconds
            logger.info(
                "%s: waiting, %d of %d s", what, seconds, self._limit_seconds, extra={"waited_seconds": seconds}
            )
