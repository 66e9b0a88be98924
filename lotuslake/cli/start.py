"""Where the program begins: imports next to nothing, so that Ctrl-C finds plain words from the first instant on."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


def run() -> None:
    """Entry point of the console script."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    from lotuslake.cli.main import run as run_program

    run_program()


def _stop(number: int, frame: FrameType | None) -> None:
    """End at once: no command has begun yet; the one that begins takes the signals over (see `diagnostics.Signals`)."""
    del frame
    code, message = 128 + number, "stopped before anything had begun"
    if "--json" in sys.argv:
        _write(
            1,
            f'{{"version": 1, "command": "", "status": "error", "exit_code": {code}, "data": {{}}, '
            f'"errors": [{{"code": "stopped", "message": "{message}", "stream": null}}]}}',
        )
    _write(2, message)
    # Not sys.exit(): half an import is no place to unwind from.
    os._exit(code)


def _write(descriptor: int, text: str) -> None:
    # A stream in Python may be in use by what was interrupted.
    os.write(descriptor, f"{text}\n".encode())
