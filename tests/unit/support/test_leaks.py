"""The search for secrets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import leaks


@pytest.fixture(autouse=True)
def no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "_SECRETS", {})
    monkeypatch.setattr(leaks, "_HEARD", [])


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


def test_what_another_program_prints_is_heard() -> None:
    leaks.remember_secret("key", "sesame-1")
    for stream in ("stdout", "stderr"):
        program = f"import sys; print('sesame-' + '1', file=sys.{stream})"
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
        assert leaks.leaks_in_heard() == ["key"]
    assert leaks.leaks_in_heard() == []


def test_what_a_test_takes_from_pytest_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    leaks.remember_secret("key", "sesame-1")
    sys.stdout.write("sesame-1\n")
    assert capsys.readouterr().out == "sesame-1\n"
    assert leaks.leaks_in_heard() == ["key"]
