"""The view that a processed model reads: the rows of some entries of the log, as the stream declares them."""

from __future__ import annotations

from collections.abc import Sequence

from lotuslake.core.airbyte_columns import declared_columns
from lotuslake.core.field_types import TIMESTAMP, ColumnType, quote_identifier
from lotuslake.core.schema_comparison import Columns
from lotuslake.core.stream import Stream
from lotuslake.core.version_columns import MARK, name_version_columns


def landing_view(stream: Stream, columns: Columns, selects: Sequence[str], *, marked: bool = True) -> str:
    """The statement that makes it: declared types, with the columns that tell versions apart.

    ``columns`` are the landing table's, ``selects`` give the rows in the types of `held_columns`. Fields stand under their own
    names, what tells versions apart under names that no field can have, unless the project's macros are older than these.
    """
    declared = declared_columns(stream)
    held = dict(held_columns(stream, columns))
    typed = ", ".join(f"CAST(NULL AS {type_}) AS {quote_identifier(name)}" for name, type_ in held.items())
    rows = " UNION ALL BY NAME ".join([f"SELECT {typed} WHERE false", *selects])
    fields = ", ".join(_normalised(name, type_, held[name]) for name, type_ in declared)
    everything = ", ".join(["*", *_version_columns(stream, MARK if marked else "")])
    view = f"memory.main.{quote_identifier(stream.landing_table)}"
    return f"CREATE OR REPLACE VIEW {view} AS WITH landed AS (SELECT {fields} FROM ({rows})) SELECT {everything} FROM landed"


def held_columns(stream: Stream, columns: Columns) -> Columns:
    """The declared columns in the types that the landing table holds them in."""
    held = dict(columns)
    return tuple((name, held.get(name, type_)) for name, type_ in declared_columns(stream))


def _normalised(name: str, declared: ColumnType, held: ColumnType) -> str:
    column = quote_identifier(name)
    if declared == TIMESTAMP and str(held) == "BIGINT":
        return f"CAST(make_timestamp({column} * 1000) AS TIMESTAMP) AS {column}"
    return f"CAST({column} AS {declared}) AS {column}"


def _version_columns(stream: Stream, mark: str) -> list[str]:
    names = name_version_columns(stream)
    deleted = f"{quote_identifier(stream.tombstone_field or '')} IS NOT NULL"
    found = [
        (names.cursor, quote_identifier(stream.cursor_field or "")),
        (names.is_deleted, deleted),
        (names.deleted_extracted_at, f"CASE WHEN {deleted} THEN _airbyte_extracted_at END"),
        (names.deleted_raw_id, f"CASE WHEN {deleted} THEN _airbyte_raw_id END"),
    ]
    return [f"{expression} AS {quote_identifier(mark + name)}" for name, expression in found if name is not None]
