"""Syncs: which version of what each of them lands, stamped with Airbyte's columns."""

from __future__ import annotations

import bisect
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lotuslake.demo.clock import HISTORY_DAYS
from lotuslake.demo.entity import Entity
from lotuslake.demo.money import Json
from lotuslake.demo.parquet import LandedRecord

Landed = dict[str, list[LandedRecord]]

LAST_HISTORY_SYNC_AGE = timedelta(hours=10)
INCREMENT_SYNC_AGE = timedelta(minutes=10)
_DAILY_SYNCS = 7
_WEEKLY_SYNC_DAYS = 60
_FIRST_SYNC_ID = 41_000
_SYNC_ID_STEP = 10
_GENERATION_ID = 1


@dataclass(frozen=True, slots=True)
class Sync:
    """One run of the Airbyte connection; its start gives the folder, its id the file name."""

    id: int
    started_at: datetime


def history_syncs(now: datetime) -> list[Sync]:
    """A sync each four weeks over two years, weekly ones in the last two months, daily ones in the last week."""
    last = now - LAST_HISTORY_SYNC_AGE
    starts = [last - timedelta(days=n) for n in range(_DAILY_SYNCS)]
    while starts[-1] > now - timedelta(days=HISTORY_DAYS - 28):
        is_recent = starts[-1] > now - timedelta(days=_WEEKLY_SYNC_DAYS)
        starts.append(starts[-1] - timedelta(days=7 if is_recent else 28))
    return [Sync(_FIRST_SYNC_ID + n * _SYNC_ID_STEP, start) for n, start in enumerate(reversed(starts))]


def increment_sync(now: datetime, history: list[Sync]) -> Sync:
    """The sync that has only just run."""
    return Sync(history[-1].id + _SYNC_ID_STEP, now - INCREMENT_SYNC_AGE)


def late_sync(started_at: datetime, history: list[Sync]) -> Sync:
    """A sync of an old day, between two that are known, whose files turn up only now."""
    before = max((sync for sync in history if sync.started_at <= started_at), key=lambda sync: sync.id)
    return Sync(before.id + _SYNC_ID_STEP // 2, started_at)


@dataclass(slots=True)
class Stamp:
    """Gives each record its raw id and its instant of extraction, in order of calling within a sync."""

    rng: random.Random
    positions: dict[int, int] = field(default_factory=dict)

    def land(self, sync: Sync, data: Json) -> LandedRecord:
        """The record as this sync lands it."""
        position = self.positions.get(sync.id, 0)
        self.positions[sync.id] = position + 1
        extracted_at = sync.started_at + timedelta(seconds=5, milliseconds=2 * position)
        return LandedRecord(data, extracted_at, self._raw_id(), sync.id, _GENERATION_ID)

    def _raw_id(self) -> str:
        """A version-4 UUID."""
        digits = f"{self.rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def land_changes(entities: list[Entity], syncs: list[Sync], stamp: Stamp, since: datetime | None) -> list[LandedRecord]:
    """What changed after ``since``: each change lands with the first sync after it, one version a sync.

    The last few syncs read the record at the cursor again when there is nothing new, as inclusive windows do.
    """
    starts = [sync.started_at for sync in syncs]
    due: list[list[tuple[datetime, str, Entity]]] = [[] for _ in syncs]
    for entity in entities:
        newest_of_sync: dict[int, datetime] = {}
        for change in entity.changes:
            index = bisect.bisect_left(starts, change)
            if index < len(syncs) and (since is None or change > since):
                newest_of_sync[index] = change
        for index, change in newest_of_sync.items():
            due[index].append((change, str(entity.key), entity))
    landed = []
    at_cursor: list[tuple[datetime, str, Entity]] = []
    for sync, versions in zip(syncs, due, strict=True):
        versions.sort(key=lambda version: version[:2])
        if not versions and sync in syncs[-_DAILY_SYNCS:]:
            versions = at_cursor  # noqa: PLW2901 - the loop's own list is empty
        at_cursor = versions[-1:] or at_cursor
        landed += [stamp.land(sync, entity.render(sync.started_at)) for _, _, entity in versions]
    return landed
