"""Everything that goes to stdout: a table for people, or one JSON envelope for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lotuslake.commands.context import StreamError
from lotuslake.core.errors import ExitCode, LotusLakeError
from lotuslake.core.os_errors import explain_os_error

ENVELOPE_VERSION = 1
PIPED_WIDTH = 200


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; numbers stand right."""

    title: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under titles; a note stands below."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a command has to say: ``data`` for programs, ``tables`` and ``notes`` for people."""

    command: str
    exit_code: ExitCode
    data: Mapping[str, Any] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    errors: Sequence[StreamError] = ()


def print_report(report: Report, *, as_json: bool) -> None:
    """Write the report to stdout.

    Raises:
        DiskFullError: what stdout goes to has no room for it.
    """
    with writing():
        _write(report, as_json=as_json)


@contextmanager
def writing() -> Iterator[None]:
    """Around whatever writes to stdout. A reader that has had enough, as `head` has, is no error.

    Raises:
        DiskFullError: what stdout goes to has no room for it.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _write_no_more()
    except OSError as error:
        known = explain_os_error(error, "what is printed")
        if known is None:
            raise
        _write_no_more()
        raise known from error


def _write_no_more() -> None:
    """What is left would be written again at the end of the program."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(report: Report, *, as_json: bool) -> None:
    if as_json:
        print_json(envelope(report))
        return
    for table in report.tables:
        print_table(table)
    for note in report.notes:
        sys.stdout.write(note + "\n")


def envelope(report: Report) -> dict[str, Any]:
    """The documented JSON result, see docs/json-output.md."""
    status = "success"
    if report.errors:
        status = "partial" if any(report.data.values()) else "error"
    return {
        "version": ENVELOPE_VERSION,
        "command": report.command,
        "status": status,
        "exit_code": int(report.exit_code),
        "data": dict(report.data),
        "errors": [_error(item.error, item.stream) for item in report.errors],
    }


def failure(command: str, error: LotusLakeError) -> Report:
    """The report of a command that could not begin, or was cut off."""
    return Report(command, error.exit_code, errors=[StreamError(part.stream, part) for part in error.parts])


def print_json(document: Mapping[str, Any]) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(document, default=_plain, ensure_ascii=False, allow_nan=False) + "\n")


def print_table(table: Table) -> None:
    """A table as wide as the terminal; piped, as wide as it needs."""
    # Deferred: rich's tables take a tenth of a second to import, and `--json` has no use for them.
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    drawn = RichTable(box=box.SIMPLE_HEAD, title=table.title or None, title_justify="left", pad_edge=False)
    for column in table.columns:
        drawn.add_column(column.title, justify="right" if column.is_number else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*row)
    console.print(drawn)


def import_tables() -> None:
    """Import what tables are drawn with ahead of time, while somebody else is at work."""
    import rich.console
    import rich.table  # noqa: F401


def without_idle(table: Table, *titles: str) -> Table:
    """The table without those of the named columns that hold nothing but 0: what is left fits a terminal of 80 columns."""
    shown = [
        at
        for at, column in enumerate(table.columns)
        if column.title not in titles or any(row[at] != "0" for row in table.rows)
    ]
    rows = [[row[at] for at in shown] for row in table.rows]
    return Table([table.columns[at] for at in shown], rows, table.title)


def columns(*titles: str, numbers: Iterable[str] = ()) -> list[Column]:
    """Columns by title; those named in ``numbers`` stand right."""
    right = set(numbers)
    return [Column(title, title in right) for title in titles]


def _error(error: LotusLakeError, stream: str | None) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "stream": stream or error.stream}


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
