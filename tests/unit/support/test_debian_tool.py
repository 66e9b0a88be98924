"""The tool behind `make debian-tools`: what a machine cannot have is said, and fails nothing."""

from pathlib import Path

import pytest

from tools.debian.__main__ import main


def test_without_apt_it_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["prometheus:promtool-of-another-name"]) == 0
    assert capsys.readouterr().out == (
        "debian-tools: promtool-of-another-name not to be had here (there is no apt-get): tests that want it say so\n"
    )


def test_what_is_there_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a-program").touch(mode=0o755)
    assert main(["a-package:a-program,python"]) == 0
    assert capsys.readouterr().out == ""
