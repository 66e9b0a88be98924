"""Which of the folders that the settings name lies on a full disk, for errors that do not say where they happened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lotuslake.config.settings import Settings

# What is left where the last write did not fit.
ROOM_BYTES = 64 * 1024


def full_folders(settings: Settings) -> str:
    """Their paths, for a message; empty where all have room."""
    return ", ".join(
        dict.fromkeys(str(folder) for folder in _local_folders(settings) if _free_bytes(folder) < ROOM_BYTES)
    )


def _local_folders(settings: Settings) -> Iterator[Path]:
    yield settings.temp_dir
    if settings.catalog_is_embedded:
        yield Path(settings.catalog_url).parent
    for location in (settings.data_url, settings.landing_url):
        if location.scheme == "file":
            yield Path(location.path)
    yield settings.project_dir


def _free_bytes(folder: Path) -> int:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    found = os.statvfs(there)
    return found.f_bavail * found.f_frsize
