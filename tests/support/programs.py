"""Programs that a machine may lack: on PATH, or beside this Python, where `make debian-tools` puts them."""

import shutil
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


def find_program(name: str) -> str | None:
    """Its path."""
    beside = BIN / name
    return str(beside) if beside.exists() else shutil.which(name)
