"""Listing a stream loses nothing and asks little."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.adapters.local_store import LocalStore
from lotuslake.commands.listing import list_stream_files
from lotuslake.core.data_file import DataFile
from lotuslake.core.errors import ConfigError
from lotuslake.core.listing_scope import ListingScope
from lotuslake.core.ordering import natural_key, partition_date
from lotuslake.core.stream import Stream
from lotuslake.ports import ObjectStore
from lotuslake.testing import MemoryStore

NOW = datetime(2024, 10, 7, tzinfo=UTC)
ORDERS = Stream(
    source="shop",
    name="orders",
    description="Orders",
    sync_mode="incremental",
    destination_sync_mode="append",
    primary_key=("id",),
    cursor_field=None,
    fields=(),
    landing_path="shop/orders",
)
NOT_IN_A_DAY = [
    "flat.parquet",
    "zebra.parquet",
    "Part_0.parquet-1",
    "foo/a.parquet",
    "zoo/deep/er/a.parquet",
    "year/a.parquet",
    "years=2024/a.parquet",
    "2024-01-01/a.parquet",
    "~odd/a.parquet",
    "\u00fc/a.parquet",
]
NOT_DATA = ["_SUCCESS", ".part_0.parquet", "_temporary/a.parquet", "year=2024/month=01/day=01/a.parquet.crc"]


class FolderByFolderStore(MemoryStore):
    """Orders as SeaweedFS does: `a/x` before `a-b/x`, although `-` sorts before `/`."""

    def list_objects(self, prefix: str, *, start_after: str | None = None) -> Iterator[DataFile]:
        files = super().list_objects(prefix)
        after = (start_after or "").split("/")
        yield from sorted(
            (file for file in files if file.path.split("/") > after), key=lambda file: file.path.split("/")
        )


DAYS = st.dates(date(2022, 11, 1), date(2025, 2, 28))
WIDTHS = st.sampled_from([1, 2])
DAY_FILES = st.builds(
    lambda day, month_width, day_width, name: (
        f"year={day.year}/month={day.month:0{month_width}}/day={day.day:0{day_width}}/{name}.parquet"
    ),
    DAYS,
    WIDTHS,
    WIDTHS,
    st.sampled_from(["part_9", "part_10", "hour=3/x", "!"]),
)
STORES = st.sampled_from([MemoryStore, FolderByFolderStore])
LAYOUTS = st.lists(DAY_FILES | st.sampled_from(NOT_IN_A_DAY) | st.sampled_from(NOT_DATA), unique=True, max_size=40)


def store_with(layout: list[str], page_size: int = 1000) -> MemoryStore:
    return filled(MemoryStore(clock=lambda: NOW, page_size=page_size), layout)


def filled(store: MemoryStore, layout: list[str]) -> MemoryStore:
    for path in layout:
        store.put(f"shop/orders/{path}", b"x")
        # Namesakes that a careless prefix would take in.
        store.put(f"shop/orders_archive/{path}", b"x")
    return store


def listed(store: ObjectStore, since: date | None) -> list[str]:
    return [file.path.removeprefix("shop/orders/") for file in list_stream_files(store, ORDERS, since=since)]


@given(LAYOUTS, st.integers(min_value=1, max_value=5))
def test_a_full_listing_holds_all_data_files(layout: list[str], page_size: int) -> None:
    assert listed(store_with(layout, page_size), None) == sorted(set(layout) - set(NOT_DATA), key=natural_key)


@given(LAYOUTS, DAYS, st.integers(min_value=1, max_value=5))
def test_a_narrow_listing_loses_nothing_but_older_days(layout: list[str], since: date, page_size: int) -> None:
    store = store_with(layout, page_size)
    days = {path: partition_date(path) for path in listed(store, None)}
    assert listed(store, since) == [path for path, day in days.items() if day is None or day >= since]


@given(st.lists(DAY_FILES, max_size=20), st.lists(st.text("ymd=/0123456789-.", min_size=1, max_size=25)), DAYS, STORES)
def test_what_a_scope_covers_is_listed_whatever_the_folders_are_called(
    days: list[str], odd: list[str], since: date, make_store: type[MemoryStore]
) -> None:
    layout = days + [f"{folder}/x.parquet" for name in odd for folder in (name, f"year={name}", f"year=2024{name}")]
    store = filled(make_store(), layout)
    scope = ListingScope(ORDERS.landing_path, since)
    covered = {path for path in listed(store, None) if scope.covers(f"shop/orders/{path}")}
    assert set(listed(store, since)) == covered


@given(DAYS)
def test_a_scope_with_a_first_day_covers_that_day(since: date) -> None:
    path = f"shop/orders/year={since.year}/month={since.month}/day={since.day}/x.parquet"
    before = since - timedelta(days=1)
    older = f"shop/orders/year={before.year}/month={before.month}/day={before.day}/x.parquet"
    scope = ListingScope("shop/orders", since)
    assert scope.covers(path)
    assert not scope.covers(older)
    assert not scope.covers(path.replace("orders", "orders_archive"))


def test_a_file_in_a_year_but_in_no_day_is_left_to_the_full_sweep() -> None:
    odd, later = "year=2023/odd.parquet", "year=2024/odd.parquet"
    store = store_with([odd, later])
    assert listed(store, date(2024, 5, 1)) == [later]
    assert listed(store, None) == [odd, later]


def test_days_in_another_folder_are_days_too() -> None:
    store = store_with(["copy/year=2023/month=01/day=01/a.parquet", "copy/year=2024/month=06/day=01/a.parquet"])
    assert listed(store, date(2024, 5, 1)) == ["copy/year=2024/month=06/day=01/a.parquet"]


def test_files_come_in_natural_order() -> None:
    store = store_with([f"year=2024/month=01/day=01/part_{number}.parquet" for number in (10, 9, 1)])
    assert [path[-9:] for path in listed(store, None)] == ["1.parquet", "9.parquet", "0.parquet"]


def test_a_name_that_cannot_be_written_down_is_refused() -> None:
    store = store_with(["caf\udce9.parquet"])
    with pytest.raises(ConfigError, match=r"shop/orders/caf\\udce9\.parquet is not valid UTF-8") as raised:
        listed(store, None)
    assert raised.value.stream == "shop/orders"


def history(days: int) -> list[str]:
    dates = [date(2024, 10, 7) - timedelta(days=number) for number in range(days)]
    return [
        f"year={day.year}/month={day.month:02}/day={day.day:02}/{hour:02}_0.parquet"
        for day in dates
        for hour in range(24)
    ]


@pytest.mark.parametrize("days", [1, 30, 1000])
def test_an_idle_check_costs_two_lists_whatever_the_history(days: int) -> None:
    store = store_with(history(days))
    assert len(listed(store, date(2024, 10, 4))) == min(days, 4) * 24
    assert store.requests.lists == 2


def test_an_idle_check_of_a_local_folder_reads_no_old_day(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    for path in history(30):
        store.put(f"shop/orders/{path}", b"x")
    assert len(listed(store, date(2024, 10, 4))) == 96
    assert store.requests.lists == 2
