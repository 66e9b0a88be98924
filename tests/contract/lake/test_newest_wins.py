"""SQL, the double and a rule written down apart from both choose the same version of every record.

Each example is a crowd of records at once, with what makes versions hard to tell apart: NULLs, ties, tombstones, the same
rows again, and batches in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from lotuslake.testing import Row
from tests.contract.lake.acts import begin, register, run
from tests.contract.lake.ports import LakeUnderTest, a_row
from tests.support.expected import newest_versions

INSTANTS = ["2026-01-01T00:00:00", "2026-01-01T00:01:00", "2026-01-01T00:02:00"]
CURSORS = [None, "2026-01-01T10:00:00", "2026-01-01T11:00:00"]


@dataclass(frozen=True, slots=True)
class Record:
    """A row as `newest_versions` reads it."""

    data: Row

    @property
    def extracted_at(self) -> datetime:
        return datetime.fromisoformat(self.data["_airbyte_extracted_at"]).replace(tzinfo=UTC)

    @property
    def raw_id(self) -> str:
        return str(self.data["_airbyte_raw_id"])


@st.composite
def versions(draw: st.DrawFn) -> Row:
    """One version of one of forty records; few instants, cursors and raw ids, so that many are alike."""
    key, raw = draw(st.integers(0, 39)), draw(st.sampled_from(["a", "b", "c"]))
    common: dict[str, Any] = {
        "_airbyte_extracted_at": draw(st.sampled_from(INSTANTS)),
        "_airbyte_raw_id": f"{key}-{raw}",
    }
    if draw(st.integers(0, 3)) == 0:
        gone = {"_airbyte_raw_id": f"{key}-{raw}-gone", "deleted_at": draw(st.sampled_from(["d1", "d2"]))}
        return a_row(key, **common | gone, updated_at=None, total=None)
    return a_row(key, **common, updated_at=draw(st.sampled_from(CURSORS)), total=draw(st.integers(0, 99)))


BATCHES = st.lists(st.lists(versions(), min_size=30, max_size=60), min_size=2, max_size=3)


def build(lake: LakeUnderTest, batches: Sequence[Sequence[Row]], way: str) -> list[Row]:
    """The processed table that these files give."""
    stream = lake.built_stream()
    entries = [register(lake, stream, str(number), *rows) for number, rows in enumerate(batches)]
    if way == "merged":
        run(lake, stream, "replace", entries[:1])
        for entry in [*entries[1:], entries[0]]:
            run(lake, stream, "merge", [entry])
    else:
        begin(lake, stream, len(entries))
        for entry in entries:
            run(lake, stream, "append", [entry], rebuild_position=entry.seq - 1, progress=entry.seq)
        run(lake, stream, "publish", position=len(entries), rebuild_position=len(entries))
    return lake.table(stream.processed_model)


def expected(batches: Sequence[Sequence[Row]], way: str) -> dict[Any, tuple[Any, ...]]:
    """Of rows with one version the first of a batch stands, and a later batch before an earlier one."""
    if way == "merged":
        in_order = [row for batch in [*batches, batches[0]] for row in reversed(batch)]
    else:
        in_order = [row for batch in reversed(batches) for row in reversed(batch)]
    current = newest_versions(map(Record, in_order), "updated_at", "deleted_at")
    return {key: (one.data["total"], one.raw_id, one.is_deleted) for key, one in current.items()}


@pytest.mark.parametrize("way", ["merged", "rebuilt"])
@seed(20261201)
@settings(
    max_examples=2,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(batches=BATCHES)
def test_the_newest_version_of_every_record_is_shown(lake: LakeUnderTest, way: str, batches: list[list[Row]]) -> None:
    shown = build(lake, batches, way)
    assert len(shown) == len({row["id"] for row in shown})
    assert {row["id"]: (row["total"], row["_airbyte_raw_id"], row["is_deleted"]) for row in shown} == expected(
        batches, way
    )
