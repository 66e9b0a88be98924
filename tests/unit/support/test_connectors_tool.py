"""`python -m tools.connectors`: where the connectors are not to be had it says why; any other failure is one."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

import pytest

from tools.connectors import __main__ as tool


def test_without_a_fitting_python_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "PYTHONS", ("no-such-python", "false"))
    assert tool.main([str(tmp_path)]) == tool.NOT_TO_BE_HAD
    assert "not to be had here: there is no Python 3.11" in capsys.readouterr().out


def failing(text: str) -> list[str]:
    return [sys.executable, "-c", f"import sys; sys.stderr.write({text!r}); sys.exit(1)"]


def test_a_package_that_no_index_gives_is_a_reason_too() -> None:
    with pytest.raises(tool.UnavailableError, match="ERROR: No matching distribution found for pendulum"):
        tool._run(failing("WARNING: x\nERROR: No matching distribution found for pendulum==2.1.2\n"))


def test_any_other_failure_fails() -> None:
    with pytest.raises(SystemExit, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        tool._run(failing("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n"))


def test_what_is_installed_is_not_installed_again(tmp_path: Path) -> None:
    requirements = [(tool.REQUIREMENTS / f"requirements-{part}.txt").read_bytes() for part in ("build", "faker")]
    (tmp_path / "installed").write_text(hashlib.sha256(b"".join(requirements)).hexdigest())
    tool.install("faker", tmp_path, "no-such-python")
    assert (tmp_path / "installed").exists()


@pytest.mark.parametrize("name", tool.CONNECTORS)
def test_the_connector_is_pinned_with_hashes_and_without_an_index(name: str) -> None:
    text = (tool.REQUIREMENTS / f"requirements-{name}.txt").read_text(encoding="utf-8")
    assert re.search(rf"^airbyte-source-{name}==\d", text, re.MULTILINE)
    pins = re.findall(r"^\S+==\S+", text, re.MULTILINE)
    assert len(pins) > 50
    assert text.count("--hash=sha256:") >= len(pins)
    assert "index-url" not in text
