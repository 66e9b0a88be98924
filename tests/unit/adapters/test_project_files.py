"""Files of a project folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lotuslake.adapters.project_files import FolderFiles
from lotuslake.core.errors import ConfigError


def test_a_text_is_written_whole_and_read_as_it_is(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path)
    assert files.load("a/b.json") is None
    files.write("a/b.json", "é\n")
    files.write("a/b.json", "è\r\n")
    assert files.load("a/b.json") == "è\r\n"
    assert files.list_files("a") == ["a/b.json"], "no temporary file is left"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "a" / "b.json").stat().st_mode) == 0o666 & ~umask


def test_removing_twice_is_fine_and_a_missing_folder_is_empty(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path)
    files.write("a.json", "1")
    files.remove("a.json")
    files.remove("a.json")
    assert files.list_files("nowhere") == []


def test_what_is_no_text_differs_from_everything(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe")
    assert FolderFiles(tmp_path).load("a.json") == ""


def test_a_path_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="folder: cannot be read: Is a directory"):
        files.load("folder")
    with pytest.raises(ConfigError, match="folder: cannot be written: Is a directory"):
        files.write("folder", "x")
    with pytest.raises(ConfigError, match="file/a: cannot be written"):
        files.write("file/a", "x")
    with pytest.raises(ConfigError, match="folder: cannot be removed"):
        files.remove("folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
