"""Locations: folders and S3 prefixes."""

import pytest

from lotuslake.core.location import Location, parse_location


@pytest.mark.parametrize(
    ("url", "location", "text"),
    [
        ("s3://lake/raw/", Location("s3", "raw", "lake"), "s3://lake/raw"),
        ("S3://lake", Location("s3", "", "lake"), "s3://lake"),
        ("s3://lake/a/b", Location("s3", "a/b", "lake"), "s3://lake/a/b"),
        ("file:///srv/my%20lake", Location("file", "/srv/my lake"), "/srv/my lake"),
        ("file://localhost/srv", Location("file", "/srv"), "/srv"),
        ("/srv/lake", Location("file", "/srv/lake"), "/srv/lake"),
    ],
)
def test_parse(url: str, location: Location, text: str) -> None:
    assert parse_location(url) == location
    assert str(location) == text


@pytest.mark.parametrize(
    ("location", "joined", "key"),
    [
        (Location("s3", "raw", "lake"), "s3://lake/raw/a/b.parquet", "raw/a/b.parquet"),
        (Location("s3", "", "lake"), "s3://lake/a/b.parquet", "a/b.parquet"),
        (Location("file", "/srv"), "/srv/a/b.parquet", "/srv/a/b.parquet"),
        (Location("file", "/"), "/a/b.parquet", "/a/b.parquet"),
    ],
)
def test_join(location: Location, joined: str, key: str) -> None:
    assert location.join("a/b.parquet") == joined
    assert location.key("a/b.parquet") == key


@pytest.mark.parametrize(
    ("outer", "inner", "contains"),
    [
        ("s3://b/p", "s3://b/p", True),
        ("s3://b", "s3://b/p", True),
        ("s3://b/p", "s3://b/p2", False),
        ("s3://b/p", "s3://b/P", False),
        ("s3://b/p/q", "s3://b/p", False),
        ("s3://b", "s3://bb", False),
        ("s3://b", "/b", False),
        ("/srv/lake", "/srv/lake/data", True),
        ("/srv/lake", "/srv/Lake/data", True),
        ("/srv/lake", "/srv/lake2", False),
    ],
)
def test_contains(outer: str, inner: str, *, contains: bool) -> None:
    assert parse_location(outer).contains(parse_location(inner)) is contains
