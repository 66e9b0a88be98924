"""The forms in which an answer is written as text: each takes column names and rows as they come."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TextIO

from lotuslake.cli.query_values import json_of, one_line, text_of, unique

Rows = Iterator[tuple[Any, ...]]
Writer = Callable[[Sequence[str], Rows, TextIO], None]
# What would end a field or a row, written as Postgres's COPY does in its text format
# (https://www.postgresql.org/docs/current/sql-copy.html).
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_QUOTED = re.compile(r'[",\r\n]')
_ESCAPED = re.compile(r"[\\\t\n\r]")


def write_tsv(columns: Sequence[str], rows: Rows, to: TextIO) -> None:
    """Tabs between fields, a line for each row, for `cut`, `sort` and `awk`; NULL is an empty field."""
    to.writelines("\t".join(map(_tsv_field, row)) + "\n" for row in chain([columns], rows))


def write_csv(columns: Sequence[str], rows: Rows, to: TextIO) -> None:
    """RFC 4180 with plain line ends; NULL is an empty field, an empty text a quoted one."""
    to.writelines(",".join(map(_csv_field, row)) + "\n" for row in chain([columns], rows))


def write_json(columns: Sequence[str], rows: Rows, to: TextIO) -> None:
    """A list of objects, one in a line."""
    names = unique(columns)
    separator = "[\n"
    for row in rows:
        document = {name: json_of(value) for name, value in zip(names, row, strict=True)}
        to.write(separator + json.dumps(document, ensure_ascii=False, allow_nan=False))
        separator = ",\n"
    to.write("[]\n" if separator == "[\n" else "\n]\n")


def write_vertical(columns: Sequence[str], rows: Rows, to: TextIO) -> None:
    """Each row as lines of its own, a column in each, whole."""
    names = [one_line(name) for name in columns]
    width = max(map(len, names), default=0)
    for number, row in enumerate(rows, start=1):
        to.write(f"{'' if number == 1 else chr(10)}row {number}\n")
        fields = zip(names, row, strict=True)
        to.writelines(f"  {name:<{width}}  {one_line(text_of(value))}".rstrip() + "\n" for name, value in fields)


TEXT_FORMATS: Mapping[str, Writer] = {
    "csv": write_csv,
    "json": write_json,
    "tsv": write_tsv,
    "vertical": write_vertical,
}


def _tsv_field(value: object) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text_of(value))


def _csv_field(value: object) -> str:
    # The csv module of Python 3.11 cannot quote an empty text and leave NULL bare.
    text = text_of(value)
    return '"' + text.replace('"', '""') + '"' if value == "" or _QUOTED.search(text) else text
