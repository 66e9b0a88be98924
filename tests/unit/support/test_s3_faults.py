"""The proxy before a store: what passes unchanged, and each way to fail."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.s3_faults import S3Faults

BODY = b"0123456789"


class EchoHandler(BaseHTTPRequestHandler):
    """Answers GET with BODY; the headers tell what was asked."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("X-Asked", f"{self.command} {self.path}")
        self.send_header("X-Host", self.headers["Host"])
        self.send_header("X-Body", body.decode())
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(BODY)

    do_GET = do_HEAD = do_PUT = _answer  # noqa: N815


@pytest.fixture
def faults() -> Iterator[S3Faults]:
    with ThreadingHTTPServer(("127.0.0.1", 0), EchoHandler) as store:
        thread = threading.Thread(target=store.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        with S3Faults(f"http://127.0.0.1:{store.server_address[1]}") as proxy:
            yield proxy
        store.shutdown()
        thread.join()


def ask(faults: S3Faults, method: str, path: str, body: bytes | None = None) -> tuple[http.client.HTTPResponse, bytes]:
    client = http.client.HTTPConnection(faults.endpoint.removeprefix("http://"), timeout=5)
    client.request(method, path, body, headers={"Host": "signed.example:1", "Expect": "100-continue"})
    reply = client.getresponse()
    try:
        return reply, reply.read()
    finally:
        client.close()


def test_path_host_and_body_pass_unchanged(faults: S3Faults) -> None:
    path = "/lake/a%20b%2Bc%25.parquet?x=%2F&y"
    reply, body = ask(faults, "PUT", path, b"some bytes")
    assert (reply.status, body) == (200, BODY)
    assert reply.headers["X-Asked"] == f"PUT {path}"
    assert reply.headers["X-Host"] == "signed.example:1"
    assert reply.headers["X-Body"] == "some bytes"
    assert faults.requests == [("PUT", "/lake/a b+c%.parquet?x=/&y")]


def test_a_head_keeps_the_announced_length(faults: S3Faults) -> None:
    reply, body = ask(faults, "HEAD", "/lake/a")
    assert (reply.headers["Content-Length"], body) == ("10", b"")


def test_a_status_for_some_keys_and_times(faults: S3Faults) -> None:
    fault = faults.answer(503, r"a\.parquet$", method="GET", times=2)
    for path in ("/lake/b.parquet", "/lake/a.parquet", "/lake/a.parquet", "/lake/a.parquet"):
        ask(faults, "GET", path)
    ask(faults, "HEAD", "/lake/a.parquet")
    assert fault.hits == 2
    assert faults.count() == {"GET": 4, "HEAD": 1}
    fault = faults.answer(404, "gone")
    reply, body = ask(faults, "GET", "/lake/gone")
    assert (reply.status, b"<Code>NoSuchKey</Code>" in body, fault.hits) == (404, True, 1)
    assert ask(faults, "HEAD", "/lake/gone")[1] == b""
    faults.restore()
    assert ask(faults, "GET", "/lake/gone")[0].status == 200


def test_a_listing_is_told_from_a_get(faults: S3Faults) -> None:
    fault = faults.answer(403, method="LIST")
    assert ask(faults, "GET", "/lake/a")[0].status == 200
    assert ask(faults, "GET", "/lake?list-type=2&prefix=a")[0].status == 403
    assert (fault.hits, faults.count()["LIST"]) == (1, 1)


def test_slow(faults: S3Faults) -> None:
    faults.slow(0.2, times=1)
    started = time.monotonic()
    assert ask(faults, "GET", "/lake/a")[1] == BODY
    assert time.monotonic() - started >= 0.2


def test_a_body_cut_short(faults: S3Faults) -> None:
    faults.truncate(keep=0.3, times=1)
    with pytest.raises(http.client.IncompleteRead) as raised:
        ask(faults, "GET", "/lake/a")
    assert raised.value.partial == b"012"
    assert ask(faults, "GET", "/lake/a")[1] == BODY
