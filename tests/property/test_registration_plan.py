"""A plan is the listing minus the ledger, whatever the two hold."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lotuslake.core.data_file import DataFile, FileStatus, LedgerEntry
from lotuslake.core.listing_scope import ListingScope
from lotuslake.core.registration_plan import RegistrationPlan, list_since, plan_registration
from lotuslake.core.stream import BatchLimits
from tests.support.lake import NOW

LANDING = "shop/orders"
EVERYTHING = ListingScope(LANDING)
TODAY = date(2026, 3, 10)

DAYS = st.dates(date(2026, 2, 1), date(2026, 4, 1))
PATHS = st.builds(
    lambda day, name: f"{LANDING}/year={day.year}/month={day.month:02}/day={day.day:02}/{name}.parquet",
    DAYS,
    st.sampled_from(["part_9", "part_10", "part_1"]),
) | st.sampled_from([f"{LANDING}/flat_{number}.parquet" for number in range(3)])
FILES = st.builds(DataFile, PATHS, st.integers(0, 100), st.sampled_from(["e1", "e2"]), st.just(NOW))
LISTINGS = st.lists(FILES, unique_by=lambda file: file.path, max_size=30)
LEDGERS = st.lists(
    st.builds(lambda file, status: (file, status), FILES, st.sampled_from(FileStatus)),
    unique_by=lambda item: item[0].path,
    max_size=20,
).map(lambda items: [LedgerEntry(seq, file, status) for seq, (file, status) in enumerate(items, 1)])
LIMITS = st.builds(BatchLimits, st.integers(1, 5), st.integers(1, 150), st.just(10))
WIDE = BatchLimits(10**6, 10**9, 10**9)


def applied(ledger: list[LedgerEntry], plan: RegistrationPlan) -> list[LedgerEntry]:
    """The ledger after all that the plan asks for is done."""
    entries = {entry.file.path: entry for entry in ledger}
    for file in [*plan.pending, *(item.file for item in plan.overwritten)]:
        entries[file.path] = LedgerEntry(len(entries) + 1, file, FileStatus.REGISTERED)
    for entry in plan.missing:
        entries[entry.file.path] = replace(entry, status=FileStatus.MISSING)
    return list(entries.values())


@given(LISTINGS, LEDGERS, LIMITS, st.randoms())
def test_the_order_of_listing_and_ledger_does_not_matter(
    listing: list[DataFile], ledger: list[LedgerEntry], limits: BatchLimits, chance: random.Random
) -> None:
    plan = plan_registration(listing, ledger, limits, EVERYTHING)
    chance.shuffle(listing)
    chance.shuffle(ledger)
    assert plan_registration(listing, ledger, limits, EVERYTHING) == plan


@given(LISTINGS, LIMITS)
def test_batches_cover_the_listing_once_and_keep_their_bounds(listing: list[DataFile], limits: BatchLimits) -> None:
    plan = plan_registration(listing, [], limits, EVERYTHING)
    assert sorted(file.path for file in plan.pending) == sorted(file.path for file in listing)
    for batch in plan.batches:
        assert 1 <= len(batch) <= limits.max_files
        assert len(batch) == 1 or sum(file.size_bytes for file in batch) <= limits.max_bytes
    for batch, following in pairwise(plan.batches):
        grown = sum(file.size_bytes for file in batch) + following[0].size_bytes
        assert len(batch) == limits.max_files or grown > limits.max_bytes


@given(LISTINGS, LEDGERS, st.booleans())
def test_each_file_is_pending_overwritten_or_known_and_each_entry_missing_or_not(
    listing: list[DataFile], ledger: list[LedgerEntry], retry: bool
) -> None:
    plan = plan_registration(listing, ledger, WIDE, EVERYTHING, retry_quarantined=retry)
    pending = {file.path for file in plan.pending}
    overwritten = {item.file.path for item in plan.overwritten}
    known = {entry.file.path: entry for entry in ledger}
    assert not pending & overwritten
    assert {file.path for file in listing} - set(known) <= pending
    listed = {file.path for file in listing}
    gone = {FileStatus.MISSING, FileStatus.EXPIRED, FileStatus.SUPERSEDED}
    assert {entry.file.path for entry in plan.missing} == {
        path for path, entry in known.items() if path not in listed and entry.status not in gone
    }


@given(LISTINGS, LEDGERS, LIMITS)
def test_planning_again_after_all_is_done_finds_nothing(
    listing: list[DataFile], ledger: list[LedgerEntry], limits: BatchLimits
) -> None:
    plan = plan_registration(listing, ledger, limits, EVERYTHING)
    again = plan_registration(listing, applied(ledger, plan), limits, EVERYTHING)
    assert again.is_empty
    assert again.late == 0


@given(LISTINGS, LEDGERS, DAYS)
def test_a_narrow_listing_never_calls_missing_what_it_does_not_cover(
    listing: list[DataFile], ledger: list[LedgerEntry], since: date
) -> None:
    scope = ListingScope(LANDING, since)
    covered = [file for file in listing if scope.covers(file.path)]
    narrow = plan_registration(covered, ledger, WIDE, scope)
    full = plan_registration(listing, ledger, WIDE, EVERYTHING)
    assert {entry.file.path for entry in narrow.missing} == {
        entry.file.path for entry in full.missing if scope.covers(entry.file.path)
    }
    assert narrow.pending == tuple(file for file in full.pending if scope.covers(file.path))


@given(st.lists(DAYS, min_size=1), st.integers(0, 10), DAYS)
def test_the_first_day_to_list_never_goes_back_as_files_come(days: list[date], lookback: int, today: date) -> None:
    starts = [list_since(max(days[: n + 1]), lookback, today, full_sweep=False) for n in range(len(days))]
    assert all(start is not None for start in starts)
    assert starts == sorted(starts, key=lambda start: start or date.min)
    later = list_since(max(days), lookback, today + timedelta(days=1), full_sweep=False)
    assert later is not None
    assert starts[-1] is not None
    assert later >= starts[-1]


@given(DAYS, st.integers(0, 10), DAYS)
def test_the_present_day_and_the_look_back_are_always_listed(newest: date, lookback: int, today: date) -> None:
    start = list_since(newest, lookback, today, full_sweep=False)
    assert start is not None
    assert start <= today - timedelta(days=lookback)
    assert start <= newest - timedelta(days=lookback)


@given(st.none() | DAYS, st.booleans())
def test_all_is_listed_on_request_and_while_nothing_is_known(newest: date | None, full_sweep: bool) -> None:
    since = list_since(newest, 3, TODAY, full_sweep=full_sweep)
    assert (since is None) == (full_sweep or newest is None)


def test_a_look_back_beyond_the_first_day_of_all_is_no_error() -> None:
    assert list_since(date(1, 1, 2), 10**6, TODAY, full_sweep=False) == date.min
