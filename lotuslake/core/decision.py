"""What becomes of each file of a registration batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lotuslake.core.data_file import DataFile, FileStatus, LedgerEntry
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.schema_comparison import ByCopy, Columns, Refused, Verdict, compare_columns
from lotuslake.core.stream import Stream

ALWAYS_REQUIRED = ("_airbyte_raw_id", "_airbyte_extracted_at")


@dataclass(frozen=True, slots=True)
class Decision:
    """``conversions`` (landing column, SQL expression) is set for files that are copied; ``reason`` for those quarantined."""

    file: DataFile
    status: FileStatus
    rows: int | None = None
    reason: str | None = None
    conversions: tuple[tuple[str, str], ...] = ()
    generation_id: int | None = None
    newest_extracted_at: datetime | None = None
    content_hash: str | None = None


def decide(stream: Stream, landing: Columns, inspected: Sequence[Footer | Unreadable]) -> list[Decision]:
    """One decision a file: by reference, by converting copy, empty, or quarantined with the reason."""
    required = (*ALWAYS_REQUIRED, *stream.primary_key)
    verdicts: dict[int, Verdict] = {}

    def judge(found: Footer) -> Verdict:
        # Files of one shape share one tuple of columns, so a batch is compared once a shape.
        if id(found.columns) not in verdicts:
            verdicts[id(found.columns)] = compare_columns(
                found.columns, landing, required, twins=found.twins, always_copy=stream.landing == "copy"
            )
        return verdicts[id(found.columns)]

    return [_decide_one(found, judge) for found in inspected]


def _decide_one(found: Footer | Unreadable, judge: Callable[[Footer], Verdict]) -> Decision:
    if isinstance(found, Unreadable):
        return Decision(found.file, FileStatus.QUARANTINED, reason=found.reason)
    if found.rows == 0:
        return Decision(found.file, FileStatus.EMPTY, rows=0, content_hash=found.content_hash)
    verdict = judge(found)
    if isinstance(verdict, Refused):
        return Decision(found.file, FileStatus.QUARANTINED, rows=found.rows, reason=verdict.reason)
    return Decision(
        found.file,
        FileStatus.COPIED if isinstance(verdict, ByCopy) else FileStatus.REGISTERED,
        rows=found.rows,
        conversions=verdict.columns if isinstance(verdict, ByCopy) else (),
        generation_id=found.generation_id,
        newest_extracted_at=found.newest_extracted_at,
        content_hash=found.content_hash,
    )


def to_entry(decision: Decision, seq: int, data_path: str | None = None) -> LedgerEntry:
    """The ledger entry that records a decision."""
    return LedgerEntry(
        seq=seq,
        file=decision.file,
        status=decision.status,
        rows=decision.rows,
        reason=decision.reason,
        data_path=data_path,
        generation_id=decision.generation_id,
        newest_extracted_at=decision.newest_extracted_at,
        content_hash=decision.content_hash,
    )
