"""Asking the lake a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """Column names and rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Streamed:
    """Column names, and the rows as they come."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


class Query(Protocol):
    """Reads only."""

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Answer:
        """Run one statement; tables are named `schema.table`.

        Raises:
            ConfigError: the statement is wrong, does more than read, or there is no lake yet.
            CrashError: DuckDB did not survive it.
        """


class LargeQuery(Query, Protocol):
    """As Query, for answers that memory need not hold."""

    def stream(self, sql: str) -> AbstractContextManager[Streamed]:
        """As `ask`, for as long as the context lasts."""

    def save(self, sql: str, path: Path) -> int:
        """Write the answer to a Parquet file, with DuckDB's own types; returns the number of rows.

        Raises:
            ConfigError: as `ask`, or the file cannot be written there.
            DiskFullError: the file does not fit.
        """
