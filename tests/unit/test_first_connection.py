"""The first connection: waited for where nothing answers yet, for so long and no longer, and once."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lotuslake.adapters.first_connection import FirstConnections, postgres_addresses, store_addresses
from tests.support.answering import answering
from tools.services import free_ports


def never() -> None:
    """Nobody interrupts."""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGPORT", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def seconds(least: float, most: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert least <= time.monotonic() - began < most


def listen_later(port: int, after_seconds: float) -> Callable[[], None]:
    """Something that listens on the port after a while; call it to end that."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    def begin() -> None:
        server.bind(("127.0.0.1", port))
        server.listen()

    timer = threading.Timer(after_seconds, begin)
    timer.start()

    def end() -> None:
        timer.join()
        server.close()

    return end


def test_what_is_refused_at_first_is_waited_for_and_that_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="lotuslake")
    (port,) = free_ports(1)
    end = listen_later(port, 1.2)
    with seconds(1, 5):
        FirstConnections(20, never).await_postgres(f"postgresql://me@127.0.0.1:{port}/lake")
    end()
    first, *_, last = [record.getMessage() for record in caplog.records]
    assert first == f"Postgres: 127.0.0.1:{port} refuses connections: waiting, 0 of 20 s"
    assert last.startswith("waited ")


def test_it_gives_up_and_leaves_the_rest_to_the_caller() -> None:
    (port,) = free_ports(1)
    with seconds(1, 3):
        FirstConnections(1, never).await_store(f"http://127.0.0.1:{port}")


def test_the_same_place_is_waited_for_once() -> None:
    (port,) = free_ports(1)
    connections = FirstConnections(1, never)
    connections.await_store(f"http://127.0.0.1:{port}")
    with seconds(0, 0.5):
        connections.await_store(f"http://127.0.0.1:{port}/other")


def test_without_the_setting_nothing_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="lotuslake")
    (port,) = free_ports(1)
    with seconds(0, 0.5):
        FirstConnections(0, never).await_postgres(f"postgresql://me@127.0.0.1:{port}/lake")
    assert caplog.records == []


def test_what_takes_a_connection_is_not_waited_for_whatever_it_says_then(caplog: pytest.LogCaptureFixture) -> None:
    """Refused credentials come after the connection: they are an answer."""
    caplog.set_level(logging.INFO, logger="lotuslake")
    with answering(lambda line: line.sendall(b"no")) as port, seconds(0, 1):
        FirstConnections(20, never).await_postgres(f"postgresql://me@127.0.0.1:{port}/lake")
    assert caplog.records == []


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (TimeoutError(), "db:5432 does not answer"),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "the name db is not found"),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), "the name db is not found"),
        (ConnectionRefusedError(), "db:5432 refuses connections"),
    ],
)
def test_names_and_silence_are_waited_for_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: OSError, said: str
) -> None:
    caplog.set_level(logging.INFO, logger="lotuslake")
    tries = iter([trouble, trouble, None])

    def connect(*_: object, **__: object) -> socket.socket:
        if error := next(tries):
            raise error
        return socket.socket()

    monkeypatch.setattr(socket, "create_connection", connect)
    FirstConnections(20, never).await_postgres("postgresql://me@db/lake")
    assert said in caplog.records[0].getMessage()
    assert next(tries, "all used") == "all used"


@pytest.mark.parametrize("trouble", [ConnectionResetError(), OSError(113, "No route to host")])
def test_other_trouble_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, trouble: OSError) -> None:
    def connect(*_: object, **__: object) -> socket.socket:
        raise trouble

    monkeypatch.setattr(socket, "create_connection", connect)
    with seconds(0, 0.4):
        FirstConnections(20, never).await_postgres("postgresql://me@db/lake")


def test_a_person_ends_the_wait() -> None:
    class StoppedError(Exception):
        pass

    def stop() -> None:
        raise StoppedError

    (port,) = free_ports(1)
    with pytest.raises(StoppedError):
        FirstConnections(20, stop).await_store(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me@db:5433/lake", [("db", 5433)]),
        ("postgresql://me@db/lake", [("db", 5432)]),
        ("postgresql://me@a:1,b:2/lake", [("a", 1), ("b", 2)]),
        ("postgresql://me@[::1]:5432/lake", [("::1", 5432)]),
        ("postgresql://me@/lake?host=/run/postgresql", []),
        ("postgresql:///lake", []),
        ("postgresql://me@db:many/lake", []),
    ],
)
def test_the_hosts_are_those_that_libpq_tries(url: str, expected: list[tuple[str, int]]) -> None:
    assert postgres_addresses(url) == expected


def test_the_hosts_may_come_from_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db")
    monkeypatch.setenv("PGPORT", "6000")
    assert postgres_addresses("postgresql:///lake") == [("db", 6000)]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://store:8333", [("store", 8333)]),
        ("http://store", [("store", 80)]),
        ("https://store/path", [("store", 443)]),
    ],
)
def test_the_store_is_where_its_endpoint_says(url: str, expected: list[tuple[str, int]]) -> None:
    assert store_addresses(url) == expected


def test_behind_a_proxy_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    assert store_addresses("https://s3.eu-central-1.amazonaws.com") == []
    monkeypatch.setenv("no_proxy", "s3.eu-central-1.amazonaws.com")
    assert store_addresses("https://s3.eu-central-1.amazonaws.com") == [("s3.eu-central-1.amazonaws.com", 443)]
