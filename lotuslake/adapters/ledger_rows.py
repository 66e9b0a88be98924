"""Rows of the ledger as the values that they stand for, and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lotuslake.core.data_file import DataFile, FileStatus, LedgerEntry
from lotuslake.core.finding import Finding, FindingKind
from lotuslake.core.ordering import partition_date


def entry_of(row: tuple[Any, ...]) -> LedgerEntry:
    """A row of `load_entries`."""
    seq, path, etag, size_bytes, last_modified, rows, status, reason, batch_id, recorded_at, *more = row
    data_path, generation_id, newest_extracted_at, content_hash, sync_id, oldest_extracted_at, readable_seq = more
    return LedgerEntry(
        seq=seq,
        file=DataFile(path, size_bytes, etag, aware(last_modified) or datetime.min.replace(tzinfo=UTC)),
        status=FileStatus(status),
        rows=rows,
        reason=reason,
        data_path=data_path,
        generation_id=generation_id,
        newest_extracted_at=aware(newest_extracted_at),
        content_hash=content_hash,
        sync_id=sync_id,
        oldest_extracted_at=aware(oldest_extracted_at),
        batch_id=batch_id,
        recorded_at=aware(recorded_at),
        readable_seq=readable_seq,
    )


def finding_of(id_: str, kind: FindingKind, stream: str, subject: str, reason: str, since_at: datetime) -> Finding:
    """A row of `findings`."""
    return Finding(id_, kind, stream, subject, reason, aware(since_at))


def raised(findings: Sequence[Finding], *, is_open: bool) -> dict[str, Any]:
    """Parameters that open or close findings in `meta.raised`."""
    return {
        "id": [finding.id for finding in findings],
        "kind": [finding.kind for finding in findings],
        "stream": [finding.stream for finding in findings],
        "subject": [finding.subject for finding in findings],
        "reason": [finding.reason for finding in findings],
        "is_open": is_open,
    }


def aware(moment: datetime | None) -> datetime | None:
    """The moment in UTC; one that names no zone is in UTC already."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def ledger_row(entry: LedgerEntry) -> dict[str, Any]:
    """What `append_entries` writes of an entry."""
    return {
        "seq": entry.seq,
        "path": entry.file.path,
        "etag": entry.file.etag,
        "size_bytes": entry.file.size_bytes,
        "last_modified": entry.file.last_modified_at,
        "rows": entry.rows,
        "status": entry.status.value,
        "reason": entry.reason,
        "partition_date": partition_date(entry.file.path),
        "data_path": entry.data_path,
        "generation_id": entry.generation_id,
        "newest_extracted_at": entry.newest_extracted_at,
        "content_hash": entry.content_hash,
        "sync_id": entry.sync_id,
        "oldest_extracted_at": entry.oldest_extracted_at,
    }
