"""An HTTP proxy before an object store that fails on demand and counts what was asked.

Host, path and query pass unchanged, so that signatures stay valid.
"""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

CODES = {403: "AccessDenied", 404: "NoSuchKey", 500: "InternalError", 503: "SlowDown"}
# Meant for one connection, or made anew on each side.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "proxy-connection"}


@dataclass(eq=False, slots=True)
class Fault:
    """What goes wrong with requests of this ``method`` whose decoded path and query the ``pattern`` is found in.

    ``method`` is an HTTP method, LIST for a listing, or None for all. ``times`` bounds how often, None does not.
    ``status``, with S3's ``code`` for it, answers instead of the store; ``delay_seconds`` comes first; ``keep`` is the
    share of a body that gets through before the connection breaks. ``hits`` counts.
    """

    pattern: str = ""
    method: str | None = None
    times: int | None = None
    status: int | None = None
    code: str | None = None
    delay_seconds: float = 0.0
    keep: float | None = None
    hits: int = 0

    def takes(self, method: str, target: str) -> bool:
        """Whether it is meant for this request; counts it if so. Call under a lock."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.method not in {None, method} or not re.search(self.pattern, target):
            return False
        self.hits += 1
        return True


@dataclass(slots=True)
class _State:
    upstream: tuple[str, int]
    lock: threading.Lock = field(default_factory=threading.Lock)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)


class S3Faults:
    """The proxy: ``endpoint`` takes the place of the store's own."""

    def __init__(self, store_endpoint: str) -> None:
        url = urlsplit(store_endpoint)
        assert url.hostname
        assert url.port
        self._state = _State((url.hostname, url.port))
        handler = type("Handler", (_Handler,), {"state": self._state})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(self, fault: Fault) -> Fault:
        """From now on; of several faults the one added first is taken."""
        with self._state.lock:
            self._state.faults.append(fault)
        return fault

    def answer(
        self,
        status: int,
        pattern: str = "",
        *,
        method: str | None = None,
        times: int | None = None,
        code: str | None = None,
    ) -> Fault:
        """Answer with an S3 error instead of asking the store."""
        return self.add(Fault(pattern, method, times, status=status, code=code))

    def slow(self, seconds: float, pattern: str = "", *, method: str | None = None, times: int | None = None) -> Fault:
        """Wait before asking the store."""
        return self.add(Fault(pattern, method, times, delay_seconds=seconds))

    def truncate(
        self, pattern: str = "", *, keep: float = 0.5, method: str | None = "GET", times: int | None = None
    ) -> Fault:
        """Announce the whole body, send a part of it, and hang up."""
        return self.add(Fault(pattern, method, times, keep=keep))

    def restore(self) -> None:
        """Back to normal; the faults keep their counts."""
        with self._state.lock:
            self._state.faults.clear()

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Method (LIST for a listing) and decoded path with query of every request so far."""
        with self._state.lock:
            return list(self._state.requests)

    def count(self) -> Counter[str]:
        """How many requests of each method came."""
        return Counter(method for method, _ in self.requests)

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state: _State
    _upstream: http.client.HTTPConnection | None = None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing on stderr."""

    def finish(self) -> None:
        super().finish()
        if self._upstream is not None:
            self._upstream.close()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        method, target = self._operation()
        with self.state.lock:
            self.state.requests.append((method, target))
            fault = next((fault for fault in self.state.faults if fault.takes(method, target)), None)
        if fault is not None:
            time.sleep(fault.delay_seconds)
        if fault is not None and fault.status is not None:
            code = fault.code or CODES.get(fault.status, "InternalError")
            text = (
                f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>injected</Message></Error>'
            )
            self._reply(fault.status, [("Content-Type", "application/xml")], text.encode(), None)
            return
        status, headers, content = self._ask(body)
        self._reply(status, headers, content, None if fault is None else fault.keep)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

    def _operation(self) -> tuple[str, str]:
        target = unquote(self.path)
        listing = self.command == "GET" and "list-type=" in urlsplit(self.path).query
        return "LIST" if listing else self.command, target

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        if self._upstream is None:
            self._upstream = http.client.HTTPConnection(*self.state.upstream, timeout=60)
        request = self._upstream
        try:
            request.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    request.putheader(name, value)
            request.endheaders(body or None)
            reply = request.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        except (OSError, http.client.HTTPException):
            request.close()
            return 503, [("Content-Type", "application/xml")], b"<Error><Code>ServiceUnavailable</Code></Error>"

    def _reply(self, status: int, headers: list[tuple[str, str]], content: bytes, keep: float | None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        announced = {name.lower(): value for name, value in headers}.get("content-length")
        is_head = self.command == "HEAD"
        if not (is_head and announced is None):
            self.send_header("Content-Length", announced if is_head and announced else str(len(content)))
        self.end_headers()
        if keep is not None:
            self.wfile.write(content[: int(len(content) * keep)])
            self._hang_up()
        elif not is_head:
            self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
