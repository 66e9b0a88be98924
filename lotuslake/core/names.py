"""Which names mean the same column: to DuckDB, and after what Airbyte makes of a source's names."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence

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


def find_twins(schema: Sequence[tuple[str, int | None]]) -> list[tuple[str, ...]]:
    """Paths of a file's columns and members that have a namesake but for upper and lower case.

    DuckDB reads the second of them under another name, so a reader who asks for one may get the other. ``schema`` lists a
    Parquet file's nodes depth first, each with the number of its children, the root first.
    """
    nodes = iter(schema)
    root = next(nodes, None)
    return list(_twins_below(root[1] or 0, nodes, ())) if root else []


def _twins_below(
    children: int, nodes: Iterator[tuple[str, int | None]], path: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    names: list[str] = []
    for _ in range(children):
        name, below = next(nodes)
        names.append(name)
        yield from _twins_below(below or 0, nodes, (*path, name))
    folded = [fold_name(name) for name in names]
    yield from ((*path, name) for name, key in zip(names, folded, strict=True) if folded.count(key) > 1)
