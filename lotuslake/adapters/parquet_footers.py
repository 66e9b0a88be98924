"""Footers of many Parquet files at once, read by DuckDB."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from lotuslake.adapters.duckdb_errors import first_line, translate
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.whole_folders import WholeFolders
from lotuslake.core.data_file import DataFile
from lotuslake.core.errors import UnreachableError
from lotuslake.core.field_types import ColumnType
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.names import find_twins
from lotuslake.core.type_text import parse_type
from lotuslake.ports import ObjectStore
from lotuslake.sql import load_sql

S3_THREADS = 32


@dataclass(frozen=True, slots=True)
class _Shape:
    """What files with equal schemas have in common."""

    columns: tuple[tuple[str, ColumnType], ...]
    twins: tuple[tuple[str, ...], ...]


class ParquetFooters:
    """Reads footers of objects in a store; equal schemas are described once."""

    def __init__(self, instance: DuckDbInstance, store: ObjectStore) -> None:
        self._instance = instance
        self._store = store
        self._folders = WholeFolders(instance)
        self._described: dict[str, _Shape] = {}

    def read(self, files: Sequence[DataFile]) -> list[Footer | Unreadable]:
        """Footers in the order of ``files``; a file that is gone by now is left out.

        Raises:
            UnreachableError: the store does not answer, or not in full.
        """
        if not files:
            return []
        try:
            return self._read_all(files)
        except duckdb.Error:
            # One bad file fails the whole list, without saying which one it was.
            found = (self._read_one(file) for file in files)
            return [footer for footer in found if footer is not None]

    def _read_all(self, files: Sequence[DataFile]) -> list[Footer | Unreadable]:
        by_url = {self._store.url(file.path): file for file in files}
        rows = self._fetch_by_folder(list(by_url))
        footers: dict[str, Footer] = {}
        for url, row_count, shape_hash, *facts in rows:
            shape = self._describe(url, shape_hash)
            footers[url] = replace(Footer(by_url[url], shape.columns, row_count, *facts), twins=shape.twins)
        return [footers[url] for url in by_url]

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
            try:
                self._fetch_facts([str(copy)])
            except duckdb.Error as again:
                return Unreadable(file, _reason(again))
        raise translate(error, f"reading {file.path}") or UnreachableError(
            f"could not read {file.path}, although its content is whole: {first_line(error)}"
        )

    def _fetch_by_folder(self, urls: list[str]) -> list[tuple[Any, ...]]:
        """Facts of these files; on S3 of whole folders by a pattern, which spares asking for each object's size."""
        if not urls[0].startswith("s3://"):
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

    def _describe(self, url: str, shape_hash: str) -> _Shape:
        if shape_hash not in self._described:
            sql, file = load_sql("footers"), {"file": escape_glob(url)}
            columns = self._instance.connection.execute(sql["describe"], file).fetchall()
            # DESCRIBE tells the names that DuckDB gives, where two of the file's would be one to it.
            schema = self._instance.connection.execute(sql["schema"], file).fetchall()
            named = {name for name, _ in schema}
            renamed = [(name,) for name, *_ in columns if name not in named]
            self._described[shape_hash] = _Shape(
                tuple((name, parse_type(type_)) for name, type_, *_ in columns), (*find_twins(schema), *renamed)
            )
        return self._described[shape_hash]


def escape_glob(path: str) -> str:
    """A path that DuckDB reads as itself: characters of a pattern stand for themselves in brackets.

    S3 URLs are taken as they are, by the instance's `s3_url_compatibility_mode`.
    """
    if path.startswith("s3://"):
        return path
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def _reason(error: duckdb.Error) -> str:
    text = first_line(error)
    if "too small" in text:
        return "the file is too small to be a Parquet file"
    if "magic bytes" in text:
        return "the file does not end as a Parquet file does; it may be cut off"
    return "the Parquet footer cannot be read; the file may be damaged"
