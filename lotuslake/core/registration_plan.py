"""What registering a stream has to do: the listing minus the ledger, in bounded batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from lotuslake.core.batch import Weight, split_batches
from lotuslake.core.data_file import GONE, READABLE, DataFile, FileStatus, LedgerEntry
from lotuslake.core.field_types import count_leaves
from lotuslake.core.listing_scope import ListingScope
from lotuslake.core.ordering import natural_key, partition_date
from lotuslake.core.stream import BatchLimits, Stream

# A commit writes a row of statistics for each column of each file, all in one statement to Postgres, and DuckLake quotes
# its text in a time that grows with the square of its length: at 25,000 rows a file takes twice as long as at 10,000.
STATISTICS_A_COMMIT = 10_000
# Of these, such are of Airbyte's own four columns, one of them nested.
AIRBYTE_LEAVES = 7
# Batches of so many files end with a folder where that is well: a folder that comes in whole is added by one pattern.
FOLDERS_FROM = 100


@dataclass(frozen=True, slots=True)
class Overwritten:
    """An object whose content changed after it was registered."""

    file: DataFile
    entry: LedgerEntry


@dataclass(frozen=True, slots=True)
class RegistrationPlan:
    """The work for one stream.

    ``batches`` cover exactly the files that the ledger does not know. ``overwritten`` and ``missing`` are objects that the
    ledger knows as they no longer are; ``late`` counts pending files in a partition older than the newest known one.
    ``has_listed`` says whether the listing showed any object.
    ``passed_over`` are objects beside the data files that are none by their names.
    """

    batches: tuple[tuple[DataFile, ...], ...]
    overwritten: tuple[Overwritten, ...]
    missing: tuple[LedgerEntry, ...]
    quarantined: tuple[LedgerEntry, ...]
    late: int
    has_listed: bool = True
    passed_over: tuple[str, ...] = ()

    @property
    def pending(self) -> tuple[DataFile, ...]:
        """All files to register, in order."""
        return tuple(file for batch in self.batches for file in batch)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be written."""
        return not (self.batches or self.overwritten or self.missing)


def list_since(newest_partition: date | None, lookback_days: int, today: date, *, full_sweep: bool) -> date | None:
    """The oldest partition to list, None for all.

    The ledger's newest partition only narrows the listing; the look-back window lets late files of the last days be seen.
    A partition in the future narrows nothing away from ``today``.
    """
    if full_sweep or newest_partition is None:
        return None
    start = min(newest_partition, today)
    return start - timedelta(days=min(lookback_days, (start - date.min).days))


def bound_commit(limits: BatchLimits, stream: Stream) -> BatchLimits:
    """The limits of a batch to register: the stream's own, and fewer files where its files have many columns."""
    columns = AIRBYTE_LEAVES + sum(count_leaves(field.type) for field in stream.fields)
    lower = limits.capped_by(stream.batch)
    return replace(lower, max_files=min(lower.max_files, max(1, STATISTICS_A_COMMIT // columns)))


def plan_registration(
    listing: Iterable[DataFile],
    ledger: Iterable[LedgerEntry],
    limits: BatchLimits,
    scope: ListingScope,
    *,
    retry_quarantined: bool = False,
) -> RegistrationPlan:
    """Compare what the store lists with what the ledger knows; both may come in any order.

    ``scope`` is what the listing covers: of entries outside it nobody can say that they are missing.
    """
    known = {entry.file.path: entry for entry in ledger}
    pending: list[DataFile] = []
    overwritten: list[Overwritten] = []
    seen: set[str] = set()
    for file in listing:
        seen.add(file.path)
        entry = known.get(file.path)
        if entry is None or _is_new(file, entry, retry_quarantined=retry_quarantined):
            pending.append(file)
        elif entry.status in READABLE and _differs(file, entry):
            overwritten.append(Overwritten(file, entry))
    pending.sort(key=_file_order)
    return RegistrationPlan(
        batches=tuple(
            split_batches(pending, limits, _weigh, belongs_to=_folder if limits.max_files >= FOLDERS_FROM else None)
        ),
        overwritten=tuple(sorted(overwritten, key=lambda item: _file_order(item.file))),
        missing=tuple(entry for path, entry in sorted(known.items()) if _is_missing(path, entry, seen, scope)),
        quarantined=tuple(entry for _, entry in sorted(known.items()) if entry.status is FileStatus.QUARANTINED),
        late=_count_late(pending, known),
        has_listed=bool(seen),
    )


def _weigh(file: DataFile) -> Weight:
    return Weight(size_bytes=file.size_bytes)


def _folder(file: DataFile) -> str:
    return file.path.rpartition("/")[0]


def _is_new(file: DataFile, entry: LedgerEntry, *, retry_quarantined: bool) -> bool:
    match entry.status:
        case FileStatus.MISSING | FileStatus.SUPERSEDED:
            return True
        case FileStatus.QUARANTINED:
            return retry_quarantined or _differs(file, entry)
        case FileStatus.EMPTY | FileStatus.EXPIRED:
            return _differs(file, entry)
        case _:
            return False


def _differs(file: DataFile, entry: LedgerEntry) -> bool:
    return (file.etag, file.size_bytes) != (entry.file.etag, entry.file.size_bytes)


def _is_missing(path: str, entry: LedgerEntry, seen: set[str], scope: ListingScope) -> bool:
    return path not in seen and entry.status not in GONE and scope.covers(path)


def _count_late(pending: Iterable[DataFile], known: Mapping[str, LedgerEntry]) -> int:
    days = [day for path in known if (day := partition_date(path))]
    newest = max(days, default=None)
    if newest is None:
        return 0
    return sum(1 for file in pending if (day := partition_date(file.path)) and day < newest)


def _file_order(file: DataFile) -> tuple[date, object]:
    return (partition_date(file.path) or date.min, natural_key(file.path))
