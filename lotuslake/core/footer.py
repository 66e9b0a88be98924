"""What a data file's Parquet footer tells before its rows are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lotuslake.core.data_file import DataFile
from lotuslake.core.field_types import ColumnType


@dataclass(frozen=True, slots=True)
class Footer:
    """Columns in file order, row count, and the two facts that delimit a sync's content.

    ``generation_id`` and ``newest_extracted_at`` are None where the file does not tell. ``content_hash`` covers the
    schema and every column chunk's place, size and statistics: the same hash is the same content. ``twins`` are paths of
    columns that share a name but for upper and lower case.
    """

    file: DataFile
    columns: tuple[tuple[str, ColumnType], ...]
    rows: int
    generation_id: int | None = None
    newest_extracted_at: datetime | None = None
    content_hash: str | None = None
    twins: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is there in full and is still no Parquet file."""

    file: DataFile
    reason: str
