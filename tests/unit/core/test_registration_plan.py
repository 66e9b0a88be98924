"""What each known file asks for, by its status and by what the listing shows of it now."""

from __future__ import annotations

import pytest

from lotuslake.core.data_file import DataFile, FileStatus, LedgerEntry
from lotuslake.core.listing_scope import ListingScope
from lotuslake.core.registration_plan import RegistrationPlan, plan_registration
from tests.support.lake import WIDE, a_file

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
