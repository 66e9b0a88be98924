"""The proxy between a client and its server: slow, cut, refused, and normal again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.support.proxy import TcpProxy, saw


class EchoServer:
    """Answers every message with `ok:` before it, and remembers what came."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Wakes the thread in accept; fails where that is done already.
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while data := _received(connection):
                self.received.append(data)
                connection.sendall(b"ok:" + data)


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


@pytest.fixture
def server() -> Iterator[EchoServer]:
    echo = EchoServer()
    yield echo
    echo.close()


@contextmanager
def client_of(proxy: TcpProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
        yield client


def ask(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return client.recv(65536)


def is_cut(client: socket.socket, data: bytes = b"hello?") -> bool:
    try:
        return ask(client, data) == b""
    except ConnectionError:
        return True


def test_it_forwards_both_ways(server: EchoServer) -> None:
    with TcpProxy(server.port) as proxy, client_of(proxy) as client:
        assert ask(client, b"a") == b"ok:a"
        assert ask(client, b"b") == b"ok:b"
        assert proxy.connections == 1


def test_an_end_of_the_client_reaches_the_server(server: EchoServer) -> None:
    with TcpProxy(server.port) as proxy, client_of(proxy) as client:
        assert ask(client, b"a") == b"ok:a"
        client.shutdown(socket.SHUT_WR)
        assert client.recv(10) == b""


def test_latency_is_added_each_way_and_keeps_order(server: EchoServer) -> None:
    with TcpProxy(server.port, one_way_ms=30) as proxy, client_of(proxy) as client:
        started = time.monotonic()
        assert ask(client, b"a") == b"ok:a"
        assert 0.06 <= time.monotonic() - started < 0.5
        for number in range(50):
            client.sendall(b"%03d" % number)
        received = b""
        while received.count(b"049") == 0:
            received += client.recv(65536)
        digits = received.replace(b"ok:", b"")
        assert digits == b"".join(b"%03d" % number for number in range(50))


def test_cut_breaks_what_is_open_and_takes_new_connections(server: EchoServer) -> None:
    with TcpProxy(server.port) as proxy:
        with client_of(proxy) as client:
            ask(client, b"a")
            proxy.cut()
            assert is_cut(client)
        with client_of(proxy) as client:
            assert ask(client, b"b") == b"ok:b"


def test_a_cut_before_forwarding(server: EchoServer) -> None:
    with TcpProxy(server.port) as proxy:
        trap = proxy.cut_when(saw(b"COMMIT"), "before")
        with client_of(proxy) as client:
            assert ask(client, b"BEGIN") == b"ok:BEGIN"
            assert is_cut(client, b"COMMIT")
        assert trap.sprung.wait(5)
        assert server.received == [b"BEGIN"]
        with client_of(proxy) as client:
            assert ask(client, b"COMMIT") == b"ok:COMMIT", "a trap springs once"


def test_a_cut_after_forwarding(server: EchoServer) -> None:
    with TcpProxy(server.port, one_way_ms=5) as proxy:
        trap = proxy.cut_when(saw(b"COMMIT"), "after")
        with client_of(proxy) as client:
            assert ask(client, b"BEGIN") == b"ok:BEGIN"
            assert is_cut(client, b"COMMIT")
        assert trap.sprung.wait(5)
        assert server.received == [b"BEGIN", b"COMMIT"]


def test_a_word_across_two_chunks_springs_the_trap(server: EchoServer) -> None:
    with TcpProxy(server.port) as proxy, client_of(proxy) as client:
        trap = proxy.cut_when(saw(b"COMMIT"), "before")
        assert ask(client, b"..COM") == b"ok:..COM"
        assert is_cut(client, b"MIT")
        assert trap.sprung.wait(5)


def takes_nobody(proxy: TcpProxy) -> bool:
    """Whether a new connection is refused or cut; the reset may come while it is still being made."""
    try:
        with client_of(proxy) as client:
            return is_cut(client)
    except ConnectionError:
        return True


def test_refuse_and_restore(server: EchoServer) -> None:
    with TcpProxy(server.port) as proxy:
        with client_of(proxy) as client:
            ask(client, b"a")
            proxy.refuse()
            assert is_cut(client)
        assert takes_nobody(proxy)
        proxy.cut_when(saw(b"a"), "before")
        proxy.restore()
        with client_of(proxy) as client:
            assert ask(client, b"a") == b"ok:a"


def test_nothing_listens_behind_it(server: EchoServer) -> None:
    server.close()
    with TcpProxy(server.port) as proxy:
        assert takes_nobody(proxy)
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
