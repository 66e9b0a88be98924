"""What every command is given beside its ports: who it is, what time it is, and whether it should end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from lotuslake.core.errors import LotusLakeError

logger = logging.getLogger("lotuslake")


class Progress(Protocol):
    """Is told what is under way; the terminal draws a bar from it, a log writes lines."""

    def begin(self, label: str, batches: int) -> None:
        """Work of so many batches is about to begin, or has grown to so many."""

    def advance(self, label: str, message: str) -> None:
        """One batch is committed."""

    def wait(self, label: str, message: str) -> None:
        """Work elsewhere, of unknown size, goes on; told again and again."""


class Silent:
    """Progress that nobody watches."""

    def begin(self, label: str, batches: int) -> None:
        """See Progress."""

    def advance(self, label: str, message: str) -> None:
        """See Progress."""

    def wait(self, label: str, message: str) -> None:
        """See Progress."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """``should_end`` says between batches that time is up; it raises StopRequestedError when a signal asked to stop."""

    run_id: str
    command: str
    now: Callable[[], datetime]
    should_end: Callable[[], bool] = lambda: False
    progress: Progress = field(default_factory=Silent)

    def log(self, message: str, *, stream: str | None = None) -> None:
        """One line for the log, with the fields that a log query needs."""
        logger.info(message, extra={"action": self.command, "stream": stream, "run_id": self.run_id})

    def warn(self, message: str, *, stream: str | None = None) -> None:
        """One warning for the log."""
        logger.warning(message, extra={"action": self.command, "stream": stream, "run_id": self.run_id})


@dataclass(frozen=True, slots=True)
class StreamError:
    """What went wrong for one stream while the others went on."""

    stream: str | None
    error: LotusLakeError
