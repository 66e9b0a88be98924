"""Files whose pages cannot be read although their footers can."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from lotuslake.adapters.duckdb_errors import first_line, translate
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.duckdb_opening import quote_literal
from lotuslake.adapters.parquet_footers import escape_glob
from lotuslake.adapters.second_reader import can_be_read
from lotuslake.core.data_file import DataFile, LedgerEntry
from lotuslake.core.field_types import quote_identifier
from lotuslake.core.names import fold_name
from lotuslake.core.schema_comparison import Columns
from lotuslake.core.setting_aside import UNREADABLE
from lotuslake.ports import ObjectStore


class UnreadablePages:
    """Reads whole objects, each from a copy and with a DuckDB of its own: an error of its own ends nothing else."""

    def __init__(self, instance: DuckDbInstance, store: ObjectStore) -> None:
        self._instance = instance
        self._store = store

    def find(self, entries: Sequence[LedgerEntry], columns: Columns) -> list[tuple[LedgerEntry, str]]:
        """Raw objects of these entries that cannot be read, each with the reason; copies of our own are not looked at."""
        found = []
        for entry in entries:
            reason = self.find_reason(entry.file, columns) if entry.data_path is None else None
            if reason is not None:
                found.append((entry, reason))
        return found

    def find_reason(self, file: DataFile, columns: Columns) -> str | None:
        """Why the columns that are wanted cannot be read; None where they can, or the object is no longer the same.

        Raises:
            UnreachableError: it cannot be had in full.
            ConfigError: to read it takes more memory than is granted.
        """
        now = self._store.head(file.path)
        if now is None or (now.etag, now.size_bytes) != (file.etag, file.size_bytes):
            return None
        with tempfile.TemporaryDirectory(dir=self._instance.options.temp_dir) as folder:
            copy = Path(folder) / "object.parquet"
            self._store.fetch(file.path, copy)
            return self._read(file.path, copy, {fold_name(name) for name, _ in columns})

    def _read(self, path: str, copy: Path, wanted: set[str]) -> str | None:
        source = f"read_parquet({quote_literal(escape_glob(str(copy)))}, hive_partitioning = false)"
        for name in self._names(source):
            if fold_name(name) not in wanted:
                continue
            try:
                with self._opened() as connection:
                    # A hash needs every value whole; a count would not look at them.
                    connection.execute(f"SELECT bit_xor(hash({quote_identifier(name)})) FROM {source}").fetchall()
            except duckdb.Error as error:
                if isinstance(error, duckdb.OutOfMemoryException) and can_be_read(str(copy), name):
                    raise translate(error, f"reading column {name} of {path}") or error from error
                return f"{UNREADABLE}column {name} {_trouble(error)}"
        return None

    def _names(self, source: str) -> list[str]:
        with self._opened() as connection:
            return [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]

    @contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        memory = f"{self._instance.options.memory_limit_bytes // 1024**2}MiB"
        with duckdb.connect(config={"memory_limit": memory, "threads": 1}) as connection:
            yield connection


def _trouble(error: duckdb.Error) -> str:
    """DuckDB's own message may hold a value, so it is not repeated."""
    text = first_line(error).lower()
    if "utf" in text or "string encoding" in text:
        return "holds text that is not UTF-8"
    return "is damaged, or packed in a way that DuckDB does not read"
