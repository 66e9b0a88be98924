"""Which of some files are all that their folders hold: those DuckDB takes by one pattern, from one listing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from lotuslake.adapters.duckdb_instance import DuckDbInstance

# A pattern costs listing its folder three times: with 30 ms to the store that is paid back by so many files.
FEWEST = 50
# Folders of a day, a month and a year.
LEVELS = (1, 2, 3)
# In other paths some character may mean something to a pattern or a URL.
_PLAIN = re.compile(r"[\w=./: -]+")


class WholeFolders:
    """Looks into folders by listing them; to be called while the instance is `globbing`."""

    def __init__(self, instance: DuckDbInstance) -> None:
        self._instance = instance

    def divide(self, urls: Iterable[str]) -> tuple[dict[str, list[str]], list[str]]:
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
                elif all(map(_PLAIN.fullmatch, files)) and self.find(pattern) == files:
                    whole[pattern] = files
                else:
                    others += files
        return whole, others + left

    def find(self, pattern: str) -> list[str]:
        """The files that a pattern stands for now."""
        rows = self._instance.connection.execute("SELECT file FROM glob($pattern)", {"pattern": pattern}).fetchall()
        return sorted(file for (file,) in rows)
