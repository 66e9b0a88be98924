"""Files that DuckLake refuses although the comparison of types took them: converted instead, or set aside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import duckdb

from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.ducklake_files import DuckLakeFiles
from lotuslake.adapters.parquet_copies import ParquetCopies
from lotuslake.adapters.parquet_footers import ParquetFooters
from lotuslake.core.data_file import FileStatus
from lotuslake.core.decision import ALWAYS_REQUIRED, Decision
from lotuslake.core.footer import Footer
from lotuslake.core.schema_comparison import ByCopy, Columns, compare_columns
from lotuslake.ports import ObjectStore
from lotuslake.ports.landing import RegisterBatch

REFUSALS = (
    duckdb.InvalidInputException,
    duckdb.NotImplementedException,
    duckdb.ConversionException,
    duckdb.BinderException,
)
NOT_TAKEN = "the lake does not take the file's columns into the landing table"


class FilesRefusedError(Exception):
    """DuckLake refused a file of a list, without saying which one; nothing was written."""


class RefusedFiles:
    """Finds them by trying each file by itself, in a transaction that is rolled back."""

    def __init__(
        self,
        instance: DuckDbInstance,
        store: ObjectStore,
        footers: ParquetFooters,
        copies: ParquetCopies,
        files: DuckLakeFiles,
    ) -> None:
        self._instance = instance
        self._store = store
        self._footers = footers
        self._copies = copies
        self._files = files

    def settle(
        self, batch: RegisterBatch, columns: Columns, make_anew: Callable[[], None], error: FilesRefusedError
    ) -> RegisterBatch:
        """The batch with what is refused converted, and set aside where its copy is refused as well.

        ``columns`` are the landing table's, ``make_anew`` lays the table out that a rewrite fills. Raises ``error``'s cause
        where no file of the batch is refused.
        """
        _, data_paths = self._copies.write(batch)
        prepare = make_anew if batch.rewrite else lambda: None
        decisions = tuple(
            self._settle(decision, columns) if self._is_refused(batch, decision, data_paths, prepare) else decision
            for decision in batch.decisions
        )
        if decisions == batch.decisions:
            raise error.__cause__ or error
        return replace(batch, decisions=decisions)

    def _is_refused(
        self, batch: RegisterBatch, decision: Decision, data_paths: dict[str, str], prepare: Callable[[], None]
    ) -> bool:
        if decision.status is FileStatus.REGISTERED:
            url = self._store.url(decision.file.path)
        elif decision.file.path in data_paths:
            url = self._copies.url(data_paths[decision.file.path])
        else:
            return False
        self._instance.connection.execute("BEGIN")
        try:
            prepare()
            self._files.add(batch.stream.landing_table, [url])
        except REFUSALS:
            return True
        finally:
            self._instance.connection.execute("ROLLBACK")
        return False

    def _settle(self, decision: Decision, columns: Columns) -> Decision:
        if decision.status is FileStatus.REGISTERED:
            for found in self._footers.read([decision.file]):
                verdict = isinstance(found, Footer) and compare_columns(
                    found.columns, columns, ALWAYS_REQUIRED, namesakes=found.namesakes, always_copy=True
                )
                if isinstance(verdict, ByCopy):
                    return replace(decision, status=FileStatus.COPIED, conversions=verdict.columns)
        return replace(decision, status=FileStatus.QUARANTINED, reason=NOT_TAKEN, conversions=())
