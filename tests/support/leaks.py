"""Secrets that the tests use, and the search for them in everything the program told."""

from __future__ import annotations

from pathlib import Path

_SECRETS: dict[str, str] = {}


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
