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
from lotuslake.core.transform_plan import Cursor

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

    def is_shown_at(self, cursor: Cursor) -> bool:
        """Whether the table was built from files of this generation, not from a namesake of an earlier connection."""
        return cursor.version > 0 and cursor.generation_id == self.id and self.entries[0].seq <= cursor.position


def split_generations(entries: Sequence[LedgerEntry]) -> list[Generation]:
    """Readable entries by generation, oldest first."""
    readable = [entry for entry in entries if entry.status in READABLE]
    readable.sort(key=lambda entry: (entry.newest_extracted_at or _BEGINNING, entry.seq))
    return [
        Generation(id_, tuple(sorted(group, key=lambda entry: entry.seq)))
        for id_, group in groupby(readable, key=lambda entry: entry.generation_id)
    ]


def newest_complete(
    stream: Stream, generations: Sequence[Generation], cursor: Cursor, now: datetime
) -> Generation | None:
    """The generation to show; None to leave the table as it is.

    The newest one is complete when no file of it came for ``settle_after`` and, where the destination overwrites, no
    older generation's object is left. Until then the one before it is shown, or what the table holds when that one is
    gone. A stream's first generation replaces nothing, so it is shown as it comes; a generation that is shown stays,
    whatever files follow.
    """
    if not generations:
        return None
    newest = generations[-1]
    settled = now - newest.newest_file_at >= stream.settle_after
    older_is_left = len(generations) > 1
    if newest.is_shown_at(cursor) or (settled and not (older_is_left and stream.destination_sync_mode == "overwrite")):
        return newest
    if older_is_left:
        return generations[-2]
    return newest if cursor.version == 0 else None
