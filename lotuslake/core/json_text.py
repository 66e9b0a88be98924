"""JSON as this project writes it into files: two spaces, short values on one line, a newline at the end.

The same value always gives the same text, so that a diff shows what changed and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 120
INDENT = "  "


def render_json(value: Any) -> str:
    """The text of a file. Keys keep their order: who builds the value decides on it."""
    return "\n".join(_lines(value, "", "")) + "\n"


def _lines(value: Any, indent: str, lead: str) -> list[str]:
    """``lead`` is the key that stands before the value on its first line."""
    flat = json.dumps(value, ensure_ascii=False)
    is_nested = isinstance(value, Mapping | list | tuple) and value
    # One column stays free for the comma that may follow.
    if not is_nested or (indent and len(indent) + len(lead) + len(flat) < WIDTH):
        return [indent + lead + flat]
    inner = indent + INDENT
    if isinstance(value, Mapping):
        parts = [_lines(item, inner, json.dumps(key, ensure_ascii=False) + ": ") for key, item in value.items()]
        return [f"{indent}{lead}{{", *_separated(parts), indent + "}"]
    return [f"{indent}{lead}[", *_separated([_lines(item, inner, "") for item in value]), indent + "]"]


def _separated(parts: Sequence[list[str]]) -> list[str]:
    for part in parts[:-1]:
        part[-1] += ","
    return [line for part in parts for line in part]
