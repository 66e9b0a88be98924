"""An imitation of the few routes of Airbyte that `backfill --refresh-source` calls, on loopback. It is not Airbyte.

Shapes follow Airbyte's published descriptions: the Configuration API 1.0.0 (airbyte-platform commit 000d29759a6c,
airbyte-api/server-api/src/main/openapi/config.yaml) for token, refresh and state, and the public API v1
(api_documentation_jobs.yaml, commit 09c3a498057b) for connections and jobs.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
CLIENT_ID = "5f1d0e1c-0000-4000-8000-000000000001"
CLIENT_SECRET = "imitated-client-secret"
SHOPIFY = "9924bcd0-99be-453d-ba47-c2c9766f7da5"


@dataclass(frozen=True)
class Reply:
    """An answer of any kind; ``body`` is sent as it is."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0


@dataclass
class Call:
    """What was asked."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Json


class AirbyteImitation:
    """Its state is plain and may be changed by a test at any time; `faults` answers a path in place of the route."""

    def __init__(self) -> None:
        self.connections: list[Json] = [self.connection(SHOPIFY, "test to lake", "test")]
        self.states: dict[str, Json] = {}
        self.jobs: dict[int, Json] = {}
        self.calls: list[Call] = []
        self.faults: dict[str, list[Reply]] = {}
        # What a job goes through, one for each time that it is asked about.
        self.course = ["running", "succeeded"]
        self.on_success: Callable[[], None] = lambda: None
        self.tokens_given = 0
        # How many calls a token serves before it has run out.
        self.token_serves = 1_000
        self._token_left = 0
        self._until: dict[int, list[str]] = {}
        self._lock = threading.Lock()
        self.url = ""

    @staticmethod
    def connection(id_: str, name: str, namespace: str) -> Json:
        return {
            "connectionId": id_,
            "name": name,
            "status": "active",
            "namespaceDefinition": "custom_format",
            "namespaceFormat": namespace,
        }

    @property
    def token(self) -> str:
        return f"imitated-token-{self.tokens_given}"

    def add_job(self, connection_id: str, kind: str, status: str) -> int:
        id_ = len(self.jobs) + 101
        self.jobs[id_] = {"jobId": id_, "connectionId": connection_id, "jobType": kind, "status": status}
        return id_

    def called(self, path: str) -> list[Json]:
        return [call.body for call in self.calls if call.path == path]

    @contextmanager
    def served(self) -> Iterator[AirbyteImitation]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def answer(self, call: Call, authorization: str | None) -> Reply:
        with self._lock:
            self.calls.append(call)
            if queue := self.faults.get(call.path):
                return queue.pop(0) if len(queue) > 1 else queue[0]
            if call.path == "/api/v1/applications/token":
                return self._give_token(call.body)
            if authorization != f"Bearer {self.token}" or self._token_left <= 0:
                return _json({"message": "Unauthorized"}, 401)
            self._token_left -= 1
            return self._route(call)

    def _give_token(self, body: Json) -> Reply:
        if (body.get("client_id"), body.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _json({"message": f"invalid client_secret {body.get('client_secret')}"}, 401)
        self.tokens_given += 1
        self._token_left = self.token_serves
        return _json({"access_token": self.token, "token_type": "Bearer", "expires_in": 900})

    def _route(self, call: Call) -> Reply:
        id_ = call.body.get("connectionId")
        if call.path.startswith("/api/v1") and id_ not in {item["connectionId"] for item in self.connections}:
            return _json({"message": f"Could not find configuration for STANDARD_SYNC: {id_}."}, 404)
        match call.method, call.path:
            case "GET", "/api/public/v1/connections":
                offset, limit = int(call.query["offset"][0]), int(call.query["limit"][0])
                return _json({"data": self.connections[offset : offset + limit], "next": "", "previous": ""})
            case "GET", "/api/public/v1/jobs":
                jobs = [job for job in self.jobs.values() if job["connectionId"] == call.query["connectionId"][0]]
                return _json({"data": jobs[::-1], "next": "", "previous": ""})
            case "POST", "/api/public/v1/jobs":
                return self._begin(call.body["connectionId"], call.body["jobType"], internal=False)
            case "POST", "/api/v1/connections/refresh":
                return self._begin(call.body["connectionId"], "refresh", internal=True)
            case "POST", "/api/v1/state/get":
                return _json(self.states.get(str(id_), {"stateType": "not_set", "connectionId": id_}))
            case "POST", "/api/v1/state/create_or_update_safe":
                return self._replace_state(str(id_), call.body["connectionState"])
            case "GET", path if found := re.fullmatch(r"/api/public/v1/jobs/(\d+)", path):
                return self._job(int(found[1]))
        return _json({"message": f"no such route: {call.method} {call.path}"}, 404)

    def _begin(self, connection_id: str, kind: str, *, internal: bool) -> Reply:
        if self._is_busy(connection_id):
            return _json({"message": f"A sync is already running for: {connection_id}"}, 409)
        id_ = self.add_job(connection_id, kind, "pending")
        self._until[id_] = list(self.course)
        if internal:
            return _json({"job": {"id": id_, "configType": kind, "configId": connection_id, "status": "pending"}})
        return _json(self.jobs[id_])

    def _replace_state(self, connection_id: str, state: Json) -> Reply:
        if self._is_busy(connection_id):
            return _json({"message": "State cannot be updated while a sync is running for this connection"}, 423)
        self.states[connection_id] = state
        return _json(state)

    def _is_busy(self, connection_id: str) -> bool:
        under_way = {"pending", "running", "incomplete"}
        return any(job["connectionId"] == connection_id and job["status"] in under_way for job in self.jobs.values())

    def _job(self, id_: int) -> Reply:
        if id_ not in self.jobs:
            return _json({"message": "Could not find the job"}, 404)
        job = self.jobs[id_]
        if self._until.get(id_):
            job["status"] = self._until[id_].pop(0)
            job["rowsSynced"] = job.get("rowsSynced", 0) + 1_200
            if job["status"] == "succeeded":
                self.on_success()
        return _json(job)


def _json(document: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


def _handler(imitation: AirbyteImitation) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call(self.command, parts.path, parse_qs(parts.query), json.loads(text) if text else {})
            reply = imitation.answer(call, self.headers.get("Authorization"))
            if reply.delay_seconds:
                threading.Event().wait(reply.delay_seconds)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None: ...

        do_GET = do_POST = handle_any  # noqa: N815 - names that http.server asks for

    return Handler
