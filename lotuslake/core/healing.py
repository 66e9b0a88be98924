"""What to say of objects that are no longer as they were registered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from lotuslake.core.data_file import GONE, READABLE, DataFile, FileStatus, LedgerEntry
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.generation import WITH_ROWS, Generation, find_generation, split_generations
from lotuslake.core.registration_plan import RegistrationPlan
from lotuslake.core.stream import Stream

GONE_UNREAD = "gone from the store before it could be read"
GONE_EMPTY = "gone from the store; it held no rows"
OVERWRITTEN = "the object was overwritten"
REPLACED = "its generation was replaced by a newer one"
EMPTIED = "every object of the stream was gone, and somebody accepted it"
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_IsReplaced = Callable[[LedgerEntry], bool]


@dataclass(frozen=True, slots=True)
class Healing:
    """What one commit mends.

    ``restated`` are entries to append: superseded and missing ones, and the same content under a new etag. ``changed`` are
    footers of objects whose content is new and comes in with the same commit. ``standing`` are the readable entries that
    the landing table is made anew from when ``rewrites``.
    """

    restated: tuple[LedgerEntry, ...]
    changed: tuple[Footer | Unreadable, ...]
    standing: tuple[LedgerEntry, ...]
    rewrites: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.restated or self.changed)


def has_vanished(entries: Sequence[LedgerEntry], plan: RegistrationPlan) -> bool:
    """Whether every object that landing reads is gone and nothing takes its place, by a plan that covers all of the stream.

    That is never taken for the new truth before a person says so: a wrong prefix or a lost mount looks the same.
    """
    standing = {entry.file.path for entry in entries if entry.status in READABLE}
    missing = {entry.file.path for entry in plan.missing}
    return bool(standing) and standing <= missing and not plan.batches


def plan_healing(
    stream: Stream,
    entries: Sequence[LedgerEntry],
    plan: RegistrationPlan,
    inspected: Sequence[Footer | Unreadable],
    *,
    is_emptied: bool = False,
) -> Healing:
    """Tell what changed from what only looks changed, and what was replaced from what is lost.

    ``entries`` are the newest entries of all paths of the stream, ``inspected`` what the plan's overwritten objects hold now.
    An etag may change when a bucket is copied: the same footer, statistics included, is the same content. ``is_emptied``
    says that a person has accepted that every object is gone.
    """
    before = {item.file.path: item.entry for item in plan.overwritten}
    same = [found for found in inspected if _is_same(found, before[found.file.path])]
    changed = [found for found in inspected if not _is_same(found, before[found.file.path])]
    superseded = [before[found.file.path] for found in changed]
    leaving = {entry.file.path for entry in (*superseded, *plan.missing)}
    standing = tuple(entry for entry in entries if entry.status in READABLE and entry.file.path not in leaving)
    restated = [_restate(before[found.file.path], before[found.file.path].status, file=found.file) for found in same]
    restated += [_restate(entry, FileStatus.SUPERSEDED, OVERWRITTEN) for entry in superseded]
    there = {found.file.path for found in changed if _is_of_generation(found, before[found.file.path])}
    there |= _returning(entries, plan)
    is_replaced = _replaced(stream, entries, standing, there)
    restated += [_restate_gone(entry, is_replaced, is_emptied=is_emptied) for entry in plan.missing]
    restated += _replaced_since(entries, is_replaced)
    return Healing(
        restated=tuple(restated),
        changed=tuple(changed),
        standing=standing,
        rewrites=any(entry.status in READABLE for entry in (*superseded, *plan.missing)),
    )


def tell(entry: LedgerEntry) -> str:
    """What happened to the object of a restated entry, for a person."""
    if entry.status in READABLE:
        return (
            f"{entry.file.path} was written again with the same content: it stays {entry.status}, and nothing changes"
        )
    return f"{entry.file.path} is {entry.status}: {entry.reason or 'gone from the store'}"


def _is_same(found: Footer | Unreadable, entry: LedgerEntry) -> bool:
    return isinstance(found, Footer) and found.content_hash is not None and found.content_hash == entry.content_hash


def _restate(
    entry: LedgerEntry, status: FileStatus, reason: str | None = None, *, file: DataFile | None = None
) -> LedgerEntry:
    return replace(entry, status=status, reason=reason or entry.reason, file=file or entry.file)


def _restate_gone(entry: LedgerEntry, is_replaced: _IsReplaced, *, is_emptied: bool) -> LedgerEntry:
    if entry.status is FileStatus.EMPTY:
        return _restate(entry, FileStatus.SUPERSEDED, GONE_EMPTY)
    if entry.status is FileStatus.QUARANTINED:
        return _restate(entry, FileStatus.MISSING, GONE_UNREAD)
    if is_emptied:
        return _restate(entry, FileStatus.SUPERSEDED, EMPTIED)
    if is_replaced(entry):
        return _restate(entry, FileStatus.SUPERSEDED, REPLACED)
    return _restate(entry, FileStatus.MISSING)


def _replaced_since(entries: Sequence[LedgerEntry], is_replaced: _IsReplaced) -> list[LedgerEntry]:
    """Objects that were missed while Airbyte was still deleting their generation: now that it is gone, nothing is lost."""
    return [
        _restate(entry, FileStatus.SUPERSEDED, REPLACED)
        for entry in entries
        if entry.status is FileStatus.MISSING and entry.rows and is_replaced(entry)
    ]


def _returning(entries: Sequence[LedgerEntry], plan: RegistrationPlan) -> set[str]:
    """Paths of objects that are about to be registered once more, as they were."""
    gone = {(entry.file.path, entry.file.etag) for entry in entries if entry.status in GONE}
    return {file.path for file in plan.pending if (file.path, file.etag) in gone}


def _is_of_generation(found: Footer | Unreadable, entry: LedgerEntry) -> bool:
    return isinstance(found, Footer) and found.generation_id == entry.generation_id


def _oldest_left(generations: Sequence[Generation], left: Collection[str]) -> Generation | None:
    return next((one for one in generations if any(entry.file.path in left for entry in one.entries)), None)


def _replaced(
    stream: Stream, entries: Sequence[LedgerEntry], standing: Sequence[LedgerEntry], there: Collection[str]
) -> _IsReplaced:
    """Whether a vanished file belongs to a generation of which nothing is left, and a later one has taken its place.

    ``there`` are paths of other objects that are there: with other content of their generation, or back again.

    Airbyte deletes the older generations' objects after an overwrite, a clear or a truncating refresh: all of them, so that
    in an incremental stream one that is left says that this was something else.
    """
    generations = split_generations(entries, stream, WITH_ROWS)
    left = {*there, *(entry.file.path for entry in standing)}
    oldest = _oldest_left(generations, left) if stream.sync_mode == "incremental" else None
    newest_at = max((entry.newest_extracted_at or _BEGINNING for entry in standing), default=_BEGINNING)

    def is_replaced(entry: LedgerEntry) -> bool:
        own = find_generation(generations, entry.file.path)
        if own is None or any(other.file.path in left for other in own.entries):
            return False
        if oldest is not None and oldest.order < own.order and (oldest.id or 0) < (own.id or 0):
            return False
        return newest_at > (entry.newest_extracted_at or _BEGINNING)

    return is_replaced
