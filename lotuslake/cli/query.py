"""`lotuslake query`."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Annotated

import typer

from lotuslake.cli.command import add_command
from lotuslake.cli.output import Column, Report, Table, import_tables
from lotuslake.cli.session import Session
from lotuslake.core.errors import ExitCode
from lotuslake.ports.query import Answer


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "query")
    def run(
        session: Session,
        sql: Annotated[str, typer.Argument(metavar="SQL", help="One statement; tables are schema.table.")],
    ) -> Report:
        """Ask the lake, reading only: lotuslake query "FROM enriched.fct_sales LIMIT 5"."""
        if not session.as_json:
            threading.Thread(target=import_tables, daemon=True).start()
        with session.signals.at_once():
            answer = session.wiring.separate_query.ask(sql)
        return Report(
            command="query",
            exit_code=ExitCode.DONE,
            data={"columns": list(answer.columns), "rows": [list(row) for row in answer.rows]},
            tables=[answer_table(answer)],
        )


def answer_table(answer: Answer, title: str = "") -> Table:
    """Rows as they came, numbers right."""
    numeric = [
        all(isinstance(row[at], int | float | Decimal) for row in answer.rows) for at in range(len(answer.columns))
    ]
    titles = [Column(name, is_number) for name, is_number in zip(answer.columns, numeric, strict=True)]
    return Table(titles, [[_text(value) for value in row] for row in answer.rows], title)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,}"
    return str(value)
