"""JSON as mappings that know their keys' lines, which Python's own parser forgets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lotuslake.config.lines import LinedMapping
from lotuslake.config.syntax import MAX_DEPTH, refuse_repeated, too_deep
from lotuslake.core.errors import ConfigError

# A text, and whether it is a key. Only keys are followed by a colon.
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?')
_REMEDIES = {
    "Expecting property name enclosed in double quotes": "keys stand in double quotes, without a comma after the last",
    "Expecting ',' delimiter": "a comma or a bracket is missing",
    "Expecting value": "a value is missing; JSON has no comments, and texts stand in double quotes",
    "Extra data": "one file holds one object",
}


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, repeated keys too."""


def parse_json(text: str, shown: str) -> Any:
    """The values of a JSON text. Raises ConfigError, or MistakesError for several repeated keys."""
    try:
        values = json.loads(text, object_pairs_hook=_Pairs)
        repeated: list[tuple[str, int, int]] = []
        values = _with_lines(values, _key_lines(text), repeated, 0, shown)
    except json.JSONDecodeError as error:
        remedy = next((help_ for words, help_ in _REMEDIES.items() if error.msg.startswith(words)), "see this line")
        raise ConfigError(f"{shown}, line {error.lineno}: not valid JSON: {error.msg}; {remedy}") from None
    except RecursionError:
        raise too_deep(shown) from None
    except ValueError as error:
        raise ConfigError(f"{shown}: not valid JSON: {error}") from None
    refuse_repeated(repeated, shown)
    return values


def _key_lines(text: str) -> Iterator[int]:
    """The lines of all keys, in the order in which they stand."""
    line, position = 1, 0
    for found in _TEXT.finditer(text):
        line += text.count("\n", position, found.start())
        position = found.start()
        if found[1] is not None:
            yield line


def _with_lines(value: Any, lines: Iterator[int], repeated: list[tuple[str, int, int]], depth: int, shown: str) -> Any:
    if depth > MAX_DEPTH:
        raise too_deep(shown)
    if isinstance(value, _Pairs):
        values = LinedMapping()
        for key, inner in value:
            line = next(lines)
            if key in values:
                repeated.append((key, line, values.lines[key]))
            values.lines.setdefault(key, line)
            values[key] = _with_lines(inner, lines, repeated, depth + 1, shown)
        return values
    if isinstance(value, list):
        return [_with_lines(inner, lines, repeated, depth + 1, shown) for inner in value]
    return value
