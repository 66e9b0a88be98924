"""DuckDB's connections to the store: shared by many files, and replaced where they were lost while idle."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lotuslake.adapters.aws import S3Access
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.duckdb_opening import InstanceOptions
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
    bucket = s3_environment.make_bucket()
    body = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2, 3]}), body)
    client = s3_environment.client()
    for number in range(FILES):
        client.put_object(Bucket=bucket, Key=f"landing/{number}.parquet", Body=body.getvalue())
    return [f"s3://{bucket}/landing/{number}.parquet" for number in range(FILES)]


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
