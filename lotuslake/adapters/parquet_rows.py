"""What a footer does not tell, from the rows: statistics are optional."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb

from lotuslake.adapters.duckdb_opening import quote_literal
from lotuslake.core.field_types import Scalar, Struct
from lotuslake.core.footer import Footer
from lotuslake.core.names import fold_name
from lotuslake.core.scalar_conversion import EXTRACTED_AT, INSTANTS, WHOLE

GENERATION_ID = "_airbyte_generation_id"
RAW_ID = "_airbyte_raw_id"
META = "_airbyte_meta"
SYNC_ID = "sync_id"
SYNC_IDS = frozenset(map(Scalar, WHOLE))


def ask_rows(connection: duckdb.DuckDBPyConnection, file: str, footer: Footer) -> Footer:
    """The footer with every fact that its statistics lack; ``file`` is what DuckDB reads.

    A column that the file lacks, and a value of another kind, tell nothing: comparing the types judges them.
    """
    asked = {fact: question for fact, question in _questions(footer) if getattr(footer, fact) is None}
    if not asked or not footer.rows:
        return footer
    source = f"read_parquet({quote_literal(file)}, hive_partitioning = false)"
    row = connection.execute(f"SELECT {', '.join(asked.values())} FROM {source}").fetchone()
    told: dict[str, Any] = dict(zip(asked, row or (), strict=True))
    if told.get("content_hash") is not None:
        content = f"{footer.columns}|{footer.rows}|{told['content_hash']}"
        told["content_hash"] = hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
    return replace(footer, **told)


def _questions(footer: Footer) -> Iterator[tuple[str, str]]:
    """Facts of a footer and the aggregate of the rows that answers each."""
    types = {fold_name(name): type_ for name, type_ in footer.columns}
    if isinstance(types.get(GENERATION_ID), Scalar):
        yield "generation_id", f"max(TRY_CAST({GENERATION_ID} AS BIGINT))"
    extracted_at = types.get(EXTRACTED_AT)
    if isinstance(extracted_at, Scalar):
        instant = _instant(extracted_at.name)
        yield "newest_extracted_at", f"max({instant})"
        yield "oldest_extracted_at", f"CASE WHEN count({instant}) = count(*) THEN min({instant}) END"
    if RAW_ID in types:
        # Random as they are, they tell one content from another.
        text = f"CAST({RAW_ID} AS VARCHAR)"
        yield "content_hash", f"md5(string_agg(md5({text}), '' ORDER BY {text}))"
    meta = types.get(META)
    if isinstance(meta, Struct) and any(
        fold_name(name) == SYNC_ID and type_ in SYNC_IDS for name, type_ in meta.fields
    ):
        id_ = f"({META}).{SYNC_ID}"
        yield "sync_id", f"CASE WHEN count({id_}) = count(*) AND min({id_}) = max({id_}) THEN min({id_}) END"


def _instant(type_: str) -> str:
    if type_ in WHOLE:
        return f"TRY(make_timestamp(CAST({EXTRACTED_AT} AS BIGINT) * 1000))"
    if type_ in INSTANTS:
        return f"TRY_CAST({EXTRACTED_AT} AS TIMESTAMP)"
    return f"TRY_CAST(TRY_CAST({EXTRACTED_AT} AS TIMESTAMPTZ) AS TIMESTAMP)"
