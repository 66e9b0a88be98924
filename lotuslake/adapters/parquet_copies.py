"""Converted copies of data files whose types differ from the landing table's: one Parquet file each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from lotuslake.adapters.duckdb_errors import first_line, translate
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.duckdb_opening import quote_literal
from lotuslake.adapters.parquet_footers import escape_glob
from lotuslake.adapters.unreadable_pages import UnreadablePages
from lotuslake.core.data_file import FileStatus
from lotuslake.core.decision import Decision
from lotuslake.core.field_types import VARCHAR, quote_identifier
from lotuslake.ports import ObjectStore
from lotuslake.ports.landing import RegisterBatch

_OF_VALUES = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)


class ParquetCopies:
    """Writes below `copied/` of the data root; a copy that no ledger entry names is an orphan, removed by maintenance."""

    def __init__(self, instance: DuckDbInstance, store: ObjectStore, pages: UnreadablePages) -> None:
        self._instance = instance
        self._store = store
        self._pages = pages

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
        except duckdb.Error as error:
            if isinstance(error, _OF_VALUES) and (reason := self._find_reason(decision, source)) is not None:
                return reason
            known = translate(error, f"converting {decision.file.path}")
            reason = self._pages.find_reason(decision.file, [(name, VARCHAR) for name, _ in decision.conversions])
            if reason is None:
                raise known or error from error
            return reason
        return None

    def _find_reason(self, decision: Decision, source: str) -> str | None:
        """Which column does not convert, None where it is not its values.

        DuckDB's own message may hold a customer's data, so it is not repeated.
        """
        for name, sql in decision.conversions:
            try:
                self._instance.connection.execute(f"SELECT count({sql}) FROM {source}").fetchall()
            except duckdb.InvalidInputException as error:
                text = first_line(error)
                if f"column {name} holds" in text:
                    return text.removeprefix("Invalid Input Error: ")
                return self._pages.find_reason(decision.file, [(name, VARCHAR)]) or _generic(name)
            except _OF_VALUES:
                return _generic(name)
            except duckdb.Error:
                return None
        return None


def _generic(column: str) -> str:
    return f"column {column} holds values that do not convert to the landing table's type"
