"""What a footer does not tell, from the rows: statistics are optional."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import duckdb

from lotuslake.adapters.duckdb_opening import quote_literal
from lotuslake.core.field_types import Scalar, quote_identifier
from lotuslake.core.footer import Footer
from lotuslake.core.names import fold_name
from lotuslake.core.scalar_conversion import EXTRACTED_AT, INSTANTS, WHOLE

GENERATION_ID = "_airbyte_generation_id"
RAW_ID = "_airbyte_raw_id"


def ask_rows(connection: duckdb.DuckDBPyConnection, file: str, footer: Footer) -> Footer:
    """The footer with every fact that its statistics lack; ``file`` is what DuckDB reads.

    A column that the file lacks, and a value of another kind, tell nothing: comparing the types judges them.
    """
    told: dict[str, Any] = {
        GENERATION_ID: footer.generation_id,
        EXTRACTED_AT: footer.newest_extracted_at,
        RAW_ID: footer.content_hash,
    }
    types = {fold_name(name): type_ for name, type_ in footer.columns if isinstance(type_, Scalar)}
    asked = {name: _aggregate(name, types[name]) for name in told if told[name] is None and name in types}
    if not asked or not footer.rows:
        return footer
    source = f"read_parquet({quote_literal(file)}, hive_partitioning = false)"
    row = connection.execute(f"SELECT {', '.join(asked.values())} FROM {source}").fetchone()
    told |= dict(zip(asked, row or (), strict=True))
    if RAW_ID in asked and told[RAW_ID] is not None:
        content = f"{footer.columns}|{footer.rows}|{told[RAW_ID]}"
        told[RAW_ID] = hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
    return replace(
        footer,
        generation_id=told[GENERATION_ID],
        newest_extracted_at=told[EXTRACTED_AT],
        content_hash=told[RAW_ID],
    )


def _aggregate(name: str, type_: Scalar) -> str:
    column = quote_identifier(name)
    if name == RAW_ID:
        # Random as they are, they tell one content from another.
        return f"md5(string_agg(md5(CAST({column} AS VARCHAR)), '' ORDER BY CAST({column} AS VARCHAR)))"
    if name == GENERATION_ID:
        return f"max(TRY_CAST({column} AS BIGINT))"
    if type_.name in WHOLE:
        return f"max(TRY(make_timestamp(CAST({column} AS BIGINT) * 1000)))"
    if type_.name in INSTANTS:
        return f"max(TRY_CAST({column} AS TIMESTAMP))"
    return f"max(TRY_CAST(TRY_CAST({column} AS TIMESTAMPTZ) AS TIMESTAMP))"
