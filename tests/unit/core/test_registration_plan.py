"""What each known file asks for, by its status and by what the listing shows of it now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lotuslake.core.data_file import DataFile, FileStatus, LedgerEntry
from lotuslake.core.field_types import VARCHAR, ListOf, Struct
from lotuslake.core.listing_scope import ListingScope
from lotuslake.core.registration_plan import STATISTICS_A_COMMIT, RegistrationPlan, bound_commit, plan_registration
from lotuslake.core.stream import BatchLimits, Field
from tests.support.lake import ORDERS, WIDE, a_file

PATH = "shop/orders/year=2026/month=03/day=10/1_0.parquet"
SAME, OTHER = a_file(PATH), a_file(PATH, etag="e2")
SCOPE = ListingScope("shop/orders")
REGISTERED, COPIED, EMPTY, QUARANTINED, SUPERSEDED, MISSING, EXPIRED = FileStatus


def verdict(plan: RegistrationPlan) -> str:
    found = [name for name in ("pending", "overwritten", "missing") if getattr(plan, name)]
    return found[0] if found else "nothing"


@pytest.mark.parametrize(
    ("status", "listed", "retry", "expected"),
    [
        (REGISTERED, SAME, False, "nothing"),
        (REGISTERED, OTHER, False, "overwritten"),
        (REGISTERED, a_file(PATH, size_bytes=11), False, "overwritten"),
        (REGISTERED, None, False, "missing"),
        (COPIED, SAME, True, "nothing"),
        (COPIED, OTHER, False, "overwritten"),
        (COPIED, None, False, "missing"),
        (EMPTY, SAME, True, "nothing"),
        (EMPTY, OTHER, False, "pending"),
        (EMPTY, None, False, "missing"),
        (QUARANTINED, SAME, False, "nothing"),
        (QUARANTINED, SAME, True, "pending"),
        (QUARANTINED, OTHER, False, "pending"),
        (QUARANTINED, None, False, "missing"),
        (MISSING, SAME, False, "pending"),
        (MISSING, OTHER, False, "pending"),
        (MISSING, None, False, "nothing"),
        (SUPERSEDED, SAME, False, "pending"),
        (SUPERSEDED, None, False, "nothing"),
        (EXPIRED, SAME, False, "nothing"),
        (EXPIRED, OTHER, False, "pending"),
        (EXPIRED, None, False, "nothing"),
    ],
)
def test_what_a_known_file_asks_for(status: FileStatus, listed: DataFile | None, retry: bool, expected: str) -> None:
    listing = [] if listed is None else [listed]
    plan = plan_registration(listing, [LedgerEntry(1, SAME, status)], WIDE, SCOPE, retry_quarantined=retry)
    assert verdict(plan) == expected
    assert plan.is_empty == (expected == "nothing")
    assert [entry.status for entry in plan.quarantined] == ([QUARANTINED] if status is QUARANTINED else [])


def test_days_come_before_names_and_names_in_natural_order() -> None:
    names = ["day=09/part_2", "day=09/part_10", "day=10/part_1"]
    files = [a_file(f"shop/orders/year=2026/month=03/{name}.parquet") for name in names]
    flat = a_file("shop/orders/zzz.parquet")
    assert plan_registration([files[2], flat, files[1], files[0]], [], WIDE, SCOPE).pending == (flat, *files)


def test_late_files_are_those_of_days_before_the_newest_known() -> None:
    known = LedgerEntry(1, SAME, REGISTERED)
    old = a_file("shop/orders/year=2026/month=03/day=08/1_0.parquet")
    flat, new = a_file("shop/orders/flat.parquet"), a_file("shop/orders/year=2026/month=03/day=11/1_0.parquet")
    assert plan_registration([SAME, old, flat, new], [known], WIDE, SCOPE).late == 1
    assert plan_registration([old, new], [], WIDE, SCOPE).late == 0


def test_a_batch_holds_fewer_files_where_each_has_many_columns() -> None:
    address = Struct((("street", VARCHAR), ("lines", ListOf(VARCHAR))))
    wide = tuple(Field(f"address_{number}", address, {"type": "object"}) for number in range(46))
    limits = BatchLimits(max_files=500, max_bytes=2**20, max_rows=1_000)
    bound = bound_commit(limits, replace(ORDERS, fields=wide))
    assert bound == replace(limits, max_files=101)
    # 46 fields of two columns each, and seven of Airbyte's.
    assert 101 * (46 * 2 + 7) <= STATISTICS_A_COMMIT < 102 * (46 * 2 + 7)


def test_the_lower_bounds_of_a_stream_hold_and_one_file_is_always_allowed() -> None:
    limits = BatchLimits(max_files=500, max_bytes=2**20, max_rows=1_000)
    assert bound_commit(limits, ORDERS) == limits
    assert bound_commit(limits, replace(ORDERS, batch=replace(limits, max_files=7))) == replace(limits, max_files=7)
    endless = tuple(Field(f"f{number}", VARCHAR, {"type": "string"}) for number in range(2 * STATISTICS_A_COMMIT))
    assert bound_commit(limits, replace(ORDERS, fields=endless)).max_files == 1


@pytest.mark.parametrize(("max_files", "sizes"), [(100, [80, 80, 80]), (99, [99, 99, 42])])
def test_large_batches_end_with_a_folder(max_files: int, sizes: list[int]) -> None:
    listing = [a_file(f"shop/orders/year=2026/month=11/day=0{day}/{n}.parquet") for day in (1, 2, 3) for n in range(80)]
    limits = BatchLimits(max_files=max_files, max_bytes=2**40, max_rows=1_000)
    plan = plan_registration(listing, [], limits, ListingScope("shop/orders", None))
    assert [len(batch) for batch in plan.batches] == sizes
