"""Data files for the in-memory store: JSON in place of Parquet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from lotuslake.core.airbyte_columns import AIRBYTE_COLUMNS
from lotuslake.core.data_file import DataFile
from lotuslake.core.field_types import BIGINT, BOOLEAN, DOUBLE, VARCHAR, ColumnType
from lotuslake.core.file_schema import find_namesakes
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.type_text import parse_type

Row = dict[str, Any]

_TYPES: Mapping[type, ColumnType] = {bool: BOOLEAN, int: BIGINT, float: DOUBLE}
_AIRBYTE = dict(AIRBYTE_COLUMNS)


def data_file(rows: Iterable[Row], columns: Mapping[str, str] | None = None) -> bytes:
    """The body of a data file with these rows; ``columns`` gives types that values do not tell (`{"id": "INTEGER"}`).

    ``_airbyte_extracted_at`` is an ISO text, so that it compares as an instant does.
    """
    return json.dumps({"rows": list(rows), "columns": dict(columns or {})}).encode()


def read_rows(body: bytes) -> list[Row]:
    """The rows of a body made by ``data_file``. Raises ValueError for anything else."""
    rows: list[Row] = json.loads(body)["rows"]
    return rows


def read_footer(file: DataFile, body: bytes) -> Footer | Unreadable:
    """What a Parquet footer would tell."""
    try:
        rows, given = read_rows(body), json.loads(body)["columns"]
    except (ValueError, KeyError, TypeError):
        return Unreadable(file, "the file does not end as a Parquet file does; it may be cut off")
    types: dict[str, ColumnType] = {}
    for row in rows:
        for name, value in row.items():
            types[name] = _AIRBYTE.get(name) or _TYPES.get(type(value), VARCHAR)
    types |= {name: parse_type(text) for name, text in given.items()}
    generations = [row["_airbyte_generation_id"] for row in rows if row.get("_airbyte_generation_id") is not None]
    instants = [row["_airbyte_extracted_at"] for row in rows if row.get("_airbyte_extracted_at") is not None]
    syncs = {(row.get("_airbyte_meta") or {}).get("sync_id") for row in rows}
    return Footer(
        file,
        tuple(types.items()),
        len(rows),
        max(generations, default=None),
        _instant(max(instants, default=None)),
        # A footer's statistics change with the content, whatever the store makes the etag of.
        hashlib.sha256(body).hexdigest(),
        sync_id=syncs.pop() if len(syncs) == 1 else None,
        oldest_extracted_at=_instant(min(instants, default=None)),
        namesakes=tuple(find_namesakes("", list(types))),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
