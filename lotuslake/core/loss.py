"""What a rebuild cannot see any more: files that the table was made from and that are gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lotuslake.core.content import Content
from lotuslake.core.data_file import READABLE, FileStatus, LedgerEntry
from lotuslake.core.finding import Finding
from lotuslake.core.generation import WITH_ROWS, find_generation, split_generations
from lotuslake.core.head import Head
from lotuslake.core.healing import EMPTIED, REPLACED
from lotuslake.core.setting_aside import is_unreadable
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor


@dataclass(frozen=True, slots=True)
class Loss:
    """Files that are gone, and the rows that they held. ``extracted_until`` is the newest extraction among them."""

    files: int
    rows: int
    extracted_until: datetime | None

    def finding(self, stream: Stream, build: str, head: Head, now: datetime, *, why: str | None) -> Finding:
        """The finding that tells of it: a rebuild that is refused, or, without ``why``, rows that are carried forward."""
        kind = "carried" if why is None else "loss"
        what = f"{self.files} files with {self.rows} rows that {stream.processed_model} was made from are gone"
        if why is None:
            reason = f"{what}; what only they told is carried forward, as the model was when it read them"
        else:
            reason = f"{what}, so it is not built anew: {why}. To lose them on purpose: --accept-loss, or accept this"
        id_ = f"{kind}:{stream.id}:{build}:{head.epoch}:{self.files}"
        return Finding(id_, "carried" if why is None else "loss", stream.id, stream.processed_model, reason, now)


def find_loss(stream: Stream, entries: Sequence[LedgerEntry], cursor: Cursor, content: Content) -> Loss | None:
    """What a rebuild of the content that is shown would leave out; None where it sees everything.

    A generation that takes the place of another leaves the other's rows out on purpose.
    """
    if cursor.version == 0 or not content.is_shown:
        return None
    since, unread = (cursor.built_by.since, cursor.built_by.unread) if cursor.built_by is not None else (0, ())
    gone = [
        entry
        for entry in entries
        if _is_gone(entry, stream)
        and entry.seq > since
        and 0 < entry.readable_seq <= cursor.position
        and entry.readable_seq not in unread
    ]
    if stream.sync_mode == "full_refresh":
        known = split_generations(entries, stream, WITH_ROWS)
        shown = find_generation(known, content.began) if content.began is not None else None
        own = {entry.file.path for entry in shown.entries} if shown is not None else set()
        gone = [entry for entry in gone if entry.file.path in own]
    if not gone:
        return None
    extracted = [entry.newest_extracted_at for entry in gone]
    until = max((at or datetime.min.replace(tzinfo=UTC) for at in extracted), default=None)
    return Loss(len(gone), sum(entry.rows or 0 for entry in gone), until if all(extracted) else None)


def find_unread(stream: Stream, entries: Sequence[LedgerEntry], cursor: Cursor, head: Head) -> tuple[int, ...]:
    """First log numbers of files that a table which follows the log up to its head steps over, gone before it read them.

    One that has come back since is read after all.
    """
    before = set(cursor.built_by.unread) if cursor.built_by is not None else set()
    before -= {entry.readable_seq for entry in entries if entry.status in READABLE}
    stepped_over = {
        entry.readable_seq
        for entry in entries
        if _is_gone(entry, stream) and cursor.position < entry.readable_seq and entry.seq <= head.seq
    }
    return tuple(sorted(before | stepped_over))


def _is_gone(entry: LedgerEntry, stream: Stream) -> bool:
    """Whether a table may hold what only this file told.

    Of an incremental stream it goes on doing so when a newer generation has replaced the file's, until it is built anew by
    a truncating refresh.
    """
    if entry.status in READABLE or not entry.rows:
        return False
    is_away = entry.status in {FileStatus.MISSING, FileStatus.EXPIRED} or is_unreadable(entry)
    return is_away or entry.reason == EMPTIED or (entry.reason == REPLACED and stream.sync_mode == "incremental")


def why_not_carried(loss: Loss, cursor: Cursor, raised: Sequence[Finding]) -> str | None:
    """Why rows cannot be carried forward, as far as the plan tells; None where they may.

    ``raised`` are the findings that the table has not mended yet.
    """
    if any(finding.kind == "overwritten" for finding in raised):
        return "an object was overwritten since, and what it told stands among the rows to carry forward"
    if cursor.is_unreadable:
        return "the table's own files are lost as well"
    return None if loss.extracted_until is not None else "the files do not say when their records were extracted"
