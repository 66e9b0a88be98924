"""A local HTTP server that answers as another company's API would, as far as a connector asks. It is not that API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request; ``host`` is the one that the connector named."""

    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    document: Json
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Api(Protocol):
    """Answers; what it cannot answer it keeps in ``problems``, which a test looks at."""

    problems: list[str]

    def answer(self, asked: Asked) -> Answer: ...


@contextmanager
def serve(api: Api) -> Iterator[str]:
    """The API on loopback; its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(headers.get("x-named-host", ""), parts.path, dict(parse_qsl(parts.query)), headers)
            try:
                answer = api.answer(asked)
            except Exception as error:  # noqa: BLE001 - a test reads the problems
                api.problems.append(f"{self.path}: {error!r}")
                answer = Answer({"errors": "the imitation cannot answer this"}, 404)
            body = json.dumps(answer.document).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
