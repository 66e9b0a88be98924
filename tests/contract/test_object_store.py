"""What every ObjectStore does, asked of the in-memory one, a local folder, the real SeaweedFS and MinIO."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from lotuslake.adapters.aws import S3Access
from lotuslake.adapters.local_store import LocalStore
from lotuslake.adapters.s3_store import FIRST_PAGE, S3Store
from lotuslake.core.errors import UnreachableError
from lotuslake.core.location import parse_location
from lotuslake.ports import ObjectStore
from lotuslake.testing import MemoryStore
from tools.services import Minio, ObjectStorage

# No backslash: SeaweedFS makes a slash of it.
ODD_NAMES = [
    "with space.parquet",
    "quote'.parquet",
    'double".parquet',
    "100%.parquet",
    "%2B.parquet",
    "plus+.parquet",
    "star*.parquet",
    "question?.parquet",
    "bracket[0].parquet",
    "hash#.parquet",
    "ümlaut-😀.parquet",
    "combining-e\u0308.parquet",
    "new\nline.parquet",
    "tab\t.parquet",
    "and&<xml>.parquet",
    "part_0.parquet-1",
    "key=value.parquet",
]


def memory_store(_: pytest.FixtureRequest) -> ObjectStore:
    return MemoryStore(page_size=FIRST_PAGE)


def local_store(request: pytest.FixtureRequest) -> ObjectStore:
    folder: Path = request.getfixturevalue("tmp_path")
    return LocalStore(folder / "not made yet")


def s3_store(request: pytest.FixtureRequest) -> ObjectStore:
    storage: ObjectStorage = request.getfixturevalue("s3_environment")
    return S3Store(S3Access(parse_location(f"s3://{storage.make_bucket()}/some where/landing/")))


def minio_store(request: pytest.FixtureRequest) -> ObjectStore:
    storage: Minio = request.getfixturevalue("minio")
    request.getfixturevalue("no_aws")
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    for name, value in storage.environment().items():
        monkeypatch.setenv(name, value)
    return S3Store(S3Access(parse_location(f"s3://{storage.make_bucket()}/some where/landing/")))


@pytest.fixture(params=[memory_store, local_store, s3_store, minio_store], ids=["memory", "local", "s3", "minio"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    make: Callable[[pytest.FixtureRequest], ObjectStore] = request.param
    return make(request)


def fill(store: ObjectStore, *paths: str) -> None:
    for path in paths:
        store.put(path, path.encode())


def listed(store: ObjectStore, prefix: str, start_after: str | None = None) -> list[str]:
    return [file.path for file in store.list_objects(prefix, start_after=start_after)]


def test_a_root_with_nothing_in_it_is_empty(store: ObjectStore) -> None:
    assert listed(store, "") == []
    assert listed(store, "shop/orders") == []
    assert store.list_folders("") == []
    assert store.head("shop/orders/a.parquet") is None


def test_lists_one_folder_at_any_depth_and_no_namesake(store: ObjectStore) -> None:
    fill(store, "shop/orders/b/c/2.parquet", "shop/orders/1.parquet", "shop/orders_old/3.parquet", "shop/orders.txt")
    assert listed(store, "shop/orders") == ["shop/orders/1.parquet", "shop/orders/b/c/2.parquet"]
    assert len(listed(store, "")) == 4


def test_lists_in_the_order_of_keys(store: ObjectStore) -> None:
    paths = ["s/A.parquet", "s/a/1", "s/a/2/x", "s/a0", "s/b", "s/year=2023/z", "s/year=2024/a", "s/z", "s/\u00e4"]
    fill(store, *reversed(paths))
    assert listed(store, "s") == paths


@pytest.mark.parametrize(
    ("start_after", "expected"),
    [
        ("s/", 4),
        ("s/a", 4),
        ("s/year=2023/month=01/day=01/", 4),
        ("s/year=2023/month=01/day=01/a.parquet", 3),
        ("s/year=2023/month=01/day=02/", 2),
        ("s/year=2023/month=12/day=31/", 2),
        ("s/year=2024/month=01/day=01/a.parquet", 1),
        ("s/year=2024/month=01/day=01/z.parquet", 0),
        ("t", 0),
    ],
)
def test_starts_after_a_path_that_need_not_exist(store: ObjectStore, start_after: str, expected: int) -> None:
    days = ["year=2023/month=01/day=01", "year=2024/month=01/day=01"]
    paths = [f"s/{day}/{name}.parquet" for day in days for name in "ab"]
    fill(store, *paths)
    assert listed(store, "s", start_after) == paths[len(paths) - expected :]


def test_pages_are_asked_for_as_they_are_consumed(store: ObjectStore) -> None:
    paths = [f"s/{number:04}" for number in range(FIRST_PAGE + 50)]
    fill(store, *paths)
    assert store.requests.lists == 0
    assert len(list(islice(store.list_objects("s"), FIRST_PAGE))) == FIRST_PAGE
    assert store.requests.lists == 1
    assert listed(store, "s") == paths


def test_lists_direct_child_folders(store: ObjectStore) -> None:
    fill(store, "s/year=2024/month=01/x", "s/year=2023/x", "s/flat.parquet", "s/a b/x", "t/x")
    assert store.list_folders("s") == ["a b", "year=2023", "year=2024"]
    assert store.list_folders("") == ["s", "t"]
    assert store.requests.lists == 2


@pytest.mark.parametrize("name", ODD_NAMES)
def test_takes_any_character_in_a_name(store: ObjectStore, tmp_path: Path, name: str) -> None:
    path = f"shop/od d/{name}"
    fill(store, path)
    (found,) = store.list_objects("shop/od d")
    assert found.path == path
    assert store.head(path) == found
    assert listed(store, "shop", path) == []
    store.fetch(path, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == path.encode()
    assert store.url(path).endswith(path)


def test_describes_an_object_alike_in_list_and_head(store: ObjectStore) -> None:
    store.put("s/a", b"12345")
    (found,) = store.list_objects("s")
    head = store.head("s/a")
    assert head is not None
    assert (
        (head.path, head.size_bytes, head.etag) == (found.path, found.size_bytes, found.etag) == ("s/a", 5, head.etag)
    )
    assert '"' not in found.etag
    assert found.last_modified_at.utcoffset() == timedelta(0)
    assert abs(found.last_modified_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_overwritten_object_has_another_etag(store: ObjectStore) -> None:
    store.put("s/a", b"first")
    before = store.head("s/a")
    store.put("s/a", b"second")
    after = store.head("s/a")
    assert before is not None
    assert after is not None
    assert before.etag != after.etag


def test_an_empty_object_is_an_object(store: ObjectStore, tmp_path: Path) -> None:
    store.put("s/empty.parquet", b"")
    assert [file.size_bytes for file in store.list_objects("s")] == [0]
    store.fetch("s/empty.parquet", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b""


def test_a_folder_is_no_object(store: ObjectStore) -> None:
    fill(store, "s/folder/a")
    assert store.head("s/folder") is None


def test_fetching_what_is_gone_leaves_no_file(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"s/gone\.parquet.* gone"):
        store.fetch("s/gone.parquet", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_counts_its_requests(store: ObjectStore, tmp_path: Path) -> None:
    store.put("s/a", b"x")
    store.head("s/a")
    store.fetch("s/a", tmp_path / "copy")
    listed(store, "s")
    count = store.requests
    assert (count.lists, count.heads, count.gets, count.puts) == (1, 1, 1, 1)
