"""Where a DuckLake lakehouse stands."""

from __future__ import annotations

from typing import Any

from lotuslake.adapters.duckdb_errors import translated
from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.adapters.ducklake_ledger import DuckLakeLedger
from lotuslake.core.field_types import quote_identifier
from lotuslake.core.lake_state import CommandState, LakeState, ModelState, RebuildState, StreamState
from lotuslake.sql import load_sql

CURSOR, REBUILD = "cursor_", "rebuild_"


class DuckLakeState:
    """See the port for what the method promises."""

    def __init__(self, instance: DuckDbInstance, ledger: DuckLakeLedger) -> None:
        self._instance = instance
        self._ledger = ledger

    def load_state(self) -> LakeState:
        if not self._ledger.exists():
            return LakeState()
        sql = load_sql("state")
        with translated("reading the state of the lake"):
            snapshots, oldest_snapshot_at = self._rows(sql["snapshots"])[0]
            return LakeState(
                streams=tuple(StreamState(*row) for row in self._rows(sql["streams"])),
                models=tuple(self._model(table) for table in self._tables(CURSOR)),
                rebuilds=tuple(self._rebuild(table) for table in self._tables(REBUILD)),
                commands=tuple(CommandState(*row) for row in self._rows(sql["commands"])),
                findings=tuple((stream, kind, count) for stream, kind, count in self._rows(sql["findings"])),
                snapshots=snapshots,
                oldest_snapshot_at=oldest_snapshot_at,
            )

    def _model(self, table: str) -> ModelState:
        name = table.removeprefix(CURSOR)
        position, updated_at = self._rows(f"SELECT position, updated_at FROM {_meta(table)}")[0]
        if not name.startswith("int_"):
            return ModelState(name, None, None, updated_at)
        return ModelState(name, name.removeprefix("int_").replace("__", "/", 1), position or 0, updated_at)

    def _rebuild(self, table: str) -> RebuildState:
        position, until, updated_at = self._rows(f"SELECT position, until, updated_at FROM {_meta(table)}")[0]
        return RebuildState(table.removeprefix(REBUILD), position, until, updated_at)

    def _tables(self, prefix: str) -> list[str]:
        return [row[0] for row in self._rows(load_sql("state")["meta_tables"], {"prefix": prefix})]

    def _rows(self, statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        return self._instance.connection.execute(statement, parameters).fetchall()


def _meta(table: str) -> str:
    return f"{LAKE}.meta.{quote_identifier(table)}"
