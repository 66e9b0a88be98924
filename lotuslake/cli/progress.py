"""Progress on stderr: bars on a terminal, else a log line a batch."""

from __future__ import annotations

import logging
import sys

from lotuslake.commands.context import Progress

logger = logging.getLogger("lotuslake")


class LoggedProgress:
    """A log line a batch."""

    def __init__(self, command: str, run_id: str) -> None:
        self._fields = {"action": command, "run_id": run_id}
        self._told: dict[str, str] = {}

    def begin(self, label: str, batches: int) -> None:
        """See Progress."""
        if batches:
            logger.info("%d batches to do", batches, extra={**self._fields, "stream": label})

    def advance(self, label: str, message: str) -> None:
        """See Progress."""
        logger.info("%s", message, extra={**self._fields, "stream": label})

    def wait(self, label: str, message: str) -> None:
        """See Progress; what is the same as before is not told again."""
        if self._told.get(label) != message:
            self._told[label] = message
            logger.info("%s", message, extra={**self._fields, "stream": label})


class DrawnProgress:
    """A line for the terminal that the next one replaces."""

    def __init__(self) -> None:
        self._batches: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._waits = 0

    def begin(self, label: str, batches: int) -> None:
        """See Progress."""
        self._batches[label] = self._done.get(label, 0) + batches

    def advance(self, label: str, message: str) -> None:
        """See Progress."""
        self._done[label] = self._done.get(label, 0) + 1
        total = max(self._batches.get(label, 0), self._done[label])
        width = 20
        full = width * self._done[label] // total
        bar = "━" * full + " " * (width - full)
        end = "\n" if self._done[label] == total else ""
        sys.stderr.write(f"\r\x1b[2K{label:<26} {bar} {self._done[label]}/{total}  {message}{end}")
        sys.stderr.flush()

    def wait(self, label: str, message: str) -> None:
        """See Progress; a bar that wanders, since nobody knows how much there is."""
        width, block = 20, 5
        place = self._waits % (width - block + 1)
        self._waits += 1
        bar = " " * place + "━" * block + " " * (width - block - place)
        sys.stderr.write(f"\r\x1b[2K{label:<26} {bar} {message}")
        sys.stderr.flush()


def watch(command: str, run_id: str) -> Progress:
    """The progress that suits where stderr goes."""
    if sys.stderr.isatty() and logger.isEnabledFor(logging.INFO):
        return DrawnProgress()
    return LoggedProgress(command, run_id)
