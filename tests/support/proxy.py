"""A TCP proxy on loopback that is slow, cuts lines and refuses them on demand: between a client and its Postgres."""

from __future__ import annotations

import queue
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

CHUNK_BYTES = 65536
# How much of what was sent before is shown to a predicate again: what it looks for may lie across two chunks.
LOOK_BACK_BYTES = 256
# Closing sends RST: the peer sees a lost connection, no orderly end.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Predicate = Callable[[bytes], bool]


def saw(text: bytes) -> Predicate:
    """A predicate: these bytes passed."""
    return lambda data: text in data


@dataclass(eq=False, slots=True)
class Trap:
    """One cut to come: ``before`` the bytes are forwarded, or ``after`` that, when the reply comes.

    ``sprung`` is set once the connection is cut.
    """

    matches: Predicate
    when: Literal["before", "after"]
    sprung: threading.Event = field(default_factory=threading.Event)


class TcpProxy:
    """Forwards to a port of 127.0.0.1; ``one_way_ms`` is added in each direction, so twice that to a round trip."""

    def __init__(self, target_port: int, *, one_way_ms: float = 0.0) -> None:
        self.one_way_ms = one_way_ms
        self.connections = 0
        self._target_port = target_port
        self._lock = threading.Lock()
        self._lines: set[_Line] = set()
        self._trap: Trap | None = None
        self._refuses = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break every connection as it is; new ones are taken."""
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            line.cut()

    def cut_when(self, matches: Predicate, when: Literal["before", "after"]) -> Trap:
        """Break the first connection whose client sends bytes for which `matches` holds; once.

        `matches` is given the newest bytes with a little of what was sent before them.
        """
        trap = Trap(matches, when)
        with self._lock:
            self._trap = trap
        return trap

    def refuse(self) -> None:
        """Break every connection and drop each new one."""
        self._refuses.set()
        self.cut()

    def restore(self) -> None:
        """Back to normal: no trap, nothing refused."""
        with self._lock:
            self._refuses.clear()
            self._trap = None

    def close(self) -> None:
        """End everything."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(timeout=5)
        self.cut()

    def take_trap(self, data: bytes) -> Trap | None:
        """The trap, if these bytes spring it; nobody else gets it then."""
        with self._lock:
            trap = self._trap
            if trap is None or not trap.matches(data):
                return None
            self._trap = None
            return trap

    def forget(self, line: _Line) -> None:
        """A connection that has ended."""
        with self._lock:
            self._lines.discard(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            if self._refuses.is_set():
                _reset(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target_port), timeout=10)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            line = _Line(self, client, server)
            with self._lock:
                self._lines.add(line)
            line.start()
            # Asked to refuse meanwhile: this one slipped through.
            if self._refuses.is_set():
                line.cut()


class _Line:
    """One connection: a client's socket and one to the target, with a thread for each direction."""

    def __init__(self, proxy: TcpProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._awaits_reply: Trap | None = None
        self._open_directions = 2
        self._lock = threading.Lock()
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        for direction in (self._upstream, self._downstream):
            threading.Thread(target=direction, daemon=True).start()

    def cut(self) -> None:
        for one in (self._client, self._server):
            _reset(one)
        self._proxy.forget(self)

    def _upstream(self) -> None:
        sender = _Sender(self._server, self._proxy)
        seen = b""
        while data := _receive(self._client):
            seen = seen[-LOOK_BACK_BYTES:] + data
            trap = self._proxy.take_trap(seen)
            if trap is not None and trap.when == "before":
                self.cut()
                trap.sprung.set()
                return
            if trap is not None:
                self._awaits_reply = trap
            sender.send(data)
        sender.end(self._end_direction)

    def _downstream(self) -> None:
        sender = _Sender(self._client, self._proxy)
        while data := _receive(self._server):
            if self._awaits_reply is not None:
                self.cut()
                self._awaits_reply.sprung.set()
                return
            sender.send(data)
        sender.end(self._end_direction)

    def _end_direction(self) -> None:
        with self._lock:
            self._open_directions -= 1
            is_over = self._open_directions == 0
        if is_over:
            self._client.close()
            self._server.close()
            self._proxy.forget(self)


class _Sender:
    """Sends in order, each chunk one way's latency after it came; a thread waits only where there is latency."""

    def __init__(self, to: socket.socket, proxy: TcpProxy) -> None:
        self._to = to
        self._proxy = proxy
        self._waiting: queue.SimpleQueue[tuple[float, bytes | None]] | None = None
        self._then: Callable[[], None] = lambda: None

    def send(self, data: bytes) -> None:
        delay = self._proxy.one_way_ms / 1000
        if delay == 0 and self._waiting is None:
            _send(self._to, data)
            return
        if self._waiting is None:
            self._waiting = queue.SimpleQueue()
            threading.Thread(target=self._drain, args=(self._waiting,), daemon=True).start()
        self._waiting.put((time.monotonic() + delay, data))

    def end(self, then: Callable[[], None]) -> None:
        """The other side has closed: pass that on after what is still on its way, and do `then`."""
        self._then = then
        if self._waiting is None:
            self._finish()
        else:
            self._waiting.put((0.0, None))

    def _finish(self) -> None:
        _half_close(self._to)
        self._then()

    def _drain(self, waiting: queue.SimpleQueue[tuple[float, bytes | None]]) -> None:
        while True:
            due, data = waiting.get()
            if data is None:
                self._finish()
                return
            time.sleep(max(0.0, due - time.monotonic()))
            _send(self._to, data)


def _receive(one: socket.socket) -> bytes:
    try:
        return one.recv(CHUNK_BYTES)
    except OSError:
        return b""


def _send(to: socket.socket, data: bytes) -> None:
    # A peer that is gone is noticed by the thread that reads from it.
    with suppress(OSError):
        to.sendall(data)


def _half_close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_WR)


def _reset(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    # A thread that sits in recv keeps a closed socket alive: wake it first.
    with suppress(OSError):
        one.shutdown(socket.SHUT_RD)
    with suppress(OSError):
        one.close()
