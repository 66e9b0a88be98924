"""Questions to the lake, answered by DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import duckdb

from lotuslake.adapters.duckdb_errors import first_line, hints, translate
from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.adapters.ducklake_ledger import DuckLakeLedger
from lotuslake.adapters.reading_guard import reading_only
from lotuslake.core.errors import ConfigError, CrashError, LotusLakeError
from lotuslake.ports.query import Answer

CHUNK_ROWS = 10_000
Row = tuple[Any, ...]


class DuckLakeQuery:
    """See the port for what the method promises."""

    def __init__(self, instance: DuckDbInstance, ledger: DuckLakeLedger) -> None:
        self._instance = instance
        self._ledger = ledger

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Answer:
        with self.stream(sql, parameters) as (columns, chunks):
            return Answer(columns, tuple(row for rows in chunks for row in rows))

    @contextmanager
    def stream(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[tuple[str, ...], Iterator[list[Row]]]]:
        """As `ask`: the column names and, while the context lasts, the rows, some thousands at a time."""
        with self._reading(sql) as (cursor, statement):
            result = cursor.execute(statement, dict(parameters) if parameters else None)
            columns = tuple(column[0] for column in result.description or ())
            yield columns, iter(lambda: result.fetchmany(CHUNK_ROWS), [])

    def save(self, sql: str, path: str) -> int:
        """As `ask`, into a new Parquet file; the number of rows."""
        with self._reading(sql) as (cursor, statement):
            cursor.sql(statement).write_parquet(path, compression="zstd")
            row = cursor.execute("SELECT sum(num_rows) FROM parquet_file_metadata($path)", {"path": path}).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _reading(self, sql: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
        """A cursor, and the statement to run on it."""
        if not self._ledger.exists():
            raise ConfigError("there is no lake yet: run lotuslake register first, or lotuslake demo")
        with closing(self._instance.connection.cursor()) as cursor:
            try:
                cursor.execute(f"USE {LAKE}")
                # A name that is no table would be looked for among this program's own variables.
                cursor.execute("SET python_enable_replacements = false")
                yield cursor, reading_only(cursor, sql)
            except duckdb.Error as error:
                raise _explain(error) from error


def _explain(error: duckdb.Error) -> LotusLakeError:
    if isinstance(error, duckdb.InternalException | duckdb.FatalException):
        return CrashError(
            f"the statement made DuckDB fail by a fault of its own ({first_line(error)}). The lake is unharmed. "
            "Write the statement in another way, and report it to DuckDB"
        )
    return translate(error, "answering the query") or ConfigError(f"the query does not run: {hints(error)}")
