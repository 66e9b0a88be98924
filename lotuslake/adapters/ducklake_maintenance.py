"""Upkeep of a DuckLake whose landing tables read files that are not its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from lotuslake.adapters.duckdb_errors import translated
from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.adapters.duckdb_opening import quote_literal
from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.errors import LostRaceError
from lotuslake.core.retry import retrying
from lotuslake.core.stream import Stream
from lotuslake.ports import ObjectStore
from lotuslake.sql import load_sql

# A file that a running command has written and not committed yet is no orphan.
ORPHAN_AGE = timedelta(days=1)
# Another machine's maintenance may have scheduled raw objects after ours has spared them, by a clock that is behind.
CLOCK_SKEW = timedelta(hours=1)


class DuckLakeMaintenance:
    """See the port for what the methods promise."""

    def __init__(self, instance: DuckDbInstance, store: ObjectStore) -> None:
        self._instance = instance
        self._store = store

    def merge_small_files(self) -> int:
        # In Postgres the ledger stays inlined: were the reply to the commit of a flush lost, its rows would be too.
        if self._instance.options.is_embedded:
            retrying("writing inlined rows to files", self._flush)
        with translated("listing tables"):
            tables = self._instance.connection.execute(load_sql("maintenance")["own_tables"]).fetchall()
        return sum(self._merge(schema, table) for schema, table in tables)

    def _flush(self) -> None:
        with translated("writing inlined rows to files"):
            self._instance.connection.execute(f"CALL ducklake_flush_inlined_data('{LAKE}')").fetchall()

    def _merge(self, schema: str, table: str) -> bool:
        statement = (
            f"CALL ducklake_merge_adjacent_files('{LAKE}', {quote_literal(table)}, schema => {quote_literal(schema)})"
        )
        try:
            with translated(f"merging files of {schema}.{table}"):
                return bool(self._instance.connection.execute(statement).fetchall())
        except LostRaceError:
            return False  # Somebody is writing to the table: the next maintenance finds it at rest.

    def expire_snapshots(self, before: datetime) -> int:
        with translated("expiring snapshots"):
            gone = self._count("expire", before)
            self._spare_foreign_files()
        return gone

    def clean_up(self, before: datetime) -> int:
        """The cut-off lies before the sparing, so that what is scheduled meanwhile waits for the next time."""
        with translated("deleting files that no snapshot needs"):
            self._spare_foreign_files()
            gone = self._count("clean_up", before - CLOCK_SKEW)
            with self._instance.globbing():
                return gone + self._count("delete_orphans", before - ORPHAN_AGE)

    def delete_expired(self, stream: Stream, entries: Sequence[LedgerEntry]) -> int:
        if not entries:
            return 0
        # An object that was written anew since then is for `register` to take in first.
        there = {(file.path, file.etag) for file in self._store.list_objects(stream.landing_path)}
        going = [entry.file.path for entry in entries if (entry.file.path, entry.file.etag) in there]
        for path in going:
            self._store.delete(path)
        return len(going)

    def _spare_foreign_files(self) -> None:
        root = self._instance.options.data_url.rstrip("/") + "/"
        self._instance.connection.execute(load_sql("maintenance")["spare_foreign_files"], {"data_root": root})

    def _count(self, statement: str, before: datetime) -> int:
        return len(self._instance.connection.execute(load_sql("maintenance")[statement], {"before": before}).fetchall())
