"""Pushing metrics: to a gateway, to one that refuses, to nobody."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lotuslake.adapters.pushgateway import Pushgateway
from lotuslake.core.errors import ConfigError, ExitCode, UnreachableError
from tools.services import free_ports

received: list[tuple[str, str, str]] = []


class Gateway(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        received.append((self.path, self.headers["Content-Type"], body))
        self.send_response(400 if "bad" in body else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        pass


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    received.clear()
    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_push_replaces_the_group(url: str) -> None:
    Pushgateway(url + "/").push("lotuslake_snapshots 1\n")
    assert received == [("/metrics/job/lotuslake", "text/plain; version=0.0.4", "lotuslake_snapshots 1\n")]


def test_a_gateway_that_refuses(url: str) -> None:
    with pytest.raises(UnreachableError, match="does not take the metrics: HTTP 400"):
        Pushgateway(url).push("bad")


def test_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(UnreachableError, match="does not answer") as raised:
        Pushgateway(f"http://user:hunter2@127.0.0.1:{free_ports(1)[0]}").push("x 1\n")
    assert "hunter2" not in raised.value.message
    assert raised.value.exit_code is ExitCode.UNREACHABLE


@pytest.mark.parametrize("url", ["pushgateway:9091", "file:///etc/passwd", "http://"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ConfigError, match="--push must be the URL"):
        Pushgateway(url)
