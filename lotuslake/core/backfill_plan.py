"""Replaying history: a rebuild divided into shards, or a range of days merged once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.ordering import partition_date
from lotuslake.core.stream import BatchLimits
from lotuslake.core.transform_plan import Cursor, Rebuild, Step, StepMode, batches_between

# Where a shard stands before its first append: not 0, since a shard of an empty history is to have a table as well.
NOT_BEGUN = -1


@dataclass(frozen=True, slots=True)
class DateRange:
    """Landing partitions from one day to another, both included; an open end is None."""

    start: date | None = None
    end: date | None = None

    @property
    def is_everything(self) -> bool:
        """Whether no end is set."""
        return self.start is None and self.end is None

    def covers(self, path: str) -> bool:
        """Whether the file lies in a partition of the range; one outside partitions belongs to no range."""
        if self.is_everything:
            return True
        day = partition_date(path)
        if day is None:
            return False
        return (self.start is None or day >= self.start) and (self.end is None or day <= self.end)

    @property
    def part(self) -> str:
        """The name under which the progress of replaying these days is kept: that of other days is another one."""
        start, end = (day.isoformat().replace("-", "") if day else "" for day in (self.start, self.end))
        return f"replay_{start}_{end}"

    def __str__(self) -> str:
        return f"{self.start or ''}..{self.end or ''}"


def shard_part(index: int) -> str:
    """The name of a shard's part."""
    return f"shard_{index}"


def shard_of(entry: LedgerEntry, shards: int) -> int:
    """Which shard reads an entry: its log number decides, so that nothing that happens to others moves it."""
    return entry.seq % shards


def plan_shard(
    model: str,
    entries: Sequence[LedgerEntry],
    cursor: Cursor,
    rebuild: Rebuild,
    index: int,
    limits: BatchLimits,
) -> list[Step]:
    """Appends of one shard to a staging table of its own, from where the shard's ``rebuild`` stands to its end.

    One without an entry appends nothing, which makes the table that is published.
    """
    if rebuild.position >= rebuild.until:
        return []
    own = [entry for entry in entries if shard_of(entry, rebuild.shards) == index]
    batches = batches_between(own, rebuild.position, rebuild.until, limits)
    steps: list[Step] = []
    at = rebuild.position
    for number, batch in enumerate(batches or [()]):
        is_last = number >= len(batches) - 1
        progress = rebuild.until if is_last else batch[-1].seq
        step = _step(model, "append", cursor, rebuild)
        steps.append(replace(step, rebuild_position=at, progress=progress, part=shard_part(index), entries=batch))
        at = progress
    return steps


def plan_publish(model: str, cursor: Cursor, parts: Sequence[Rebuild | None], whole: Rebuild) -> Step | None:
    """The step that puts all parts in place of the live table; None while one of them is not done."""
    if not all(is_done(part, whole) for part in parts):
        return None
    return replace(_step(model, "publish", cursor, whole), rebuild_position=whole.until, shards=whole.shards)


def is_done(part: Rebuild | None, whole: Rebuild) -> bool:
    """Whether a part of this very rebuild has come to its end."""
    return part == replace(whole, position=whole.until)


def plan_replay(
    model: str,
    entries: Sequence[LedgerEntry],
    cursor: Cursor,
    replay: Rebuild,
    days: DateRange,
    limits: BatchLimits,
) -> list[Step]:
    """Merges of the files of some days into the live table once more; the model's cursor stays where it is.

    The same version of a row overwrites it, so that a changed model takes effect; an older one does not.
    """
    chosen = [entry for entry in entries if days.covers(entry.file.path)]
    batches = batches_between(chosen, replay.position, min(replay.until, cursor.position), limits)
    steps: list[Step] = []
    at = replay.position
    for number, batch in enumerate(batches):
        is_last = number == len(batches) - 1
        step = replace(_step(model, "replay", cursor, replay), position=cursor.position, entries=batch, part=days.part)
        steps.append(replace(step, rebuild_position=at, progress=None if is_last else batch[-1].seq))
        at = batch[-1].seq
    return steps


def _step(model: str, mode: StepMode, cursor: Cursor, rebuild: Rebuild) -> Step:
    return Step(
        model=model,
        mode=mode,
        cursor=cursor,
        position=rebuild.until,
        epoch=rebuild.epoch,
        model_hash=rebuild.model_hash,
        generation_id=rebuild.generation_id,
    )
