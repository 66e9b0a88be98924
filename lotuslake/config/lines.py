"""Where in its file a key stands: mappings that remember the line of each of their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class LinedMapping(dict[Any, Any]):
    """The keys and values of one mapping of a file, and the line that each key stands in."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, int] = {}


def line_of(values: Mapping[str, Any], key: str, below: Sequence[str] = ()) -> int | None:
    """The line of a key, or of the last one ``below`` it that is there: a field's own properties, for example.

    None for a key that is not there and for values that come from no file.
    """
    line = values.lines.get(key) if isinstance(values, LinedMapping) else None
    found: Any = values.get(key)
    for part in below:
        if isinstance(found, Mapping) and part not in found:
            found = found.get("properties")
        if not isinstance(found, LinedMapping) or part not in found:
            break
        line, found = found.lines[part], found[part]
    return line
