"""Files into a DuckLake table by reference: whole folders by a pattern, the others by name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.adapters.duckdb_opening import quote_literal
from lotuslake.adapters.parquet_footers import escape_glob

# A pattern costs listing its folder three times: with 30 ms to the store that is paid back by so many files.
FEWEST = 50
# Folders of a day, a month and a year.
LEVELS = (1, 2, 3)
# In other paths some character may mean something to a pattern or a URL.
_PLAIN = re.compile(r"[\w=./: -]+")


class FolderChangedError(Exception):
    """A folder did not hold the same files all the time: the transaction must be given up."""


class DuckLakeFiles:
    """Adds files to tables of the schema landing.

    `ducklake_add_data_files` plans and runs a query for each entry of its list, which takes longer than reading a footer.
    A pattern is one entry, however many files it stands for.
    """

    def __init__(self, instance: DuckDbInstance) -> None:
        self._instance = instance

    def add(self, table: str, urls: Sequence[str]) -> None:
        """Add the files by name."""
        self._call(table, [escape_glob(url) for url in urls])

    def add_by_folder(self, table: str, urls: Sequence[str]) -> None:
        """Add the files, those of whole folders by a pattern.

        Raises:
            FolderChangedError: a folder was not the same afterwards, so that other files may have come in.
        """
        with self._instance.globbing():
            whole, others = self._divide(urls)
            with self._instance.threads(self._instance.options.threads):
                self._call(table, list(whole))
            changed = [pattern for pattern, files in whole.items() if self._find(pattern) != files]
        if changed:
            raise FolderChangedError
        self.add(table, others)

    def _divide(self, urls: Iterable[str]) -> tuple[dict[str, list[str]], list[str]]:
        """Patterns with the files that they stand for, and the other files."""
        whole: dict[str, list[str]] = {}
        others: list[str] = []
        left = list(urls)
        for level in LEVELS:
            folders: dict[str, list[str]] = defaultdict(list)
            for url in left:
                folders[url.rsplit("/", level)[0]].append(url)
            left = []
            for folder, inside in folders.items():
                pattern, files = folder + "/*" * level, sorted(inside)
                if len(files) < FEWEST:
                    left += files
                elif all(map(_PLAIN.fullmatch, files)) and self._find(pattern) == files:
                    whole[pattern] = files
                else:
                    others += files
        return whole, others + left

    def _find(self, pattern: str) -> list[str]:
        rows = self._instance.connection.execute("SELECT file FROM glob($pattern)", {"pattern": pattern}).fetchall()
        return sorted(file for (file,) in rows)

    def _call(self, table: str, files: Sequence[str]) -> None:
        if files:
            self._instance.connection.execute(
                f"CALL ducklake_add_data_files({quote_literal(LAKE)}, $table, $files, schema => 'landing', "
                "allow_missing => true, ignore_extra_columns => true, hive_partitioning => false)",
                {"table": table, "files": list(files)},
            )
