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
    told = "error: No solution found\n  cause: Because there is no version of pendulum==2.1.2 and you require it\n"
    with pytest.raises(tool.UnavailableError, match="there is no version of pendulum"):
        tool._run(failing(told))


def test_an_index_that_does_not_answer_is_a_reason_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/packages")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(tool.UnavailableError, match="Connection refused"):
        tool._run([*tool.UV, "pip", "install", "--target", str(tmp_path / "to"), "airbyte-source-faker==7.2.1"])


def test_uv_asks_the_index_that_pip_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "_pip_setting", {"global.index-url": "https://mirror.example/packages"}.__getitem__)
    assert tool.with_pips_index({})["UV_DEFAULT_INDEX"] == "https://mirror.example/packages"
    assert tool.with_pips_index({"PIP_INDEX_URL": "https://a.example"})["UV_DEFAULT_INDEX"] == "https://a.example"
    assert (
        tool.with_pips_index({"UV_DEFAULT_INDEX": "https://own.example"})["UV_DEFAULT_INDEX"] == "https://own.example"
    )
    monkeypatch.setattr(tool, "_pip_setting", lambda _: "")
    assert tool.with_pips_index({}) == {}


def test_any_other_failure_fails() -> None:
    with pytest.raises(SystemExit, match="Hash mismatch for"):
        tool._run(failing("error: Failed to download `attrs`\n  cause: Hash mismatch for `attrs`\n"))


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
