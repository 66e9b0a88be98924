"""Durations and sizes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.config.units import format_duration, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("1d 12h", timedelta(hours=36)),
        (" 1D12H ", timedelta(hours=36)),
        ("90m", timedelta(hours=1.5)),
    ],
)
def test_parse_duration(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", " ", "2", "h", "2 hours", "-2h", "1.5h", "12h 1d", "2h 2h", "٣h", "9999999d"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.timedeltas(timedelta(0), timedelta(days=36500)))
def test_durations_round_trip(duration: timedelta) -> None:
    whole = timedelta(seconds=int(duration.total_seconds()))
    assert parse_duration(format_duration(duration)) == whole


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("512MiB", 512 * 1024**2),
        ("10MB", 10_000_000),
        ("10 mb", 10_000_000),
        ("1.5GB", 1_500_000_000),
        ("1000", 1000),
        ("7B", 7),
        ("1TiB", 1024**4),
    ],
)
def test_parse_size(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1.5", "10 potatoes", "1e3", "nan"])
def test_bad_sizes(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|bytes"):
        parse_size(text)
