"""What only a local folder can hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lotuslake.adapters.local_store import LocalStore
from lotuslake.core.errors import ConfigError, UnreachableError


def listed(store: LocalStore, prefix: str = "") -> list[str]:
    return [file.path for file in store.list_objects(prefix)]


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.parquet").write_bytes(b"12")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    (root / "file.parquet").symlink_to(tmp_path / "elsewhere" / "a.parquet")
    assert [(file.path, file.size_bytes) for file in LocalStore(root).list_objects("")] == [
        ("file.parquet", 2),
        ("folder/a.parquet", 2),
    ]
    assert LocalStore(root).list_folders("") == ["folder"]


def test_links_in_circles_and_to_nowhere_are_not(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("s/deep/a.parquet", b"x")
    (tmp_path / "s" / "deep" / "up").symlink_to(tmp_path)
    (tmp_path / "s" / "deep" / "here").symlink_to(tmp_path / "s" / "deep")
    (tmp_path / "s" / "self").symlink_to(tmp_path / "s" / "self")
    (tmp_path / "s" / "nowhere.parquet").symlink_to(tmp_path / "gone")
    assert listed(store) == listed(store, "s") == listed(store, "s/deep") == ["s/deep/a.parquet"]
    assert store.list_folders("s") == ["deep"]
    assert store.head("s/self") is None


def test_only_regular_files_are_objects(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert listed(LocalStore(tmp_path)) == []
    assert LocalStore(tmp_path).head("pipe") is None


def test_names_that_are_not_utf8_come_with_surrogates(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.parquet")).write_bytes(b"x")
    store = LocalStore(tmp_path)
    assert listed(store) == ["caf\udce9.parquet"]
    assert store.head("caf\udce9.parquet") is not None


def test_a_relative_root_gives_absolute_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert LocalStore(Path("landing")).url("s/a b.parquet") == str(tmp_path / "landing" / "s" / "a b.parquet")


def test_a_file_in_place_of_the_root(tmp_path: Path) -> None:
    (tmp_path / "landing").write_text("")
    with pytest.raises(ConfigError, match=r"^LOTUSLAKE_LANDING_URL: .*/landing is a file, not a folder\.$"):
        listed(LocalStore(tmp_path / "landing"))


def test_a_file_in_place_of_a_folder_is_empty(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("")
    assert listed(LocalStore(tmp_path), "s") == []


def test_what_the_system_refuses_is_told_in_one_line(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    name = "n" * 300
    for request in (lambda: store.head(name), lambda: listed(store, name), lambda: store.put(name, b"")):
        with pytest.raises(UnreachableError, match=r"^Cannot use .*: File name too long\.$"):
            request()


def test_writing_leaves_nothing_half_done(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("s/a.parquet", b"first")
    store.put("s/a.parquet", b"second")
    assert listed(store) == ["s/a.parquet"]
    assert (tmp_path / "s" / "a.parquet").read_bytes() == b"second"


def test_a_file_cut_short_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path / "landing")
    store.put("a.parquet", b"whole")

    def copy_a_part(_: str, to: Path) -> Path:
        to.write_bytes(b"who")
        return to

    monkeypatch.setattr("lotuslake.adapters.local_store.shutil.copyfile", copy_a_part)
    with pytest.raises(UnreachableError, match="read 3 of 5 bytes"):
        store.fetch("a.parquet", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
