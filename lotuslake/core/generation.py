"""Which sync's content a full-refresh stream shows: its newest complete generation.

Generation ids belong to one Airbyte connection and start again with a new one, so they delimit a sync's files and never
order them: the order is that of extraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from lotuslake.core.data_file import READABLE, LedgerEntry
from lotuslake.core.stream import Stream

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Generation:
    """Files of one generation, those that still stand, in the order of the log."""

    id: int | None
    entries: tuple[LedgerEntry, ...]

    @property
    def newest_file_at(self) -> datetime:
        """When its last file was written."""
        return max(entry.file.last_modified_at for entry in self.entries)

    @property
    def rows(self) -> int:
        """Rows in its files; a key that was written twice counts twice."""
        return sum(entry.rows or 0 for entry in self.entries)


def split_generations(entries: Sequence[LedgerEntry]) -> list[Generation]:
    """Readable entries by generation, oldest first."""
    readable = [entry for entry in entries if entry.status in READABLE]
    readable.sort(key=lambda entry: (entry.newest_extracted_at or _BEGINNING, entry.seq))
    return [
        Generation(id_, tuple(sorted(group, key=lambda entry: entry.seq)))
        for id_, group in groupby(readable, key=lambda entry: entry.generation_id)
    ]


def newest_complete(stream: Stream, generations: Sequence[Generation], now: datetime) -> Generation | None:
    """The generation to show.

    The newest one is complete when no file of it came for ``settle_after`` and, where the destination overwrites, no older
    generation's object is left. Until then the one before it is shown. A stream's first generation replaces nothing, so it
    is shown as it comes.
    """
    if not generations:
        return None
    newest = generations[-1]
    settled = now - newest.newest_file_at >= stream.settle_after
    if len(generations) == 1:
        return newest
    if settled and stream.destination_sync_mode == "append":
        return newest
    return generations[-2]
