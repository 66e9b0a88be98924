"""`lotuslake query`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from lotuslake.cli.command import add_command
from lotuslake.cli.output import Report, writing
from lotuslake.cli.query_formats import TEXT_FORMATS
from lotuslake.cli.query_table import draw
from lotuslake.cli.query_values import json_of
from lotuslake.cli.session import Session
from lotuslake.core.errors import ExitCode, WrongUsageError
from lotuslake.ports.query import LargeQuery

# What a person reads; a file or a pipe takes every row.
MAX_ROWS = 500

logger = logging.getLogger("lotuslake")


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    VERTICAL = "vertical"
    TSV = "tsv"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


FOR_PEOPLE = (Format.TABLE, Format.VERTICAL)


class NoStatementError(typer.BadParameter):
    """Neither on the command line nor on stdin."""

    def format_message(self) -> str:
        """See BadParameter."""
        return "Missing argument 'SQL'"


def read_statement(given: str | None) -> str:
    """The statement of the command line, or that on stdin."""
    try:
        if given is None and sys.stdin.isatty():
            raise NoStatementError("")
        statement = sys.stdin.read() if given is None or given == "-" else given
        # Python lets through what is no text, as lone surrogates.
        statement.encode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise typer.BadParameter(f"the statement is not {error.encoding} text, at character {error.start}") from None
    except OSError:
        raise NoStatementError("") from None
    if not statement.strip():
        raise typer.BadParameter("the statement is empty")
    return statement


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "query")
    def run(
        session: Session,
        sql: Annotated[
            str | None,
            typer.Argument(
                metavar="SQL",
                help="One statement; tables are schema.table. Without it: stdin.",
                callback=read_statement,
            ),
        ] = None,
        format_: Annotated[
            Format | None, typer.Option("--format", help="On a terminal: table; in a pipe: tsv; with -o: by the name.")
        ] = None,
        output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the answer to this file.")] = None,
        max_rows: Annotated[
            int | None, typer.Option(min=0, help=f"Stop after so many; 0: never. On a screen: {MAX_ROWS}.")
        ] = None,
    ) -> Report:
        """Ask the lake, reading only: lotuslake query "FROM enriched.fct_sales LIMIT 5"."""
        form = _choose(format_, output, as_json=session.as_json)
        statement, query = sql or "", session.wiring.separate_query
        limit = (MAX_ROWS if form in FOR_PEOPLE else 0) if max_rows is None else max_rows
        with session.signals.at_once():
            if form is None:
                return _enveloped(query, statement, limit)
            if output is None:
                with writing():
                    _write(query, statement, form, limit, sys.stdout)
                return Report("query", ExitCode.DONE)
            rows = _keep(query, statement, form, limit, output)
        return Report("query", ExitCode.DONE, {"rows_written": rows}, notes=[f"{rows} rows in {output}"])


def _choose(given: Format | None, output: Path | None, *, as_json: bool) -> Format | None:
    """How to write; None: as the envelope of `--json`."""
    if output is None:
        if as_json and given is not None:
            raise WrongUsageError("--json prints an envelope of its own: leave out --format, or name a file with -o")
        if given is Format.PARQUET:
            raise WrongUsageError("a Parquet file is not for the screen: name one with -o FILE.parquet")
        return None if as_json else given or (Format.TABLE if sys.stdout.isatty() else Format.TSV)
    by_name = output.suffix.removeprefix(".").lower()
    if given is None and by_name not in set(Format):
        raise WrongUsageError(
            f"what kind of file is {output}? End its name with .csv, .tsv, .json or .parquet, or add --format"
        )
    return given or Format(by_name)


def _enveloped(query: LargeQuery, statement: str, limit: int) -> Report:
    with query.stream(statement) as answer:
        bounded = _Bounded(answer.rows, limit)
        rows = [[json_of(value) for value in row] for row in bounded]
        return Report(
            "query", ExitCode.DONE, {"columns": list(answer.columns), "rows": rows, "has_more": bounded.has_more}
        )


def _keep(query: LargeQuery, statement: str, form: Format, limit: int, output: Path) -> int:
    """Write a file, which is there in full or not at all; returns the number of rows."""
    if output.is_dir() or not output.parent.is_dir():
        raise WrongUsageError(
            f"-o {output}: there is no such folder" if not output.is_dir() else f"-o {output}: is a folder"
        )
    if form is Format.PARQUET:
        if limit:
            raise WrongUsageError("--max-rows does not go with Parquet: write LIMIT into the statement")
        return query.save(statement, output)
    with _replaced(output) as to:
        return _write(query, statement, form, limit, to)


@contextmanager
def _replaced(path: Path) -> Iterator[TextIO]:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as to:
            yield to
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write(query: LargeQuery, statement: str, form: Format, limit: int, to: TextIO) -> int:
    with query.stream(statement) as answer:
        rows = _Bounded(answer.rows, limit)
        if form is Format.TABLE:
            shown = draw(answer.columns, list(rows), to)
            if shown.hidden:
                logger.warning(
                    "%s of %s columns are left out: --format vertical shows all", shown.hidden, len(answer.columns)
                )
        else:
            TEXT_FORMATS[form](answer.columns, rows, to)
        if rows.has_more:
            logger.warning(
                "these are the first %s rows, there are more: --max-rows 0 shows all, -o FILE keeps them", limit
            )
        return rows.count


class _Bounded(Iterator[tuple[object, ...]]):
    """Rows up to a limit, or all for 0: how many went by, and whether there are more."""

    def __init__(self, rows: Iterator[tuple[object, ...]], limit: int) -> None:
        self._rows = rows
        self._limit = limit
        self.count = 0
        self.has_more = False

    def __next__(self) -> tuple[object, ...]:
        row = next(self._rows)
        if self._limit and self.count == self._limit:
            self.has_more = True
            raise StopIteration
        self.count += 1
        return row
