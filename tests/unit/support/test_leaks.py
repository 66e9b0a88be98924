"""The search for secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import leaks


@pytest.fixture(autouse=True)
def no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "_SECRETS", {})


def test_a_secret_is_found_in_texts_and_files(tmp_path: Path) -> None:
    assert leaks.remember_secret("key", "sesame-1") == "sesame-1"
    assert leaks.leaks_in("open sesame-1!") == ["key"]
    assert leaks.leaks_in("open sesame") == []
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"\xff\x00sesame-1")
    assert leaks.leaks_below(tmp_path) == ["deep/file: key"]


def test_what_is_too_short_would_be_found_everywhere() -> None:
    with pytest.raises(AssertionError, match="too short"):
        leaks.remember_secret("key", "1234567")
