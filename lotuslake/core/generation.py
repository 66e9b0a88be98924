"""The generations of a stream: sets of files, each what one reading of the source gave.

What Airbyte writes of them, and the sources of these rules, stand in docs/histories.md. Generation ids belong to one
connection and start again with a new one, so they tell sets apart and never order them: the order is that of extraction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from lotuslake.core.data_file import READABLE, FileStatus, LedgerEntry
from lotuslake.core.stream import Stream

# Files that had rows, whatever became of them.
WITH_ROWS = frozenset(FileStatus) - {FileStatus.QUARANTINED, FileStatus.EMPTY}
_IsApart = Callable[[Sequence[LedgerEntry], Sequence[LedgerEntry]], bool]
_BEGINNING = datetime.min.replace(tzinfo=UTC)
# A source that says nothing for three hours loses its attempt (https://docs.airbyte.com/understanding-airbyte/heartbeats),
# and a job gives up after a few of these: no job is silent for a day.
LONGEST_SILENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Generation:
    """Files of one generation in the order of the log.

    ``sync_id`` is None where the files do not tell one. ``is_untold`` says that they may be of two syncs.
    """

    id: int | None
    entries: tuple[LedgerEntry, ...]
    sync_id: int | None = None
    is_untold: bool = False

    @property
    def started_at(self) -> datetime:
        """The first extraction that is known."""
        return min(map(_oldest, self.entries))

    @property
    def order(self) -> tuple[datetime, int]:
        """Where it stands among others: by its first extraction, then by the log."""
        return self.started_at, min(entry.readable_seq or entry.seq for entry in self.entries)

    @property
    def began(self) -> str:
        """The path of its first file: names the generation, whatever files follow."""
        return min(self.entries, key=lambda entry: (_oldest(entry), entry.file.path)).file.path

    @property
    def first_file_at(self) -> datetime:
        """When its first file was written."""
        return min(entry.written_at for entry in self.entries)

    @property
    def newest_file_at(self) -> datetime:
        """When its last file was written."""
        return max(entry.written_at for entry in self.entries)

    @property
    def standing(self) -> tuple[LedgerEntry, ...]:
        """Files of it that can be read."""
        return tuple(entry for entry in self.entries if entry.status in READABLE)

    @property
    def rows(self) -> int:
        """Rows in these; a key that was written twice counts twice."""
        return sum(entry.rows or 0 for entry in self.standing)


def split_generations(
    entries: Sequence[LedgerEntry], stream: Stream, statuses: Collection[FileStatus] = READABLE
) -> list[Generation]:
    """Entries of these statuses by generation, oldest first.

    In an incremental stream a generation spans many syncs, so that its id alone delimits it.
    """
    wanted = [entry for entry in entries if entry.status in statuses]
    by_id: dict[int | None, list[LedgerEntry]] = defaultdict(list)
    for entry in wanted:
        by_id[entry.generation_id].append(entry)
    if stream.sync_mode == "incremental":
        found = [_generation(id_, group) for id_, group in by_id.items()]
    else:
        syncs = _telling_syncs(wanted)
        found = [one for id_, group in by_id.items() for one in _by_sync(id_, group, syncs, stream.settle_after)]
    return sorted(found, key=lambda one: one.order)


def find_generation(generations: Iterable[Generation], path: str) -> Generation | None:
    """The one that holds a file."""
    return next((one for one in generations if any(entry.file.path == path for entry in one.entries)), None)


def _generation(
    id_: int | None, entries: Iterable[LedgerEntry], sync_id: int | None = None, *, is_untold: bool = False
) -> Generation:
    return Generation(id_, tuple(sorted(entries, key=lambda entry: entry.seq)), sync_id, is_untold)


def _by_sync(
    id_: int | None, entries: Sequence[LedgerEntry], syncs: Mapping[str, int], settle_after: timedelta
) -> list[Generation]:
    by_sync: dict[int | None, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        by_sync[syncs.get(entry.file.path)].append(entry)
    unknown = by_sync.pop(None, [])
    known = {
        (sync_id, number): part
        for sync_id, group in by_sync.items()
        for number, part in enumerate(_split_at(group, lambda a, b: _silence(a, b) >= LONGEST_SILENCE))
    }
    left: list[list[LedgerEntry]] = []
    for part in _split_at(unknown, lambda a, b: _is_apart(a, b, settle_after)):
        # Files of one sync of which an older ledger has not noted the sync.
        near = next((own for own in known.values() if not _are_apart(part, own, settle_after)), None)
        if near is None:
            left.append(part)
        else:
            near += part
    told = [_generation(id_, part, sync_id) for (sync_id, _), part in known.items()]
    return told + [_generation(id_, part, is_untold=_is_untold(part, settle_after)) for part in left]


def _telling_syncs(entries: Sequence[LedgerEntry]) -> dict[str, int]:
    """The sync of each path, where it tells: within a job, generation ids only rise.

    Where they go back, Airbyte was installed anew and counts its jobs from 1 again.
    """
    by_sync: dict[int, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        if entry.sync_id is not None:
            by_sync[entry.sync_id].append(entry)
    telling: dict[str, int] = {}
    for sync_id, group in by_sync.items():
        ids = [entry.generation_id or 0 for entry in _in_order(group)]
        if ids == sorted(ids):
            telling |= {entry.file.path: sync_id for entry in group}
    return telling


def _in_order(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    return sorted(entries, key=lambda entry: (_oldest(entry), _newest(entry), entry.seq))


def _split_at(entries: Sequence[LedgerEntry], is_apart: _IsApart) -> list[list[LedgerEntry]]:
    """Entries in the order of extraction, parted where the rule says so of what came until then and what follows."""
    parts: list[list[LedgerEntry]] = []
    for entry in _in_order(entries):
        if parts and not is_apart(parts[-1], [entry]):
            parts[-1].append(entry)
        else:
            parts.append([entry])
    return parts


def _are_apart(one: Sequence[LedgerEntry], other: Sequence[LedgerEntry], settle_after: timedelta) -> bool:
    earlier, later = sorted((one, other), key=lambda part: min(map(_oldest, part)))
    return _is_apart(earlier, later, settle_after)


def _is_apart(earlier: Sequence[LedgerEntry], later: Sequence[LedgerEntry], settle_after: timedelta) -> bool:
    """Whether these are two syncs, as far as their times tell."""
    silence = _silence(earlier, later)
    return silence >= LONGEST_SILENCE or (silence > settle_after and _pause(earlier, later) > settle_after)


def _is_untold(part: Sequence[LedgerEntry], settle_after: timedelta) -> bool:
    """Whether extraction was silent for so long that there may have been two syncs, though the files were written together."""
    ordered = _in_order(part)
    return any(_silence(ordered[: n + 1], [later]) > settle_after for n, (_, later) in enumerate(pairwise(ordered)))


def _silence(earlier: Sequence[LedgerEntry], later: Sequence[LedgerEntry]) -> timedelta:
    """From the newest extraction of the earlier files to the oldest of the later ones; negative where they overlap."""
    return min(map(_oldest, later)) - max(map(_newest, earlier))


def _pause(earlier: Sequence[LedgerEntry], later: Sequence[LedgerEntry]) -> timedelta:
    """The same between their writing."""
    first = min(entry.written_at for entry in later)
    return first - max(entry.written_at for entry in earlier)


def _oldest(entry: LedgerEntry) -> datetime:
    return entry.oldest_extracted_at or entry.newest_extracted_at or _BEGINNING


def _newest(entry: LedgerEntry) -> datetime:
    return entry.newest_extracted_at or entry.oldest_extracted_at or _BEGINNING
