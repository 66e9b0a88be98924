"""What a path tells."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.core.ordering import is_data_file, natural_key, partition_date

PATHS = st.text(alphabet=st.sampled_from("ab019/_.-\u0663\u00e9"), max_size=12)


@pytest.mark.parametrize(
    ("smaller", "greater"),
    [
        ("part_9.parquet", "part_10.parquet"),
        ("day=09/part_2", "day=10/part_1"),
        ("part", "part_0"),
        ("part_0", "part_a"),
        ("2", "10"),
        ("7", "8a"),
        ("part_07", "part_7"),
        ("part_007", "part_8"),
        ("9" * 5000, "1" + "0" * 5000),
        ("\u00b2", "\u0663"),
    ],
)
def test_numbers_compare_as_numbers(smaller: str, greater: str) -> None:
    assert natural_key(smaller) < natural_key(greater)


@given(st.lists(PATHS, unique=True))
def test_the_order_of_the_listing_does_not_matter(paths: list[str]) -> None:
    shuffled = paths[1::2] + paths[::2]
    assert sorted(paths, key=natural_key) == sorted(shuffled, key=natural_key)


@given(PATHS, PATHS)
def test_the_order_is_total(one: str, other: str) -> None:
    comparisons = [natural_key(one) < natural_key(other), natural_key(other) < natural_key(one), one == other]
    assert comparisons.count(True) == 1


@given(st.integers(min_value=0), st.integers(min_value=0), st.sampled_from(["", "s/part_", "year="]))
def test_agrees_with_the_order_of_integers(one: int, other: int, text: str) -> None:
    assert (natural_key(f"{text}{one}.parquet") < natural_key(f"{text}{other}.parquet")) == (one < other)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("shop/orders/year=2024/month=03/day=09/part_0.parquet", date(2024, 3, 9)),
        ("year=2024/month=3/day=9/part_0.parquet", date(2024, 3, 9)),
        ("s/year=2024/month=02/day=29/hour=05/x.parquet", date(2024, 2, 29)),
        ("s/year=2023/month=02/day=29/x.parquet", None),
        ("s/year=2024/month=13/day=01/x.parquet", None),
        ("s/year=0000/month=01/day=01/x.parquet", None),
        ("s/year=2024/month=003/day=01/x.parquet", None),
        ("s/year=24/month=03/day=01/x.parquet", None),
        ("s/year=2024/month=03/x.parquet", None),
        ("s/year=2024/month=03/day=01", None),
        ("s/myyear=2024/month=03/day=01/x.parquet", None),
        ("s/year=\u0662\u0660\u0662\u0664/month=03/day=01/x.parquet", None),
        ("flat.parquet", None),
    ],
)
def test_reads_the_day_of_a_date_partition(path: str, expected: date | None) -> None:
    assert partition_date(path) == expected


@given(st.dates(), st.booleans())
def test_reads_every_day_padded_or_not(day: date, padded: bool) -> None:
    width = 2 if padded else 1
    path = f"s/year={day.year:04}/month={day.month:0{width}}/day={day.day:0{width}}/x.parquet"
    assert partition_date(path) == day


@pytest.mark.parametrize(
    "path",
    [
        "part_0.parquet",
        "PART_0.PARQUET",
        "part_0.parquet-1",
        "part_0.parquet_2",
        "a b.snappy.parquet",
        "new\nline.parquet",
        "year=2024/month=01/day=01/1700_0.parquet",
    ],
)
def test_parquet_by_its_name_is_data(path: str) -> None:
    assert is_data_file(path)


@pytest.mark.parametrize(
    "path",
    [
        "_SUCCESS",
        ".hidden.parquet",
        "_part_0.parquet",
        "_temporary/0/part_0.parquet",
        ".staging/part_0.parquet",
        "part_0.parquet.tmp",
        "part_0.parquet.crc",
        "part_0.parquet-1.tmp",
        "part_0.parquets",
        "part_0.csv",
        "parquet",
        "folder.parquet/",
        "folder.parquet/x.csv",
        "",
    ],
)
def test_everything_else_is_not(path: str) -> None:
    assert not is_data_file(path)
