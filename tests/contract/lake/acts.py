"""What the tests of the ports do in one line: files registered, steps run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lotuslake.core.data_file import DataFile, FileStatus, LedgerEntry
from lotuslake.core.decision import Decision, decide
from lotuslake.core.head import Head
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor, Rebuild, Step, StepMode, Terms
from lotuslake.ports.landing import RegisterBatch
from lotuslake.testing import Row
from tests.contract.lake.ports import LakeUnderTest

DAY = datetime(2026, 3, 10, 12, tzinfo=UTC)
HASH = "a hash"


def a_file(path: str, *, etag: str = "e1", at: datetime = DAY) -> DataFile:
    """A file that no store holds."""
    return DataFile(path, 10, etag, at)


def told(path: str, status: FileStatus, *, etag: str = "e1", at: datetime = DAY, reason: str | None = None) -> Decision:
    """A decision that adds nothing to the landing table."""
    return Decision(
        a_file(path, etag=etag, at=at), status, rows=0 if status is FileStatus.EMPTY else None, reason=reason
    )


def batch_of(lake: LakeUnderTest, stream: Stream, decisions: Sequence[Decision], **parts: Any) -> RegisterBatch:
    """A batch at the head of the stream's log, unless ``head`` says otherwise."""
    head = parts.pop("head", None) or lake.ledger.load_head(stream)
    return RegisterBatch(stream, parts.pop("batch_id", f"batch-{head.seq}"), "run", head, tuple(decisions), **parts)


def write(lake: LakeUnderTest, stream: Stream, *decisions: Decision, **parts: Any) -> list[LedgerEntry]:
    """Commit decisions."""
    return lake.landing.commit(batch_of(lake, stream, decisions, **parts))


def judged(lake: LakeUnderTest, stream: Stream, *files: DataFile) -> list[Decision]:
    """What becomes of files in the landing table, which is made or evolved for them."""
    footers = lake.landing.inspect(files)
    columns = lake.landing.evolve(stream, [footer.columns for footer in footers if hasattr(footer, "columns")])
    return decide(stream, columns, footers)


def gone(entry: LedgerEntry) -> LedgerEntry:
    """What a log says of a file whose object has vanished."""
    return replace(entry, status=FileStatus.MISSING, data_path=None)


def register(lake: LakeUnderTest, stream: Stream, name: str, *rows: Row, **parts: Any) -> LedgerEntry:
    """One file of these rows, put and committed."""
    file = lake.put(f"{stream.landing_path}/{name}.parquet", *rows)
    (entry,) = write(lake, stream, *judged(lake, stream, file), **parts)
    return entry


def step_of(
    lake: LakeUnderTest, stream: Stream, mode: StepMode, entries: Sequence[LedgerEntry] = (), **parts: Any
) -> Step:
    """A step of the stream's processed model from where its cursor stands."""
    cursor = parts.pop("cursor", None) or lake.transformer.load_cursor(stream.processed_model)
    position = parts.pop("position", max((entry.seq for entry in entries), default=cursor.position))
    return Step(
        stream.processed_model,
        mode,
        cursor,
        position,
        model_hash=HASH,
        entries=tuple(entries),
        **{"terms": Terms(), **parts},
    )


def run(lake: LakeUnderTest, stream: Stream, mode: StepMode, entries: Sequence[LedgerEntry] = (), **parts: Any) -> Any:
    """Run such a step."""
    return lake.transformer.run(step_of(lake, stream, mode, entries, **parts), stream=stream, run_id="run")


def run_enriched(lake: LakeUnderTest, model: str, cursor: Cursor | None = None) -> None:
    """Build an enriched model."""
    step = Step(model, "enriched", cursor or lake.transformer.load_cursor(model), model_hash=HASH)
    lake.transformer.run(step, stream=None, run_id="run")


def begin(lake: LakeUnderTest, stream: Stream, until: int, part: str = "", **parts: Any) -> Rebuild:
    """Begin a rebuild up to a log number."""
    rebuild = Rebuild(0, until, 0, HASH, **parts)
    lake.transformer.begin_rebuild(stream.processed_model, rebuild, part)
    return rebuild


def totals(lake: LakeUnderTest, model: str) -> dict[Any, Any]:
    """Total by id: which version of each record a processed table shows."""
    return {row["id"]: row["total"] for row in lake.table(model)}


def landed_ids(lake: LakeUnderTest, stream: Stream) -> list[Any]:
    """The ids in the landing table."""
    return sorted(row["id"] for row in lake.landed(stream))


def head_of(lake: LakeUnderTest, stream: Stream) -> Head:
    """Where the stream's log stands."""
    return lake.ledger.load_head(stream)
