"""Which names mean the same column: to DuckDB, and after what Airbyte makes of a source's names."""

from __future__ import annotations

import string
from collections.abc import Iterable

from lotuslake.core.json_schema import sanitize_name

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold_name(name: str) -> str:
    """What DuckDB compares: letters of ASCII alone are the same in upper and lower case."""
    return name.translate(_LOWER)


def match_names(own: Iterable[str], wanted: Iterable[str]) -> dict[str, list[str]]:
    """For each wanted name the own ones that can stand for it; where there are several, nobody can tell which.

    That is the same name, else those that Airbyte would have written so: other programs keep `straße` or `a-b`, which the
    stream's file declares and Airbyte writes as `stra_e` and `a_b`.
    """
    same: dict[str, str] = {}
    sanitised: dict[str, list[str]] = {}
    for name in own:
        same.setdefault(fold_name(name), name)
        sanitised.setdefault(fold_name(sanitize_name(name)), []).append(name)
    return {
        name: [same[fold_name(name)]] if fold_name(name) in same else sanitised.get(fold_name(name), [])
        for name in wanted
    }
