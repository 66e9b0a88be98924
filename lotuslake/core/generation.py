"""Which sync's content a full-refresh stream shows: its newest complete generation.

Generation ids belong to one Airbyte connection and start again with a new one, so they delimit a sync's files and never
order them: the order is that of extraction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from lotuslake.core.data_file import READABLE, FileStatus, LedgerEntry
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor

EXPIRED_TOO = READABLE | {FileStatus.EXPIRED}
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


def split_generations(entries: Sequence[LedgerEntry], statuses: Collection[FileStatus] = READABLE) -> list[Generation]:
    """Entries of these statuses by generation, oldest first."""
    readable = [entry for entry in entries if entry.status in statuses]
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


@dataclass(frozen=True, slots=True)
class Content:
    """The files that a stream's processed model is to show.

    ``is_shown`` says that the live table already shows this content and only has to follow it. ``held_back`` gives the
    reason why a newer generation is not shown although it is complete, ``held_back_id`` names it.
    """

    entries: tuple[LedgerEntry, ...]
    generation_id: int | None
    is_shown: bool
    held_back: str | None = None
    held_back_id: str | None = None


def choose_content(
    stream: Stream, entries: Sequence[LedgerEntry], cursor: Cursor, now: datetime, accepted: Callable[[str], bool]
) -> Content | None:
    """What to show: all files that stand, or those of one generation; None to leave the table as it is.

    A generation replaces what is shown when it is complete. In a ``full_refresh`` stream that is the newest one. In an
    incremental stream only a truncating refresh replaces: of the generation that the table began with no file is left.
    """
    if stream.sync_mode == "full_refresh":
        shown = newest_complete(stream, split_generations(entries), cursor, now)
        if shown is None:
            return Content((), None, is_shown=False) if cursor.version == 0 else None
        wanted = Content(shown.entries, shown.id, shown.is_shown_at(cursor))
    else:
        wanted = _incremental_content(stream, entries, cursor, now)
    if wanted.is_shown or cursor.version == 0:
        return wanted
    return _hold_back_shrunk(stream, entries, cursor, wanted, accepted)


def _incremental_content(stream: Stream, entries: Sequence[LedgerEntry], cursor: Cursor, now: datetime) -> Content:
    standing = tuple(entry for entry in entries if entry.status in READABLE)
    # What a retention has let go was learned for good: it still counts as there.
    began_with = split_generations(entries, EXPIRED_TOO)
    base = began_with[0] if began_with else None
    base_id = base.id if base else cursor.generation_id
    if cursor.version == 0 or base is None or cursor.generation_id in (None, base.id):
        return Content(standing, base_id, is_shown=cursor.version > 0)
    is_settled = now - began_with[-1].newest_file_at >= stream.settle_after
    return Content(standing, base_id if is_settled else cursor.generation_id, is_shown=not is_settled)


def _rows_shown(stream: Stream, entries: Sequence[LedgerEntry], cursor: Cursor, wanted: Content) -> int:
    """Rows of the generation that the table shows, also where its objects are gone by now.

    Of a full refresh's generations of this id, the newest but ``wanted``: earlier ones are another connection's.
    """
    coming = {entry.file.path for entry in wanted.entries}
    shown = [
        generation
        for generation in split_generations(entries, frozenset(FileStatus))
        if generation.id == cursor.generation_id and coming.isdisjoint(e.file.path for e in generation.entries)
    ]
    return sum(generation.rows for generation in (shown[-1:] if stream.sync_mode == "full_refresh" else shown))


def _hold_back_shrunk(
    stream: Stream,
    entries: Sequence[LedgerEntry],
    cursor: Cursor,
    wanted: Content,
    accepted: Callable[[str], bool],
) -> Content | None:
    """Hold back a replacement with far fewer rows than what it replaces, until a person accepts it."""
    rows_before = _rows_shown(stream, entries, cursor, wanted)
    rows_after = sum(entry.rows or 0 for entry in wanted.entries)
    # Ids come again with a new connection; log numbers do not.
    began = min((entry.seq for entry in wanted.entries), default=0)
    finding_id = f"held_back:{stream.id}:{wanted.generation_id}:{began}"
    if rows_after >= rows_before * (1 - stream.max_shrink) or accepted(finding_id):
        return wanted
    reason = (
        f"generation {wanted.generation_id} has {rows_after} rows, what it replaces had {rows_before}: "
        f"a fall beyond max_shrink is not shown before somebody accepts it"
    )
    standing = tuple(e for e in wanted.entries if stream.sync_mode == "incremental")
    return Content(standing, cursor.generation_id, is_shown=True, held_back=reason, held_back_id=finding_id)
