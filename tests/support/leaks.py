"""Secrets that the tests use, and the search for them in everything the program told."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

_SECRETS: dict[str, str] = {}
# What was told by other ways than the output of the tests' own process.
_HEARD: list[str] = []


def remember_secret(name: str, value: str) -> str:
    """From now on no output may hold this value; returns it."""
    assert len(value) >= 8, "too short to be searched for"
    _SECRETS[value] = name
    return value


def leaks_in(text: str) -> list[str]:
    """The names of the secrets that a text holds."""
    return sorted({name for value, name in _SECRETS.items() if value in text})


def leaks_below(folder: Path) -> list[str]:
    """`file: name` for every file below the folder that holds a secret."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            names = leaks_in(path.read_bytes().decode("latin-1"))
            found += [f"{path.relative_to(folder)}: {name}" for name in names]
    return found


def hear(text: str | bytes | None) -> None:
    """Something was told: it is searched when the test ends."""
    if text:
        _HEARD.append(text if isinstance(text, str) else text.decode("latin-1"))


def leaks_in_heard() -> list[str]:
    """The names of the secrets in what was told since this was last asked."""
    text = "\n".join(_HEARD)
    _HEARD.clear()
    return leaks_in(text)


def listen() -> None:
    """From now on what a test reads itself is searched too: the output of other programs, and what pytest hands it."""
    _overhear(subprocess.Popen, "communicate")
    _overhear(pytest.CaptureFixture, "readouterr")


def _overhear(owner: Any, method: str) -> None:
    original = getattr(owner, method)

    def overheard(*arguments: Any, **named: Any) -> Any:
        told = original(*arguments, **named)
        for text in told:
            hear(text)
        return told

    setattr(owner, method, overheard)
