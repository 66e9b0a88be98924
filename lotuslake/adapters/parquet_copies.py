"""Converted copies of data files whose types differ from the landing table's: one Parquet file each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from lotuslake.adapters.duckdb_errors import first_line, translate
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.duckdb_opening import quote_literal
from lotuslake.adapters.parquet_footers import escape_glob
from lotuslake.core.data_file import FileStatus
from lotuslake.core.decision import Decision
from lotuslake.core.field_types import quote_identifier
from lotuslake.ports import ObjectStore
from lotuslake.ports.landing import RegisterBatch


class ParquetCopies:
    """Writes below `copied/` of the data root; a copy that no ledger entry names is an orphan, removed by maintenance."""

    def __init__(self, instance: DuckDbInstance, store: ObjectStore) -> None:
        self._instance = instance
        self._store = store

    def url(self, data_path: str) -> str:
        """Where a copy lies; ``data_path`` is relative to the data root, as the ledger holds it."""
        return f"{self._instance.options.data_url.rstrip('/')}/{data_path}"

    def write(self, batch: RegisterBatch) -> tuple[list[Decision], dict[str, str]]:
        """Convert what has to be converted: the decisions as they came out, and data paths by raw path.

        A file whose values do not convert comes out quarantined.
        """
        decisions: list[Decision] = []
        data_paths: dict[str, str] = {}
        for number, decision in enumerate(batch.decisions):
            if decision.status is not FileStatus.COPIED:
                decisions.append(decision)
                continue
            data_path = f"copied/{batch.stream.slug}/{batch.batch_id}_{number}.parquet"
            reason = self._convert(decision, data_path)
            if reason is None:
                decisions.append(decision)
                data_paths[decision.file.path] = data_path
            else:
                decisions.append(replace(decision, status=FileStatus.QUARANTINED, reason=reason, conversions=()))
        return decisions, data_paths

    def _convert(self, decision: Decision, data_path: str) -> str | None:
        """Write one copy; the reason if the values stand against it."""
        target = self.url(data_path)
        if not target.startswith("s3://"):
            Path(target).parent.mkdir(parents=True, exist_ok=True)
        select_list = ", ".join(f"{sql} AS {quote_identifier(name)}" for name, sql in decision.conversions)
        source = f"read_parquet({quote_literal(escape_glob(self._store.url(decision.file.path)))}, hive_partitioning = false)"
        try:
            self._instance.connection.execute(
                f"COPY (SELECT {select_list} FROM {source}) TO {quote_literal(target)} (FORMAT parquet, COMPRESSION zstd)"
            )
        except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException):
            return self._find_reason(decision, source)
        except duckdb.Error as error:
            raise translate(error, f"converting {decision.file.path}") or error from error
        return None

    def _find_reason(self, decision: Decision, source: str) -> str:
        """Which column does not convert. DuckDB's own message may hold a customer's data, so it is not repeated."""
        for name, sql in decision.conversions:
            try:
                self._instance.connection.execute(f"SELECT count({sql}) FROM {source}").fetchall()
            except duckdb.InvalidInputException as error:
                text = first_line(error)
                return text.removeprefix("Invalid Input Error: ") if f"column {name} holds" in text else _generic(name)
            except duckdb.Error:
                return _generic(name)
        return "its values do not convert to the landing table's types"


def _generic(column: str) -> str:
    return f"column {column} holds values that do not convert to the landing table's type"
