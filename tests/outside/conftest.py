"""Files that no one here wrote: OUTSIDE_DATA names the folder. A clone that has none skips these tests, and says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

NOT_DATA = frozenset({".md", ".csv", ".json", ".bin", ".txt"})


@pytest.fixture(scope="session")
def outside_data() -> Path:
    """The folder; see its own README for what it holds and whence."""
    named = os.environ.get("OUTSIDE_DATA", "")
    if not named:
        pytest.skip("OUTSIDE_DATA names no folder with files from outside")
    folder = Path(named)
    assert folder.is_dir(), f"OUTSIDE_DATA: {folder} is no folder"
    return folder


@pytest.fixture(scope="session")
def foreign_files(outside_data: Path) -> dict[str, bytes]:
    """The files of apache/parquet-testing, bad ones too, each under a name that ends in .parquet."""
    root = outside_data / "parquet-testing"
    found = sorted(path for path in root.rglob("*") if path.is_file() and path.suffix not in NOT_DATA)
    files = {
        f"{number:03}_{path.name.split('.parquet')[0]}.parquet": path.read_bytes() for number, path in enumerate(found)
    }
    assert len(files) == 97, "apache/parquet-testing has other files now: look at each of them"
    return files
