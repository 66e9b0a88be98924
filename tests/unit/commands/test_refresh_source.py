"""`backfill --refresh-source`: what is asked of Airbyte, and how each of its jobs ends for us."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from lotuslake.commands import refresh_source as module
from lotuslake.commands.context import RunContext
from lotuslake.commands.refresh_source import LOST_ANSWERS, SourceRefresh, refresh_source
from lotuslake.core.airbyte_job import Connection, Job, SourceStream
from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.discovery import DiscoveredStream, Discovery
from lotuslake.core.errors import ConfigError, SourceBusyError, UnreachableError
from lotuslake.core.source import Source
from lotuslake.core.stream import Stream
from tests.support.lake import CUSTOMERS, ORDERS

LOST = UnreachableError("Airbyte does not answer")
EVENTS = replace(ORDERS, source="klaviyo", name="events")


@dataclass
class InMemoryAirbyte:
    """Jobs that go through a course of statuses; an error in the course is raised once."""

    course: Sequence[str | UnreachableError] = ("running", "succeeded")
    busy: Job | None = None
    state: Mapping[str, Any] = field(default_factory=lambda: {"stateType": "not_set"})
    asked: list[tuple[object, ...]] = field(default_factory=list)
    jobs: dict[int, list[str | UnreachableError]] = field(default_factory=dict)

    def list_connections(self) -> Sequence[Connection]:
        return [Connection("c-shop", "shop to lake"), Connection("c-klaviyo", "x", "klaviyo")]

    def load_job_under_way(self, connection_id: str) -> Job | None:
        return self.busy

    def refresh(self, connection_id: str, streams: Sequence[SourceStream]) -> Job:
        self.asked.append(("refresh", connection_id, *streams))
        return self._begin(connection_id, "refresh")

    def load_state(self, connection_id: str) -> Mapping[str, Any]:
        return self.state

    def replace_state(self, connection_id: str, state: Mapping[str, Any]) -> None:
        self.asked.append(("state", connection_id, state))

    def begin_sync(self, connection_id: str) -> Job:
        self.asked.append(("sync", connection_id))
        return self._begin(connection_id, "sync")

    def load_job(self, job_id: int) -> Job:
        course = self.jobs[job_id]
        now = course.pop(0) if len(course) > 1 else course[0]
        if isinstance(now, UnreachableError):
            raise now
        return Job(job_id, "c", "refresh", now, 5)

    def _begin(self, connection_id: str, kind: str) -> Job:
        id_ = len(self.jobs) + 1
        self.jobs[id_] = list(self.course)
        return Job(id_, connection_id, kind, "pending")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(module, "POLL_SECONDS", (0.0, 0.0))


def run(
    airbyte: InMemoryAirbyte,
    *streams: Stream,
    since: date | None = None,
    sources: Sequence[AirbyteSource] = (),
    ends_after: int | None = None,
) -> list[SourceRefresh]:
    asked = 0

    def should_end() -> bool:
        nonlocal asked
        asked += 1
        return ends_after is not None and asked > ends_after

    context = RunContext("r", "backfill", lambda: datetime.now(UTC), should_end)
    known = sources or [AirbyteSource(Source(name), ()) for name in ("klaviyo", "shop")]
    return refresh_source(streams or (ORDERS, CUSTOMERS), known, airbyte, context, since=since)


def test_just_these_streams_of_each_source_are_refreshed() -> None:
    airbyte = InMemoryAirbyte()
    done = run(airbyte, ORDERS, EVENTS, CUSTOMERS)
    shop = SourceStream(ORDERS.name), SourceStream(CUSTOMERS.name)
    assert airbyte.asked == [("refresh", "c-shop", *shop), ("refresh", "c-klaviyo", SourceStream("events"))]
    assert [(item.source, item.job.status, item.is_over) for item in done] == [
        ("shop", "succeeded", True),
        ("klaviyo", "succeeded", True),
    ]


def test_the_connection_that_the_source_names_and_the_namespaces_that_discover_gave() -> None:
    airbyte = InMemoryAirbyte()
    found = DiscoveredStream(ORDERS.name, {}, ("incremental",), namespace="db")
    source = AirbyteSource(Source("shop", connection_id="own"), (), discovery=Discovery("x", "1", {found.name: found}))
    run(airbyte, ORDERS, CUSTOMERS, sources=[source])
    assert airbyte.asked == [("refresh", "own", SourceStream(ORDERS.name, "db"), SourceStream(CUSTOMERS.name))]


def test_from_a_day_on_the_state_is_set_back_and_the_connection_synced() -> None:
    part = {"streamDescriptor": {"name": ORDERS.name}, "streamState": {"updated_at": "2026-05-01"}}
    airbyte = InMemoryAirbyte(state={"stateType": "stream", "streamState": [part]})
    run(airbyte, ORDERS, since=date(2026, 1, 1))
    kinds = [call[0] for call in airbyte.asked]
    assert kinds == ["state", "sync"]
    written = airbyte.asked[0][2]
    assert isinstance(written, dict)
    assert written["streamState"][0]["streamState"] == {"updated_at": "2026-01-01"}


def test_a_state_that_lies_before_that_day_is_left() -> None:
    airbyte = InMemoryAirbyte()
    run(airbyte, ORDERS, since=date(2026, 1, 1))
    assert [call[0] for call in airbyte.asked] == ["sync"]


def test_a_pause_waits_until_its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.2, 0.9, 1.1])
    slept: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(time, "sleep", slept.append)
    assert module._pause(1.0, RunContext("r", "backfill", lambda: datetime.now(UTC)))
    assert slept == pytest.approx([0.5, 0.1])


def test_a_busy_connection_is_asked_for_nothing() -> None:
    airbyte = InMemoryAirbyte(busy=Job(9, "c-shop", "sync", "running"))
    with pytest.raises(SourceBusyError, match=r"shop: Airbyte job 9 \(sync\): running; wait"):
        run(airbyte)
    assert airbyte.asked == []


def test_a_state_that_cannot_be_set_back_is_left() -> None:
    airbyte = InMemoryAirbyte(state={"stateType": "global"})
    with pytest.raises(ConfigError, match="one global state"):
        run(airbyte, since=date(2026, 1, 1))
    assert airbyte.asked == []


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_job_that_does_not_succeed_is_told(status: str) -> None:
    with pytest.raises(UnreachableError, match=rf"shop: Airbyte job 1 \(refresh\): {status}.*run the same command"):
        run(InMemoryAirbyte(["running", "incomplete", status]))


def test_answers_that_are_lost_now_and_then_do_no_harm() -> None:
    lost = [LOST] * (LOST_ANSWERS - 1)
    assert run(InMemoryAirbyte([*lost, "running", *lost, "succeeded"]))[0].is_over


def test_an_airbyte_that_stays_away_is_told() -> None:
    with pytest.raises(UnreachableError, match="does not answer; Airbyte job 1 of shop may go on"):
        run(InMemoryAirbyte([*[LOST] * LOST_ANSWERS, "succeeded"]))


def test_when_time_is_up_the_job_goes_on_alone(caplog: pytest.LogCaptureFixture) -> None:
    done = run(InMemoryAirbyte(["running"]), ends_after=3)
    assert [(item.job.status, item.is_over) for item in done] == [("running", False)]
    assert "it goes on without us" in caplog.text
