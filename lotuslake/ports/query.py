"""Asking the lake a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """Column names and rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Query(Protocol):
    """Reads only."""

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Answer:
        """Run one statement; tables are named `schema.table`.

        Raises:
            ConfigError: the statement is wrong, does more than read, or there is no lake yet.
            CrashError: DuckDB did not survive it.
        """
