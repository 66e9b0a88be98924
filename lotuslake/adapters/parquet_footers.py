"""Footers of many Parquet files at once, read by DuckDB."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from lotuslake.adapters.duckdb_errors import first_line, translate
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.parquet_rows import ask_rows
from lotuslake.adapters.second_reader import can_be_read
from lotuslake.adapters.whole_folders import WholeFolders
from lotuslake.core.data_file import DataFile
from lotuslake.core.errors import StatementError, UnreachableError
from lotuslake.core.file_schema import FileSchema, SchemaElement, read_schema
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.type_text import parse_type
from lotuslake.ports import ObjectStore
from lotuslake.sql import load_sql

S3_THREADS = 32
# What DuckDB 1.5.5 unpacks. Airbyte's destination offers LZO and LZ4 (Hadoop's) too.
UNREADABLE_PAGES = "the footer is whole, but the pages behind it cannot be read; the file may be damaged"
DEADLY = "DuckDB itself fails on its footer; the file may be damaged"
# After one of these the database answers nothing any more.
_OWN_ERRORS = (duckdb.InternalException, duckdb.FatalException)
CODECS = frozenset({"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "BROTLI", "LZ4_RAW"})


class ParquetFooters:
    """Reads footers of objects in a store; equal schemas are described once."""

    def __init__(self, instance: DuckDbInstance, store: ObjectStore) -> None:
        self._instance = instance
        self._store = store
        self._folders = WholeFolders(instance)
        self._described: dict[str, FileSchema] = {}

    def read(self, files: Sequence[DataFile]) -> list[Footer | Unreadable]:
        """Footers in the order of ``files``; a file that is gone by now is left out.

        Raises:
            UnreachableError: the store does not answer, or not in full.
            StatementError: a statement of ours fails on a file that another one reads.
        """
        if not files:
            return []
        try:
            return self._read_all(files)
        except _OWN_ERRORS:
            self._instance.restart()
            return self._read_without_deadly(files)
        except duckdb.Error:
            # One bad file fails the whole list, without saying which one it was.
            found = (self._read_one(file) for file in files)
            return [footer for footer in found if footer is not None]

    def _read_without_deadly(self, files: Sequence[DataFile]) -> list[Footer | Unreadable]:
        """Footers, where one of the files makes DuckDB itself fail: that is found with a DuckDB of its own for each."""
        deadly = {file.path: Unreadable(file, DEADLY) for file in files if self._is_deadly(file)}
        if not deadly:
            raise UnreachableError(f"DuckDB failed while it read {len(files)} footers, and none of them is the cause")
        others = {found.file.path: found for found in self.read([file for file in files if file.path not in deadly])}
        found = others | deadly
        return [found[file.path] for file in files if file.path in found]

    def _is_deadly(self, file: DataFile) -> bool:
        with tempfile.TemporaryDirectory(dir=self._instance.options.temp_dir) as folder:
            copy = Path(folder) / "object.parquet"
            self._store.fetch(file.path, copy)
            with duckdb.connect() as apart:
                try:
                    apart.execute(load_sql("footers")["facts"], {"files": [escape_glob(str(copy))]}).fetchall()
                    read_file_schema(apart, escape_glob(str(copy)))
                except _OWN_ERRORS:
                    return True
                except duckdb.Error:
                    return False  # It is judged by itself.
        return False

    def _read_all(self, files: Sequence[DataFile]) -> list[Footer | Unreadable]:
        by_url = {self._store.url(file.path): file for file in files}
        rows = self._fetch_by_folder(list(by_url))
        footers = {url: self._tell(self._footer(by_url[url], url, *facts), url) for url, *facts in rows}
        return [footers[url] for url in by_url]

    def _tell(self, found: Footer | Unreadable, url: str) -> Footer | Unreadable:
        """With what the footer leaves to the rows."""
        return ask_rows(self._instance.connection, escape_glob(url), found) if isinstance(found, Footer) else found

    def _footer(self, file: DataFile, url: str, rows: int, shape: str, *facts: Any) -> Footer | Unreadable:
        """What a row of the statement `facts` says of the file at ``url``."""
        *told, codecs = facts
        unknown = sorted(set(codecs) - CODECS)
        if unknown:
            return Unreadable(
                file,
                f"it is compressed with {unknown[0]}, which DuckDB does not read; "
                "choose SNAPPY, GZIP or ZSTD in the destination's settings",
            )
        schema = self._describe(url, shape)
        return replace(Footer(file, schema.columns, rows, *told), namesakes=schema.namesakes)

    def _read_one(self, file: DataFile) -> Footer | Unreadable | None:
        try:
            return self._read_all([file])[0]
        except duckdb.Error as error:
            now = self._store.head(file.path)
            if now is None or (now.etag, now.size_bytes) != (file.etag, file.size_bytes):
                return None  # It changed since it was listed: the next listing shows it as it is.
            return self._confirm(file, error)

    def _confirm(self, file: DataFile, error: duckdb.Error) -> Unreadable:
        """Read the whole object by another way: only what is bad there too is the file's own fault."""
        with tempfile.TemporaryDirectory(dir=self._instance.options.temp_dir) as folder:
            copy = Path(folder) / "object.parquet"
            self._store.fetch(file.path, copy)
            reason = self._find_fault(file, str(copy))
        if reason is not None:
            return Unreadable(file, reason)
        raise translate(error, f"reading {file.path}") or UnreachableError(
            f"could not read {file.path}, although its content is whole: {first_line(error)}"
        )

    def _find_fault(self, file: DataFile, copy: str) -> str | None:
        """Why a file is no good, None if it is; what trips our own statement alone is no fault of the file."""
        connection = self._instance.connection
        try:
            for name in ("plain", "elements", "describe"):
                connection.execute(load_sql("footers")[name], {"file": escape_glob(copy)}).fetchall()
        except duckdb.Error as error:
            _require_memory(error, file, copy)
            return _reason(error)
        try:
            [(_, *facts)] = self._fetch_facts([copy])
            found = self._footer(file, copy, *facts)
        except duckdb.Error as error:
            _require_memory(error, file, copy)
            raise StatementError(
                f"the statement footers.facts fails on {file.path}, which other statements read: {type(error).__name__}. "
                "This is an error of lotuslake, not of the file; nothing was decided about it"
            ) from error
        if isinstance(found, Unreadable):
            return found.reason
        try:
            ask_rows(connection, escape_glob(copy), found)
        except duckdb.Error as error:
            _require_memory(error, file, copy)
            return UNREADABLE_PAGES
        return None

    def _fetch_by_folder(self, urls: list[str]) -> list[tuple[Any, ...]]:
        """Facts of these files; on S3 of whole folders by a pattern, which spares asking for each object's size."""
        if len(urls) == 1 or not urls[0].startswith("s3://"):
            return self._fetch_facts(urls)
        with self._instance.globbing():
            whole, _ = self._folders.divide(urls)
            by_pattern = self._execute_facts(list(whole)) if whole else []
        found = {row[0]: row for row in by_pattern}
        left = [url for url in urls if url not in found]
        return [found[url] for url in urls if url in found] + (self._fetch_facts(left) if left else [])

    def _fetch_facts(self, urls: list[str]) -> list[tuple[Any, ...]]:
        return self._execute_facts([escape_glob(url) for url in urls])

    def _execute_facts(self, patterns: list[str]) -> list[tuple[Any, ...]]:
        on_s3 = any(pattern.startswith("s3://") for pattern in patterns)
        with self._instance.threads(S3_THREADS if on_s3 else self._instance.options.threads):
            return self._instance.connection.execute(load_sql("footers")["facts"], {"files": patterns}).fetchall()

    def _describe(self, url: str, shape: str) -> FileSchema:
        if shape not in self._described:
            self._described[shape] = read_file_schema(self._instance.connection, escape_glob(url))
        return self._described[shape]


def read_file_schema(connection: duckdb.DuckDBPyConnection, file: str) -> FileSchema:
    """A file's columns, by DuckDB's names, and what its own schema says beyond them."""
    described = connection.execute(load_sql("footers")["describe"], {"file": file}).fetchall()
    elements = connection.execute(load_sql("footers")["elements"], {"file": file}).fetchall()
    return read_schema(
        [(name, parse_type(type_)) for name, type_, *_ in described], [SchemaElement(*row) for row in elements]
    )


def escape_glob(path: str) -> str:
    """A path that DuckDB reads as itself: characters of a pattern stand for themselves in brackets.

    S3 URLs are taken as they are, by the instance's `s3_url_compatibility_mode`.
    """
    if path.startswith("s3://"):
        return path
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def _require_memory(error: duckdb.Error, file: DataFile, copy: str) -> None:
    """Raises ConfigError where memory is wanting and another reader finds no fault with the file."""
    if isinstance(error, duckdb.OutOfMemoryException) and can_be_read(copy):
        raise translate(error, f"reading {file.path}") or error from error


def _reason(error: duckdb.Error) -> str:
    text = first_line(error)
    if "too small" in text:
        return "the file is too small to be a Parquet file"
    if "magic bytes" in text:
        return "the file does not end as a Parquet file does; it may be cut off"
    return "the Parquet footer cannot be read; the file may be damaged"
