"""Files into a DuckLake table by reference: whole folders by a pattern, the others by name."""

from __future__ import annotations

from collections.abc import Sequence

from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.adapters.duckdb_opening import quote_literal
from lotuslake.adapters.parquet_footers import escape_glob
from lotuslake.adapters.whole_folders import WholeFolders


class FolderChangedError(Exception):
    """A folder did not hold the same files all the time: the transaction must be given up."""


class DuckLakeFiles:
    """Adds files to tables of the schema landing.

    `ducklake_add_data_files` plans and runs a query for each entry of its list, which takes longer than reading a footer.
    A pattern is one entry, however many files it stands for.
    """

    def __init__(self, instance: DuckDbInstance) -> None:
        self._instance = instance
        self._folders = WholeFolders(instance)

    def add(self, table: str, urls: Sequence[str]) -> None:
        """Add the files by name."""
        self._call(table, [escape_glob(url) for url in urls])

    def add_by_folder(self, table: str, urls: Sequence[str]) -> None:
        """Add the files, those of whole folders by a pattern.

        Raises:
            FolderChangedError: a folder was not the same afterwards, so that other files may have come in.
        """
        with self._instance.globbing():
            whole, others = self._folders.divide(urls)
            with self._instance.threads(self._instance.options.threads):
                self._call(table, list(whole))
            changed = [pattern for pattern, files in whole.items() if self._folders.find(pattern) != files]
        if changed:
            raise FolderChangedError
        self.add(table, others)

    def _call(self, table: str, files: Sequence[str]) -> None:
        if files:
            self._instance.connection.execute(
                f"CALL ducklake_add_data_files({quote_literal(LAKE)}, $table, $files, schema => 'landing', "
                "allow_missing => true, ignore_extra_columns => true, hive_partitioning => false)",
                {"table": table, "files": list(files)},
            )
