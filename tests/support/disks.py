"""Real disks that are small, full, or closed to writing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BLOCK = 4096


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A file system of that size, mounted on the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        _unmount(folder)


class SmallDisk:
    """What lies on it, and a file that takes the rest of its room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, *, but_for: int = 0) -> None:
        """Leave so many bytes free, rounded down to blocks."""
        free = os.statvfs(self.folder).f_bavail * BLOCK - but_for
        with self._filler.open("wb", buffering=0) as filler:
            while free >= BLOCK:
                free -= filler.write(b"x" * min(free, 1 << 20))

    def make_room(self) -> None:
        """Remove the file."""
        self._filler.unlink()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """While it lasts, the file system that the folder lies on cannot be written to by this path."""
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,bind,ro", str(folder))
        yield
    finally:
        _unmount(folder)


def _mount(*arguments: str) -> None:
    ended = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if ended.returncode and ("permi" in ended.stderr or "superuser" in ended.stderr):
        pytest.skip("a file system is mounted, which this user may not do")
    assert ended.returncode == 0, ended.stderr


def _unmount(folder: Path) -> None:
    # Lazily: a process that was ended a moment ago may still be leaving.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
