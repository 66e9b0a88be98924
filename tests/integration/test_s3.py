"""The S3 adapter against SeaweedFS and against what is no S3 at all: one line, an exit code, no secret."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from lotuslake.adapters.aws import S3Access
from lotuslake.adapters.s3_store import S3Store
from lotuslake.commands.listing import list_stream_files
from lotuslake.core.errors import ConfigError, ExitCode, LotusLakeError, UnreachableError
from lotuslake.core.location import parse_location
from lotuslake.core.stream import Stream
from tests.support.answering import answering
from tools.services import ObjectStorage, free_ports

ORDERS = Stream("shop", "orders", "Orders", "incremental", "append", ("id",), None, (), "shop/orders")
OTHER_SECRET = "other-secret-0123456789"
# What a TLS server sends to a client that speaks plain HTTP: alert 70, protocol_version.
TLS_ALERT = b"\x15\x03\x03\x00\x02\x02\x46"


def store_at(bucket: str) -> S3Store:
    return S3Store(S3Access(parse_location(f"s3://{bucket}/landing"), max_attempts=1))


def failure(store: S3Store) -> LotusLakeError:
    with pytest.raises(LotusLakeError) as raised:
        list(store.list_objects("shop/orders"))
    return raised.value


@contextmanager
def server_that_answers(reply: bytes) -> Iterator[str]:
    """Takes connections, reads a little, sends `reply` and hangs up; yields host:port."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(reply)

    with answering(answer) as port:
        yield f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("AWS_ACCESS_KEY_ID", "unknown", "the access key is not known there: check AWS_ACCESS_KEY_ID"),
        ("AWS_SECRET_ACCESS_KEY", OTHER_SECRET, "the secret key does not fit"),
        ("AWS_ACCESS_KEY_ID", "", "No complete AWS credentials"),
    ],
)
def test_wrong_credentials(
    s3_environment: ObjectStorage, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    bucket = s3_environment.make_bucket()
    monkeypatch.setenv(variable, value)
    error = failure(store_at(bucket))
    assert expected in error.message
    assert f"s3://{bucket}/landing" in error.message
    assert error.exit_code is ExitCode.USAGE
    assert_tells_no_secret(error, s3_environment)


@pytest.mark.usefixtures("s3_environment")
def test_wrong_bucket(tmp_path: Path) -> None:
    store = store_at("no-such-bucket")
    for request in (
        lambda: list(store.list_objects("shop")),
        lambda: store.list_folders(""),
        lambda: store.head("shop/a"),
        lambda: store.fetch("shop/a", tmp_path / "copy"),
    ):
        with pytest.raises(ConfigError, match=r"LOTUSLAKE_LANDING_URL: s3://no-such-bucket/landing .*no such bucket"):
            request()


@pytest.mark.usefixtures("s3_environment")
def test_an_invalid_bucket_name_is_no_outage() -> None:
    assert failure(store_at("Not_A-Bucket..name")).exit_code is ExitCode.USAGE


def test_a_missing_object_is_gone_but_the_bucket_is_asked_for_first(s3_environment: ObjectStorage) -> None:
    store = store_at(s3_environment.make_bucket())
    assert store.head("shop/a") is None
    assert store.requests.heads == 2


def test_nothing_listens(s3_environment: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = f"http://127.0.0.1:{free_ports(1)[0]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint.replace("//", "//user:password@"))
    error = failure(store_at("lake"))
    assert error.message == f"s3://lake/landing at {endpoint}: nothing answers there."
    assert error.exit_code is ExitCode.UNREACHABLE
    assert_tells_no_secret(error, s3_environment)


def test_https_where_plain_http_is_spoken(s3_environment: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_environment.endpoint.replace("http:", "https:"))
    error = failure(store_at("lake"))
    assert error.exit_code is ExitCode.UNREACHABLE
    assert "TLS failed" in error.message
    assert_tells_no_secret(error, s3_environment)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (TLS_ALERT, "is the scheme of the endpoint right?"),
        (b"", "is the scheme of the endpoint right?"),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno!", "is the scheme of the endpoint right?"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "access denied"),
        (b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", "in trouble or overloaded (HTTP 503)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "in trouble or overloaded (HTTP 500)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n<?xml", "in trouble or overloaded (HTTP 500)"),
        # Taken for a listing, it would be an empty one, and every known file missing.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n<html>hello</html>", "is not a listing"),
    ],
)
def test_a_server_that_is_no_s3_or_not_well(
    s3_environment: ObjectStorage, monkeypatch: pytest.MonkeyPatch, reply: bytes, expected: str
) -> None:
    with server_that_answers(reply) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{address}")
        error = failure(store_at("lake"))
    assert expected in error.message
    assert f"http://{address}" in error.message
    assert error.exit_code is ExitCode.UNREACHABLE
    assert_tells_no_secret(error, s3_environment)


@pytest.mark.usefixtures("s3_environment")
def test_a_body_cut_short_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: x\r\n\r\nshort"
    with server_that_answers(reply) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{address}")
        with pytest.raises(UnreachableError, match=r"s3://lake/landing/shop/a.parquet at .* ended too early|was cut"):
            store_at("lake").fetch("shop/a.parquet", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_an_idle_check_costs_two_lists(s3_environment: ObjectStorage) -> None:
    store = store_at(s3_environment.make_bucket())
    days = [date(2024, 10, 7) - timedelta(days=number) for number in range(30)]
    paths = [f"year={day:%Y}/month={day:%m}/day={day:%d}/{hour:02}_0.parquet" for day in days for hour in range(24)]
    for path in [*paths, "flat.parquet", "a-b/a.parquet", "zoo/a.parquet"]:
        store.put(f"shop/orders/{path}", b"x")
    assert len(list_stream_files(store, ORDERS, since=date(2024, 10, 5))) == 3 * 24 + 3
    assert store.requests.lists == 2
    assert len(list_stream_files(store, ORDERS, since=date(2024, 10, 4))) == 4 * 24 + 3
    assert store.requests.lists == 4
    assert len(list_stream_files(store, ORDERS, since=None)) == 30 * 24 + 3


def assert_tells_no_secret(error: LotusLakeError, storage: ObjectStorage) -> None:
    told = f"{error.message} {error!r} {error.__cause__!r}"
    assert not [secret for secret in (storage.secret_key, OTHER_SECRET, "password") if secret in told]
    assert "\n" not in error.message
