"""Why a catalog cannot be opened: the message for each of DuckDB's, and no advice that could cost a lake."""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb

from lotuslake.adapters.duckdb_errors import hear
from lotuslake.adapters.duckdb_opening import quote_literal
from lotuslake.core.errors import ConfigError

NO_LAKE = "creating a new DuckLake is explicitly disabled"
NAME_THE_CATALOG = "set it to the catalog of this lake, or to a file that is not there yet for a new one"
RESTORE = "restore it from a backup, or recover it with the DuckDB version that wrote it"
# The texts are those of DuckDB 1.5.5 and its DuckLake extension, seen with a file of each kind.
_FILES: Mapping[str, str] = {
    r"is not a valid DuckDB database file": f"is no DuckDB file: {NAME_THE_CATALOG}",
    r"Could not read from file [^\n]*: Is a directory": f"is a folder: {NAME_THE_CATALOG}",
    r'Extension "[^"]*sqlite_scanner': f"is an SQLite database: {NAME_THE_CATALOG}",
    r"Cannot open encrypted database": f"is an encrypted database: {NAME_THE_CATALOG}",
    r"created with an newer version of DuckDB": (
        "was written by a newer DuckDB than this program has: run the lotuslake that wrote it, or a newer one"
    ),
    r"Corrupt database file|Could not read enough bytes from file": f"is damaged: {RESTORE}",
}
_VERSION = re.compile(r"catalog version is (?P<theirs>\S+), but the extension requires version (?P<ours>[\d.]+)")


def explain_catalog(error: duckdb.Error, catalog: str) -> ConfigError | None:
    """What is wrong with the catalog itself; None where it is something else, such as a service that does not answer."""
    text = hear(str(error)).text
    version = _VERSION.search(text)
    if version:
        return ConfigError(
            f"LOTUSLAKE_CATALOG_URL: {catalog} is a catalog of DuckLake {version['theirs']}, "
            f"this program reads {version['ours']}: run the lotuslake that wrote it"
        )
    told = next((message for pattern, message in _FILES.items() if re.search(pattern, text)), None)
    return ConfigError(f"LOTUSLAKE_CATALOG_URL: {catalog} {told}") if told else None


def refuse_foreign_database(connection: duckdb.DuckDBPyConnection, catalog: str) -> None:
    """Raise ConfigError for a DuckDB file that holds something and no lake: a lake would be made among another's tables."""
    connection.execute(f"ATTACH {quote_literal(catalog)} AS looked_at (READ_ONLY)")
    try:
        found = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'looked_at' "
            "UNION ALL SELECT view_name FROM duckdb_views() WHERE database_name = 'looked_at' AND NOT internal ORDER BY ALL"
        ).fetchall()
    finally:
        connection.execute("DETACH looked_at")
    if found:
        raise ConfigError(
            f"LOTUSLAKE_CATALOG_URL: {catalog} is a DuckDB database with tables of its own, such as {found[0][0]}, and no "
            f"catalog of a lake: {NAME_THE_CATALOG}"
        )
