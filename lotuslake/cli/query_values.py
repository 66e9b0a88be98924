"""What DuckDB's values look like as text and in JSON.

As JSON has no number for them, NaN and the infinities are strings there, as in Protocol Buffers' mapping to JSON
(https://protobuf.dev/programming-guides/json/); a decimal is a string as well, since most readers would round a number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

_PRINTABLE = frozenset(range(0x20, 0x7F)) - {ord("\\")}


def text_of(value: object) -> str:
    """The value in one line or, for a text that has more, in as many; empty for NULL."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _float_text(value)
        case bytes():
            return _bytes_text(value)
        case Mapping() | list() | tuple():
            return json.dumps(json_of(value), ensure_ascii=False)
    return str(value)


def json_of(value: object) -> Any:
    """The value as `json.dumps` takes it, without a number that is none in JSON."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else _float_text(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return _bytes_text(value)
        case Mapping():
            return {text_of(key): json_of(one) for key, one in value.items()}
        case list() | tuple():
            return [json_of(one) for one in value]
    return str(value)


def is_number(value: object) -> bool:
    """Whether it stands right in a table."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def one_line(text: str) -> str:
    """Text for a cell: what a terminal would obey, or would break the line at, is written out."""
    return "".join(char if char.isprintable() else _written_out(char) for char in text)


def unique(names: Sequence[str]) -> list[str]:
    """The names, the second of a kind with a number, as DuckDB names them: `a`, `a_1`."""
    taken: set[str] = set()
    result = []
    for name in names:
        number, one = 0, name
        while one in taken:
            number += 1
            one = f"{name}_{number}"
        taken.add(one)
        result.append(one)
    return result


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def _bytes_text(value: bytes) -> str:
    # As DuckDB writes a BLOB.
    return "".join(chr(byte) if byte in _PRINTABLE else f"\\x{byte:02X}" for byte in value)


def _written_out(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
