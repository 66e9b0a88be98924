"""What a data file's Parquet footer tells before its rows are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lotuslake.core.data_file import DataFile
from lotuslake.core.field_types import ColumnType
from lotuslake.core.file_schema import Namesakes


@dataclass(frozen=True, slots=True)
class Footer:
    """Columns in file order, row count, and the facts that delimit a sync's content.

    ``generation_id``, ``newest_extracted_at``, ``oldest_extracted_at`` and ``sync_id`` are None where the file does not tell;
    ``sync_id`` also where its rows are of several syncs. ``content_hash`` covers the schema and every column chunk's place,
    size and statistics: the same hash is the same content. ``namesakes`` are names that the engine would take for one
    another.
    """

    file: DataFile
    columns: tuple[tuple[str, ColumnType], ...]
    rows: int
    generation_id: int | None = None
    newest_extracted_at: datetime | None = None
    content_hash: str | None = None
    sync_id: int | None = None
    oldest_extracted_at: datetime | None = None
    namesakes: tuple[Namesakes, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is there in full and is still no Parquet file."""

    file: DataFile
    reason: str
