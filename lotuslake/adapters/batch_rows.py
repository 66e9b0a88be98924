"""The rows of a batch's files: each file is brought to the landing types by itself, then they are united.

DuckDB's `union_by_name` finds a type for all files together first: instants in nanoseconds beside ones in microseconds end
9999-12-31, numbers beside text become text, and two columns that nobody declared may have no type in common at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from lotuslake.adapters.duckdb_opening import quote_literal
from lotuslake.adapters.parquet_footers import escape_glob, read_file_schema
from lotuslake.core.conversion import convert
from lotuslake.core.field_types import ColumnType, quote_identifier
from lotuslake.core.names import fold_name
from lotuslake.core.schema_comparison import Columns
from lotuslake.sql import load_sql


def batch_rows(connection: duckdb.DuckDBPyConnection, held: Columns, urls: Sequence[str]) -> list[str]:
    """A SELECT for all files of one shape, with the columns ``held``, in these types; what a file lacks is NULL."""
    return [_select(connection, held, files) for files in _files_by_shape(connection, urls)]


def _files_by_shape(connection: duckdb.DuckDBPyConnection, urls: Sequence[str]) -> list[list[str]]:
    files = [escape_glob(url) for url in urls]
    if len(files) <= 1:
        return [files] if files else []
    rows = connection.execute(load_sql("footers")["shapes"], {"files": files}).fetchall()
    shapes = dict(rows)
    found: dict[str, list[str]] = {}
    for url, file in zip(urls, files, strict=True):
        found.setdefault(shapes[url], []).append(file)
    return list(found.values())


def _select(connection: duckdb.DuckDBPyConnection, held: Columns, files: Sequence[str]) -> str:
    own = {fold_name(name): (name, type_) for name, type_ in read_file_schema(connection, files[0]).columns}
    fields = ", ".join(f"{_field(own, name, type_)} AS {quote_identifier(name)}" for name, type_ in held)
    sources = ", ".join(map(quote_literal, files))
    return f"SELECT {fields} FROM read_parquet([{sources}], hive_partitioning = false)"


def _field(own: dict[str, tuple[str, ColumnType]], name: str, held: ColumnType) -> str:
    if fold_name(name) not in own:
        return f"CAST(NULL AS {held})"
    own_name, own_type = own[fold_name(name)]
    column = quote_identifier(own_name)
    # What an older version of the program registered is read as it did.
    return convert(column, own_type, held, column=name) or f"CAST({column} AS {held})"
