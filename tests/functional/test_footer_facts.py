"""What the ledger keeps of a file's footer: which sync wrote it, and from when to when its rows were extracted."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lotuslake.demo.parquet import META_TYPE
from tests.functional.program import Project
from tests.functional.things import Array, columns, extracted_at, key_of

GREATEST = 2**63 - 1


def syncs(*numbers: int | None) -> Array:
    """`_airbyte_meta` of rows that these syncs wrote; None: the whole struct is NULL."""
    return pa.array([None if number is None else {"sync_id": number, "changes": []} for number in numbers], META_TYPE)


def body(ids: Sequence[int], *, statistics: bool = True, group: int | None = None, **changed: Any) -> bytes:
    """A file in row groups of so many rows."""
    sink = io.BytesIO()
    table = pa.table(columns(ids, **changed))
    pq.write_table(table, sink, row_group_size=group, write_statistics=statistics, store_schema=False)
    return sink.getvalue()


@dataclass(frozen=True)
class Case:
    """A file, and what of it must be known."""

    body: bytes
    sync_id: int | None
    oldest: datetime | None
    newest: datetime | None
    status: str = "registered"


def span(*ids: int) -> tuple[datetime, datetime]:
    """The first and the last extraction of these rows."""
    instants = [extracted_at(key) for key in ids]
    return min(instants), max(instants)


WHOLE = span(3, 1, 2)
MILLIS = pa.array([round(extracted_at(key).timestamp() * 1000) for key in (3, 1, 2)], pa.int64())
CASES = {
    "one sync": Case(body([3, 1, 2], _airbyte_meta=syncs(7, 7, 7)), 7, *WHOLE),
    "one sync in groups": Case(body([3, 1, 2], group=1, _airbyte_meta=syncs(7, 7, 7)), 7, *WHOLE),
    "two syncs in a group": Case(body([3, 1, 2], _airbyte_meta=syncs(7, 8, 7)), None, *WHOLE),
    "two syncs, a group each": Case(body([3, 1, 2], group=1, _airbyte_meta=syncs(7, 8, 7)), None, *WHOLE),
    "a row of no sync": Case(body([3, 1, 2], _airbyte_meta=syncs(7, None, 7)), None, *WHOLE),
    "a group of no sync": Case(body([3, 1, 2], group=1, _airbyte_meta=syncs(7, 7, None)), None, *WHOLE),
    "no sync at all": Case(body([3, 1, 2], _airbyte_meta=syncs(None, None, None)), None, *WHOLE),
    "the greatest sync": Case(body([3, 1, 2], _airbyte_meta=syncs(*[GREATEST] * 3)), GREATEST, *WHOLE),
    "no meta": Case(body([3, 1, 2], _airbyte_meta=None), None, *WHOLE),
    # The rows tell what the footer does not.
    "no statistics": Case(body([3, 1, 2], statistics=False), 1, *WHOLE),
    "milliseconds without a type": Case(body([3, 1, 2], _airbyte_extracted_at=MILLIS), 1, *WHOLE, status="copied"),
    "to be converted": Case(
        body([3, 1, 2], amount=pa.array(["3", "1", "2"]), _airbyte_meta=syncs(7, 7, 7)), 7, *WHOLE, status="copied"
    ),
    # Each of these was called damaged: the instant of every column was worked out, not only of the one that holds one.
    "an integer that is no instant": Case(body([3, 1, 2], amount=pa.array([GREATEST, 1, 2], pa.int64())), 1, *WHOLE),
    "an integer far below": Case(body([3, 1, 2], amount=pa.array([-GREATEST, 1, 2], pa.int64())), 1, *WHOLE),
    "undeclared": Case(body([3, 1, 2], big=pa.array([GREATEST] * 3, pa.uint64())), 1, *WHOLE),
}


def test_the_ledger_keeps_what_the_footers_tell(things: Project) -> None:
    # The first file decides which form of instants the landing table has.
    things.put(key_of("0.parquet"), body([100]))
    things.json("register")
    for number, case in enumerate(CASES.values()):
        things.put(key_of(f"case_{number:02}.parquet"), case.body)
    things.json("register")
    found = things.rows(
        "SELECT status, rows, sync_id, oldest_extracted_at AT TIME ZONE 'UTC', newest_extracted_at AT TIME ZONE 'UTC' "
        "FROM meta.files WHERE contains(path, 'case_') ORDER BY path"
    )
    assert dict(zip(CASES, found, strict=True)) == {
        name: (case.status, 3, case.sync_id, case.oldest, case.newest) for name, case in CASES.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_what_is_kept_is_what_another_reader_finds(name: str) -> None:
    """The cases themselves: Arrow's reader of footers, and every row, tell the same."""
    case = CASES[name]
    file = pq.ParquetFile(io.BytesIO(case.body))
    table = file.read()
    metas = table["_airbyte_meta"].to_pylist() if "_airbyte_meta" in table.column_names else [None]
    told = {None if meta is None else meta["sync_id"] for meta in metas}
    assert case.sync_id == (told.pop() if len(told) == 1 else None)
