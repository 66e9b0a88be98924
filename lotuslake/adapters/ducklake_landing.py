"""Landing tables in DuckLake: made, evolved, and filled by reference, one snapshot a batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import duckdb

from lotuslake.adapters.duckdb_errors import translate, translated
from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.adapters.ducklake_files import DuckLakeFiles, FolderChangedError
from lotuslake.adapters.ducklake_ledger import fence_table
from lotuslake.adapters.ledger_rows import ledger_row, raised
from lotuslake.adapters.parquet_copies import ParquetCopies
from lotuslake.adapters.parquet_footers import ParquetFooters
from lotuslake.adapters.refused_files import REFUSALS, FilesRefusedError, RefusedFiles
from lotuslake.adapters.unreadable_pages import UnreadablePages
from lotuslake.core.airbyte_columns import AIRBYTE_COLUMNS, declared_columns
from lotuslake.core.data_file import READABLE, DataFile, LedgerEntry
from lotuslake.core.decision import to_entry
from lotuslake.core.errors import LostRaceError
from lotuslake.core.evolution import AddColumn, plan_evolution
from lotuslake.core.field_types import quote_identifier
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.schema_comparison import Columns, landing_columns
from lotuslake.core.stream import Stream
from lotuslake.core.type_text import parse_type
from lotuslake.ports import ObjectStore
from lotuslake.ports.landing import RegisterBatch
from lotuslake.sql import load_sql


class DuckLakeLanding:
    """See the port for what the methods promise."""

    def __init__(self, instance: DuckDbInstance, store: ObjectStore) -> None:
        self._instance = instance
        self._store = store
        self._footers = ParquetFooters(instance, store)
        self._pages = UnreadablePages(instance, store)
        self._copies = ParquetCopies(instance, store, self._pages)
        self._files = DuckLakeFiles(instance)
        self._refused = RefusedFiles(instance, store, self._footers, self._copies, self._files)

    def inspect(self, files: Sequence[DataFile]) -> list[Footer | Unreadable]:
        return self._footers.read(files)

    def find_unreadable(self, stream: Stream, entries: Sequence[LedgerEntry]) -> list[tuple[LedgerEntry, str]]:
        return self._pages.find(entries, declared_columns(stream))

    def find_elsewhere(self, stream: Stream) -> str | None:
        with translated(f"reading where the files of {stream.landing_table} lie"):
            row = self._instance.connection.execute(
                load_sql("landing")["elsewhere"],
                {
                    "table": stream.landing_table,
                    "landing_root": self._store.url("").rstrip("/") + "/",
                    "data_root": self._copies.url(""),
                },
            ).fetchone()
        return None if row is None else str(row[0])

    def load_columns(self, stream: Stream) -> Columns:
        with translated(f"reading the columns of {stream.landing_table}"):
            rows = self._instance.connection.execute(
                "SELECT column_name, data_type FROM duckdb_columns() "
                "WHERE database_name = $lake AND schema_name = 'landing' AND table_name = $name ORDER BY column_index",
                {"lake": LAKE, "name": stream.landing_table},
            ).fetchall()
        return tuple((name, parse_type(type_)) for name, type_ in rows)

    def evolve(self, stream: Stream, seen: Sequence[Columns]) -> Columns:
        declared = declared_columns(stream)
        existing = self.load_columns(stream)
        wanted = landing_columns(declared, seen)
        if not existing or (seen and wanted != existing and self._is_empty(stream)):
            self._execute(stream, f"CREATE OR REPLACE TABLE {landing_table(stream)} ({_column_list(wanted)})")
            return wanted
        changes = plan_evolution(stream.id, existing[len(AIRBYTE_COLUMNS) :], declared[len(AIRBYTE_COLUMNS) :])
        for change in changes:
            self._execute(stream, _add_column(stream, change))
        return self.load_columns(stream) if changes else existing

    def choose_columns(self, stream: Stream, seen: Sequence[Columns]) -> Columns:
        return landing_columns(declared_columns(stream), seen)

    def _is_empty(self, stream: Stream) -> bool:
        """Whether the table holds no row yet, so that the form of its instants can still be chosen."""
        with translated(f"reading {stream.landing_table}"):
            return not self._instance.connection.execute(f"SELECT 1 FROM {landing_table(stream)} LIMIT 1").fetchall()

    def commit(self, batch: RegisterBatch) -> list[LedgerEntry]:
        while True:
            try:
                return self._write(batch)
            except FilesRefusedError as error:
                columns = batch.columns or self.load_columns(batch.stream)
                batch = self._refused.settle(batch, columns, partial(self._make_anew, batch), error)

    def _write(self, batch: RegisterBatch) -> list[LedgerEntry]:
        decisions, data_paths = self._copies.write(batch)
        first = batch.head.seq + 1 + len(batch.withdrawn)
        entries = [
            to_entry(decision, first + number, data_paths.get(decision.file.path))
            for number, decision in enumerate(decisions)
        ]
        withdrawn = [replace(entry, seq=batch.head.seq + 1 + i) for i, entry in enumerate(batch.withdrawn)]
        self._commit(batch, withdrawn, entries)
        return entries

    def _commit(self, batch: RegisterBatch, withdrawn: list[LedgerEntry], added: list[LedgerEntry]) -> None:
        try:
            try:
                self._transact(batch, withdrawn, added, self._files.add_by_folder)
            except FolderChangedError:
                self._transact(batch, withdrawn, added, self._files.add)
        except duckdb.Error as error:
            if not self._was_committed(batch):
                raise translate(error, f"registering {batch.stream.id}") or error from error

    def _transact(
        self,
        batch: RegisterBatch,
        withdrawn: list[LedgerEntry],
        added: list[LedgerEntry],
        add: Callable[[str, Sequence[str]], None],
    ) -> None:
        # One that is restated as readable (the same content under a new etag) is in the table: it is not added again.
        entries = [*withdrawn, *added]
        # Adding a file is a chain of tiny statements: handing them from thread to thread takes longer than they do.
        with self._instance.threads(1), self._instance.transaction() as connection:
            self._move_fence(batch, len(entries))
            lacking = added
            if batch.rewrite:
                self._make_anew(batch)
                lacking = [*batch.standing, *added]
            urls = [self.read_url(entry) for entry in lacking if entry.status in READABLE]
            try:
                add(batch.stream.landing_table, urls)
            except REFUSALS as error:
                raise FilesRefusedError from error
            self._append_log(batch, entries)
            connection.execute(
                f"CALL {LAKE}.set_commit_message('lotuslake', $message, extra_info => $extra)",
                {
                    "message": f"register {batch.stream.id}: {len(entries)} files",
                    "extra": json.dumps({"batch_id": batch.batch_id, "run_id": batch.run_id}),
                },
            )

    def _move_fence(self, batch: RegisterBatch, count: int) -> None:
        moved = self._instance.connection.execute(
            f"UPDATE {fence_table(batch.stream)} SET head_seq = head_seq + $count, "
            "epoch = epoch + $epochs, updated_at = now() WHERE head_seq = $head",
            {"count": count, "epochs": int(batch.new_epoch), "head": batch.head.seq},
        ).fetchone()
        if moved != (1,):
            raise LostRaceError(f"another process registered files of {batch.stream.id} first")

    def _make_anew(self, batch: RegisterBatch) -> None:
        columns = batch.columns or self.load_columns(batch.stream)
        self._instance.connection.execute(
            f"CREATE OR REPLACE TABLE {landing_table(batch.stream)} ({_column_list(columns)})"
        )

    def read_url(self, entry: LedgerEntry) -> str:
        """Where the rows of an entry are read, in landing types: the raw object, or our converted copy of it."""
        if entry.data_path is not None:
            return self._copies.url(entry.data_path)
        return self._store.url(entry.file.path)

    def _append_log(self, batch: RegisterBatch, entries: Sequence[LedgerEntry]) -> None:
        connection = self._instance.connection
        rows = [ledger_row(entry) for entry in entries]
        connection.execute(
            load_sql("ledger")["append_entries"],
            {"stream": batch.stream.id, "batch_id": batch.batch_id, "entries": json.dumps(rows, default=str)},
        )
        if batch.findings:
            connection.execute(load_sql("ledger")["record_raised"], raised(batch.findings, is_open=True))
        connection.execute(
            load_sql("ledger")["append_batch"],
            {
                "batch_id": batch.batch_id,
                "run_id": batch.run_id,
                "stream": batch.stream.id,
                "action": "rewrite" if batch.rewrite else "register",
                "files": len(entries),
                "rows": sum(entry.rows or 0 for entry in entries if entry.status in READABLE),
                "size_bytes": sum(entry.file.size_bytes for entry in entries),
                "first_seq": batch.head.seq + 1,
                "last_seq": batch.head.seq + len(entries),
            },
        )

    def _was_committed(self, batch: RegisterBatch) -> bool:
        """Whether the commit stands although it was answered with an error: its reply may have been lost on the way."""
        with translated(f"looking up batch {batch.batch_id}"):
            self._instance.reconnect()
            found = self._instance.connection.execute(load_sql("ledger")["find_batch"], {"batch_id": batch.batch_id})
            return found.fetchall() == [(1,)]

    def _execute(self, stream: Stream, statement: str) -> None:
        with translated(f"changing the columns of {stream.landing_table}"):
            self._instance.connection.execute(statement)


def landing_table(stream: Stream) -> str:
    """The quoted name of a stream's landing table."""
    return f"{LAKE}.landing.{quote_identifier(stream.landing_table)}"


def _column_list(columns: Columns) -> str:
    return ", ".join(f"{quote_identifier(name)} {type_}" for name, type_ in columns)


def _add_column(stream: Stream, change: AddColumn) -> str:
    path = ".".join(quote_identifier(part) for part in change.path)
    return f"ALTER TABLE {landing_table(stream)} ADD COLUMN {path} {change.type}"
