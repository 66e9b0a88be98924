"""What transforming a stream has to do: the log entries that its model has not read, in bounded steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from lotuslake.core.batch import Weight, split_batches
from lotuslake.core.build import BuiltBy, is_built_by
from lotuslake.core.data_file import READABLE, LedgerEntry
from lotuslake.core.finding import Finding
from lotuslake.core.head import Head
from lotuslake.core.stream import BatchLimits

StepMode = Literal["replace", "append", "publish", "merge", "replay", "enriched"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a model stands: the row of its `meta.cursor_*` table.

    ``version`` counts the model's commits, 0 meaning never built. ``upstreams`` maps each model it reads to the version it
    has read. ``model_hash`` is `build_hash` of a processed model. ``built_by`` is None where an older version of the program
    built the table. ``null_keys`` counts the records without a key in what it was built from, each raw id once; None while
    there was none yet.
    """

    version: int = 0
    position: int = 0
    epoch: int = 0
    generation_id: int | None = None
    model_hash: str = ""
    upstreams: tuple[tuple[str, int], ...] = ()
    built_by: BuiltBy | None = None
    null_keys: int | None = None

    @property
    def is_unreadable(self) -> bool:
        """Whether the table's own files are lost, so that it waits for being built anew."""
        return self.version > 0 and not self.model_hash


@dataclass(frozen=True, slots=True)
class Terms:
    """What the table that a step leaves behind must be.

    ``least_rows``: with fewer it is not written, which the finding ``shrink_id`` tells of. ``carry_until``: rows that were
    extracted until then, and that only files which are gone have told, are carried forward from the table as it is; where
    that cannot be, ``loss`` is what is told. ``built_by`` is recorded with the cursor.
    """

    built_by: BuiltBy | None = None
    least_rows: int | None = None
    shrink_id: str | None = None
    carry_until: datetime | None = None
    loss: Finding | None = None


@dataclass(frozen=True, slots=True)
class TableRows:
    """How many rows a table showed before a step that wrote it anew, and after it."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Progress of a rebuild beside the live table, or of one part of it: it ends at log number ``until``.

    ``shards`` says into how many parts the work is divided, each with a progress of its own.
    """

    position: int
    until: int
    epoch: int
    model_hash: str
    generation_id: int | None = None
    shards: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One dbt run of one model, one commit.

    ``entries`` are the data files it reads, ``position`` where the model stands afterwards. ``rebuild_position`` is where
    the rebuild or replay stood before, ``progress`` where it stands afterwards (None: it ends). ``part`` names the part of
    a divided rebuild; a publish takes all ``shards`` parts together.
    """

    model: str
    mode: StepMode
    cursor: Cursor
    position: int = 0
    epoch: int = 0
    model_hash: str = ""
    generation_id: int | None = None
    rebuild_position: int | None = None
    progress: int | None = None
    part: str = ""
    shards: int = 1
    entries: tuple[LedgerEntry, ...] = ()
    terms: Terms = Terms()

    @property
    def rows(self) -> int:
        """Rows that the step reads."""
        return sum(entry.rows or 0 for entry in self.entries)


def needs_rebuild(cursor: Cursor, head: Head, model_hash: str) -> bool:
    """Whether merging cannot bring the live table up to date: it was made by other SQL or from other content."""
    return cursor.version == 0 or cursor.epoch != head.epoch or not is_built_by(cursor.model_hash, model_hash)


def is_stale(cursor: Cursor, model_hash: str, upstream_versions: Mapping[str, int]) -> bool:
    """Whether an enriched model was built from other versions of what it reads, or by other SQL."""
    return cursor.version == 0 or cursor.model_hash != model_hash or dict(cursor.upstreams) != dict(upstream_versions)


def plan_merges(
    model: str, entries: Sequence[LedgerEntry], cursor: Cursor, head: Head, limits: BatchLimits
) -> list[Step]:
    """Steps that merge the readable entries after the cursor; the last one also steps over what needs no reading."""
    batches = list(batches_between(entries, cursor.position, head.seq, limits))
    steps: list[Step] = []
    for number, batch in enumerate(batches):
        last = number == len(batches) - 1
        steps.append(
            Step(
                model=model,
                mode="merge",
                cursor=cursor,
                position=head.seq if last else batch[-1].seq,
                epoch=head.epoch,
                model_hash=cursor.model_hash,
                generation_id=cursor.generation_id,
                entries=batch,
            )
        )
    return steps


def resume(under_way: Rebuild, wanted: Rebuild, entries: Sequence[LedgerEntry]) -> Rebuild | None:
    """The rebuild under way, taken on to where ``wanted`` ends; None when what it has made so far is of no use.

    It is of no use when it reads another content, by other SQL or of another generation, ids of which come again: then
    none of the ``entries`` has been read.
    """
    if replace(under_way, position=0, until=wanted.until) != wanted:
        return None
    if under_way.position and not any(entry.seq <= under_way.position for entry in entries):
        return None
    return replace(under_way, until=wanted.until)


def plan_rebuild(
    model: str,
    entries: Sequence[LedgerEntry],
    cursor: Cursor,
    rebuild: Rebuild,
    limits: BatchLimits,
    *,
    begun: bool = False,
) -> list[Step]:
    """Steps that build a model from position 0 to ``rebuild.until``, going on where an earlier rebuild stopped.

    A history that fits one batch is replaced in one commit; a longer one is appended beside the live table and
    published. One that has ``begun``, whose progress is recorded, is always published: that ends it.
    """
    batches = batches_between(entries, rebuild.position, rebuild.until, limits)
    at = rebuild.position
    step = Step(
        model=model,
        mode="replace",
        cursor=cursor,
        position=rebuild.until,
        epoch=rebuild.epoch,
        model_hash=rebuild.model_hash,
        generation_id=rebuild.generation_id,
    )
    if not begun and len(batches) <= 1:
        return [replace(step, entries=batches[0] if batches else ())]
    if not batches and at == 0:
        # The first append makes the table that is published, be it without a row.
        batches = [()]
    steps: list[Step] = []
    for batch in batches:
        position = batch[-1].seq if batch else rebuild.until
        steps.append(replace(step, mode="append", rebuild_position=at, progress=position, entries=batch))
        at = position
    return [*steps, replace(step, mode="publish", rebuild_position=at)]


def batches_between(
    entries: Sequence[LedgerEntry], after: int, until: int, limits: BatchLimits
) -> list[tuple[LedgerEntry, ...]]:
    """Readable entries after one log number up to another, in order, in batches within the limits."""
    wanted = sorted(
        (entry for entry in entries if after < entry.seq <= until and entry.status in READABLE),
        key=lambda entry: entry.seq,
    )
    return list(split_batches(wanted, limits, lambda e: Weight(size_bytes=e.file.size_bytes, rows=e.rows or 0)))
