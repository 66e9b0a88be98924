"""Questions to the lake, answered by DuckDB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from lotuslake.adapters.duckdb_errors import first_line, translate
from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.adapters.ducklake_ledger import DuckLakeLedger
from lotuslake.core.errors import ConfigError
from lotuslake.ports.query import Answer


class DuckLakeQuery:
    """See the port for what the method promises."""

    def __init__(self, instance: DuckDbInstance, ledger: DuckLakeLedger) -> None:
        self._instance = instance
        self._ledger = ledger

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Answer:
        if not self._ledger.exists():
            raise ConfigError("there is no lake yet: run lotuslake register first, or lotuslake demo")
        connection = self._instance.connection.cursor()
        try:
            _require_reading(connection, sql)
            connection.execute(f"USE {LAKE}")
            result = connection.execute(sql, dict(parameters) if parameters else None)
            columns = tuple(column[0] for column in result.description or ())
            return Answer(columns, tuple(result.fetchall()))
        except duckdb.Error as error:
            known = translate(error, "answering the query")
            raise known or ConfigError(f"the query does not run: {first_line(error)}") from error
        finally:
            connection.close()


def _require_reading(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Refuse what is not one SELECT (FROM, DESCRIBE, SHOW and SUMMARIZE are such): even failing, it may leave files behind."""
    kinds = [statement.type for statement in connection.extract_statements(sql)]
    if kinds != [duckdb.StatementType.SELECT]:
        raise ConfigError("a query is one statement that only reads: SELECT, FROM, DESCRIBE, SHOW or SUMMARIZE")
