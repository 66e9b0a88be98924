"""A statement that DuckDB itself does not survive, without a crash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.ducklake_ledger import DuckLakeLedger
from lotuslake.adapters.ducklake_query import DuckLakeQuery
from lotuslake.adapters.instance_options import InstanceOptions
from lotuslake.core.errors import CrashError

ASKED = "SELECT 42"


class Cursor:
    """A cursor of DuckDB's whose database breaks over one statement."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, error: duckdb.Error) -> None:
        self._cursor = cursor
        self._error = error

    def execute(self, statement: str, *more: Any) -> Any:
        if statement == ASKED:
            raise self._error
        return self._cursor.execute(statement, *more)

    def close(self) -> None:
        self._cursor.close()


@pytest.mark.parametrize(
    "error",
    [
        # As DuckDB 1.5.5 says it of a MERGE from `ducklake_table_insertions`, and of every statement after that.
        duckdb.InternalException(
            "INTERNAL Error: Could not find matching file for written delete file\n\nStack Trace:\n…"
        ),
        duckdb.FatalException("FATAL Error: Failed: database has been invalidated because of a previous fatal error."),
    ],
)
def test_an_internal_error_is_duckdbs_fault_and_the_lake_is_unharmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: duckdb.Error
) -> None:
    instance = DuckDbInstance(InstanceOptions(str(tmp_path / "c"), str(tmp_path / "d"), 2**28, 1, tmp_path / "t"))
    ledger = DuckLakeLedger(instance)
    ledger.prepare([])
    cursor: Any = Cursor(instance.connection.cursor(), error)
    monkeypatch.setattr(instance, "_connection", type("Connection", (), {"cursor": lambda self: cursor})())
    monkeypatch.setattr(ledger, "exists", lambda: True)
    with pytest.raises(CrashError, match="made DuckDB fail by a fault of its own") as raised:
        DuckLakeQuery(instance, ledger).ask(ASKED)
    assert raised.value.exit_code == 1
    assert "Stack Trace" not in raised.value.message
    assert "unharmed" in raised.value.message
