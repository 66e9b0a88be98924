"""Which files a stream's retention lets go; docs/histories.md has the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lotuslake.core.data_file import READABLE, LedgerEntry
from lotuslake.core.finding import Finding
from lotuslake.core.ordering import partition_date
from lotuslake.core.shrinking import least_rows
from lotuslake.core.stream import Stream


@dataclass(frozen=True, slots=True)
class Expiry:
    """``leaving`` and ``staying`` are what landing reads now; ``unread`` old files stay because no model has read them."""

    oldest_kept: date
    leaving: tuple[LedgerEntry, ...]
    staying: tuple[LedgerEntry, ...]
    unread: int

    def is_shrinking(self, stream: Stream) -> bool:
        """Whether landing would fall by more rows than max_shrink allows."""
        staying = _rows(self.staying)
        return staying < least_rows(stream, staying + _rows(self.leaving))

    def finding(self, stream: Stream, now: datetime) -> Finding:
        """What is said of an expiry that is held back. Named by the day that it begins with, so that it may wait."""
        staying, leaving = _rows(self.staying), _rows(self.leaving)
        reason = (
            f"retention_days: {stream.retention_days} would delete {len(self.leaving)} files with {leaving} of "
            f"{staying + leaving} rows: a fall beyond max_shrink waits until somebody accepts it"
        )
        first = min((_day(entry) for entry in self.leaving), default=self.oldest_kept)
        id_ = f"held_back:{stream.id}:expiry:{stream.retention_days}:{first}"
        return Finding(id_, "held_back", stream.id, stream.landing_table, reason, now)


def plan_expiry(stream: Stream, entries: Sequence[LedgerEntry], position: int, now: datetime) -> Expiry:
    """Files older than the stream's retention, by the day of their folder or else of the object.

    ``position`` is the log number up to which the stream's model has read: a deleted file that it has not read would be lost.
    """
    oldest_kept = now.date() - timedelta(days=stream.retention_days or 0)
    standing = [entry for entry in entries if entry.status in READABLE]
    old = [entry for entry in standing if _day(entry) < oldest_kept]
    leaving = [entry for entry in old if entry.seq <= position]
    paths = {entry.file.path for entry in leaving}
    staying = tuple(entry for entry in standing if entry.file.path not in paths)
    return Expiry(oldest_kept, tuple(leaving), staying, len(old) - len(leaving))


def _rows(entries: Sequence[LedgerEntry]) -> int:
    return sum(entry.rows or 0 for entry in entries)


def _day(entry: LedgerEntry) -> date:
    return partition_date(entry.file.path) or entry.file.last_modified_at.date()
