"""A running Airbyte, by HTTP.

Routes and shapes are those of the Configuration API 1.0.0 (`/api/v1`: refresh, state, token; airbyte-platform commit
000d29759a6c, `airbyte-api/server-api/src/main/openapi/config.yaml`) and of the public API v1 (`/api/public/v1`:
connections and jobs; `api_documentation_jobs.yaml`, commit 09c3a498057b). Airbyte promises to keep the second alone;
the first is the only one that can refresh single streams.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from lotuslake.adapters.airbyte_http import AirbyteHttp
from lotuslake.core.airbyte_job import UNDER_WAY, Connection, Job, SourceStream

INTERNAL = "/api/v1"
PUBLIC = "/api/public/v1"
PAGE = 100
MAX_PAGES = 50


class AirbyteApi:
    """The routes that the commands need; every answer is checked for what is taken from it."""

    def __init__(self, http: AirbyteHttp) -> None:
        self._http = http

    def list_connections(self) -> list[Connection]:
        found: list[Connection] = []
        for page in range(MAX_PAGES):
            query = urlencode({"limit": PAGE, "offset": page * PAGE})
            answer = self._http.ask("GET", f"{PUBLIC}/connections?{query}")
            items = self._items(answer)
            found += [self._connection(item) for item in items]
            if len(items) < PAGE:
                break
        return found

    def load_job_under_way(self, connection_id: str) -> Job | None:
        query = urlencode({"connectionId": connection_id, "limit": 5, "orderBy": "createdAt|DESC"})
        jobs = [self._job(item) for item in self._items(self._http.ask("GET", f"{PUBLIC}/jobs?{query}"))]
        return next((job for job in jobs if job.status in UNDER_WAY), None)

    def refresh(self, connection_id: str, streams: Sequence[SourceStream]) -> Job:
        wanted = [_named(stream, "streamName", "streamNamespace") for stream in streams]
        body = {"connectionId": connection_id, "refreshMode": "Merge", "streams": wanted}
        answer = self._http.ask("POST", f"{INTERNAL}/connections/refresh", body)
        job = answer.get("job")
        if not isinstance(job, Mapping):
            raise self._http.garbage("names no job: is it older than 1.0?")
        return self._internal_job(job, connection_id)

    def load_state(self, connection_id: str) -> Mapping[str, Any]:
        return self._http.ask("POST", f"{INTERNAL}/state/get", {"connectionId": connection_id})

    def replace_state(self, connection_id: str, state: Mapping[str, Any]) -> None:
        # The safe one of two routes: it answers 423 when a sync has begun in the meantime.
        body = {"connectionId": connection_id, "connectionState": {**state, "connectionId": connection_id}}
        self._http.ask("POST", f"{INTERNAL}/state/create_or_update_safe", body)

    def begin_sync(self, connection_id: str) -> Job:
        return self._job(self._http.ask("POST", f"{PUBLIC}/jobs", {"connectionId": connection_id, "jobType": "sync"}))

    def load_job(self, job_id: int) -> Job:
        return self._job(self._http.ask("GET", f"{PUBLIC}/jobs/{job_id}"))

    def _connection(self, item: Mapping[str, Any]) -> Connection:
        if not isinstance(item.get("connectionId"), str):
            raise self._http.garbage("lists a connection without an id")
        own = (
            item.get("namespaceFormat")
            if item.get("namespaceDefinition") in {"custom_format", "customformat"}
            else None
        )
        return Connection(item["connectionId"], str(item.get("name") or ""), own or None)

    def _job(self, item: Mapping[str, Any]) -> Job:
        """JobResponse of the public API."""
        id_, status = item.get("jobId"), item.get("status")
        if not isinstance(id_, int) or not isinstance(status, str):
            raise self._http.garbage("lists a job without an id or a status")
        rows = item.get("rowsSynced")
        return Job(
            id=id_,
            connection_id=str(item.get("connectionId") or ""),
            kind=str(item.get("jobType") or "job"),
            status=status.lower(),
            rows=rows if isinstance(rows, int) else None,
        )

    def _internal_job(self, item: Mapping[str, Any], connection_id: str) -> Job:
        """JobRead of the Configuration API."""
        id_, status = item.get("id"), item.get("status")
        if not isinstance(id_, int) or not isinstance(status, str):
            raise self._http.garbage("begins a job without an id or a status")
        return Job(id_, connection_id, str(item.get("configType") or "refresh"), status.lower())

    def _items(self, answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        items = answer.get("data")
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise self._http.garbage("holds no list")
        return items


def _named(stream: SourceStream, name: str, namespace: str) -> dict[str, str]:
    named = {name: stream.name}
    if stream.namespace:
        named[namespace] = stream.namespace
    return named
