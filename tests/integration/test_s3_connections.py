"""DuckDB and the store: connections that many files share, footers of whole folders from one listing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lotuslake.adapters.aws import S3Access
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.instance_options import InstanceOptions
from lotuslake.adapters.parquet_footers import ParquetFooters
from lotuslake.adapters.s3_store import S3Store
from lotuslake.adapters.whole_folders import FEWEST
from lotuslake.core.footer import Footer
from lotuslake.core.location import parse_location
from tests.support.proxy import TcpProxy
from tools.services import ObjectStorage

FILES = 12


@pytest.fixture
def proxy(s3_environment: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> Iterator[TcpProxy]:
    endpoint = urlsplit(s3_environment.environment()["AWS_ENDPOINT_URL_S3"])
    assert endpoint.port is not None
    with TcpProxy(endpoint.port) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{proxy.port}")
        yield proxy


@pytest.fixture
def urls(s3_environment: ObjectStorage) -> list[str]:
    return put(s3_environment, s3_environment.make_bucket(), [f"{number}.parquet" for number in range(FILES)])


def put(storage: ObjectStorage, bucket: str, names: list[str]) -> list[str]:
    """Files of three rows below landing/."""
    body = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2, 3]}), body)
    client = storage.client()
    for name in names:
        client.put_object(Bucket=bucket, Key=f"landing/{name}", Body=body.getvalue())
    return [f"s3://{bucket}/landing/{name}" for name in names]


@pytest.fixture
def instance(tmp_path: Path, urls: list[str], proxy: TcpProxy) -> Iterator[DuckDbInstance]:
    access = S3Access(parse_location(urls[0].rpartition("/")[0]))
    options = InstanceOptions(
        catalog=str(tmp_path / "catalog.ducklake"),
        data_url=str(tmp_path / "data"),
        memory_limit_bytes=2**29,
        threads=1,
        temp_dir=tmp_path / "temp",
        secrets=[access.duckdb_secret()],
    )
    instance = DuckDbInstance(options)
    yield instance
    instance.close()


def count_rows(instance: DuckDbInstance, urls: list[str]) -> int:
    rows = instance.connection.execute("SELECT count(id) FROM read_parquet($files)", {"files": urls}).fetchall()
    return int(rows[0][0])


def test_one_connection_serves_many_files(instance: DuckDbInstance, urls: list[str], proxy: TcpProxy) -> None:
    assert count_rows(instance, urls) == 3 * FILES
    assert 1 <= proxy.connections < FILES / 2


def test_a_connection_that_was_lost_while_idle_is_replaced(
    instance: DuckDbInstance, urls: list[str], proxy: TcpProxy
) -> None:
    for number in range(FILES):
        assert count_rows(instance, [urls[number]]) == 3
        proxy.cut()


@pytest.mark.parametrize(
    ("names", "unasked", "by_pattern"),
    [
        ([f"day=1/{n}.parquet" for n in range(FEWEST)], [], True),
        ([f"day=1/{n}.parquet" for n in range(FEWEST)], ["day=1/another.parquet"], False),
        ([*(f"day=1/{n}.parquet" for n in range(FEWEST)), "day=2/what?[1] 100%*.parquet", "day=2/é.parquet"], [], True),
        ([f"day=1/{n}.parquet" for n in range(FEWEST - 1)], [], False),
    ],
)
def test_footers_of_whole_folders_are_those_of_the_files_asked_for(
    instance: DuckDbInstance,
    urls: list[str],
    s3_environment: ObjectStorage,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    unasked: list[str],
    *,
    by_pattern: bool,
) -> None:
    bucket = parse_location(urls[0]).bucket
    put(s3_environment, bucket, [*names, *unasked])
    store = S3Store(S3Access(parse_location(f"s3://{bucket}/landing")))
    files = [store.head(name) for name in names]
    asked: list[list[str]] = []
    execute = ParquetFooters._execute_facts

    def watched(self: ParquetFooters, patterns: list[str]) -> list[tuple[Any, ...]]:
        asked.append(patterns)
        return execute(self, patterns)

    monkeypatch.setattr(ParquetFooters, "_execute_facts", watched)
    found = ParquetFooters(instance, store).read([file for file in files if file is not None])
    assert [(footer.file.path, footer.rows) for footer in found if isinstance(footer, Footer)] == [
        (name, 3) for name in names
    ]
    assert (asked[0] == [f"s3://{bucket}/landing/day=1/*"]) is by_pattern
