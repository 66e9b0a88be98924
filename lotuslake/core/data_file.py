"""Data files as the object store lists them, and what the ledger knows of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class DataFile:
    """One object below a stream's landing path.

    ``path`` is relative to the landing root, with `/` between its parts, exactly as stored.
    """

    path: str
    size_bytes: int
    etag: str
    last_modified_at: datetime


class FileStatus(StrEnum):
    """What became of a data file; the values stand in `meta.files.status`."""

    REGISTERED = "registered"
    COPIED = "copied"
    EMPTY = "empty"
    QUARANTINED = "quarantined"
    SUPERSEDED = "superseded"
    MISSING = "missing"
    EXPIRED = "expired"


READABLE = frozenset({FileStatus.REGISTERED, FileStatus.COPIED})
GONE = frozenset({FileStatus.MISSING, FileStatus.EXPIRED, FileStatus.SUPERSEDED})


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The newest row of `meta.files` for one path.

    ``seq`` orders the entries of a stream. ``data_path`` is where the rows are read: a URL or path of our own copy, or
    None for the raw object itself. ``rows`` is None where the file could not be read. For ``sync_id`` and the two instants see
    Footer; entries that an older program wrote lack them. ``readable_seq`` is the first log number under which the rows
    could be read, 0 where there was none.
    """

    seq: int
    file: DataFile
    status: FileStatus
    rows: int | None = None
    reason: str | None = None
    data_path: str | None = None
    generation_id: int | None = None
    newest_extracted_at: datetime | None = None
    content_hash: str | None = None
    sync_id: int | None = None
    oldest_extracted_at: datetime | None = None
    batch_id: str = ""
    recorded_at: datetime | None = None
    readable_seq: int = 0

    @property
    def written_at(self) -> datetime:
        """When the object was written; whatever its store says, it was there when it was recorded."""
        written_at = self.file.last_modified_at
        return written_at if self.recorded_at is None else min(written_at, self.recorded_at)
