"""`backfill --refresh-source`, end to end, against the imitation of Airbyte: asked, awaited, registered, transformed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.program import Project
from tests.functional.things import STREAM, data_file, key_of, things_project
from tests.support.airbyte_imitation import CLIENT_ID, CLIENT_SECRET, SHOPIFY, AirbyteImitation, Reply
from tests.support.leaks import leaks_below, remember_secret

REFRESH = ("backfill", STREAM, "--refresh-source")
remember_secret("Airbyte's client secret", CLIENT_SECRET)


@pytest.fixture
def imitation() -> Iterator[AirbyteImitation]:
    with AirbyteImitation().served() as served:
        yield served


@pytest.fixture
def project(tmp_path: Path, imitation: AirbyteImitation) -> Project:
    project = things_project(tmp_path)
    project.environment |= {
        "AIRBYTE_API_URL": imitation.url,
        "AIRBYTE_CLIENT_ID": CLIENT_ID,
        "AIRBYTE_CLIENT_SECRET": CLIENT_SECRET,
    }
    return project


def test_what_the_refresh_lands_is_in_the_lake_when_the_command_ends(
    project: Project, imitation: AirbyteImitation
) -> None:
    project.put(key_of("1_0.parquet"), data_file([1, 2]))
    imitation.on_success = lambda: void(project.put(key_of("2_0.parquet"), data_file([2, 3, 4])))
    outcome = project.json(*REFRESH)
    assert imitation.called("/api/v1/connections/refresh") == [
        {"connectionId": SHOPIFY, "refreshMode": "Merge", "streams": [{"streamName": "things"}]}
    ]
    assert outcome.envelope["data"]["source_jobs"] == [
        {"source": "test", "connection_id": SHOPIFY, "job_id": 101, "status": "succeeded", "rows": 2400}
    ]
    assert outcome.stream(STREAM)["rows"] == 5
    assert project.rows("SELECT id FROM processed.int_test__things ORDER BY id") == [(1,), (2,), (3,), (4,)]
    told = [line["message"] for line in outcome.log if "Airbyte job" in line["message"]]
    assert told == [
        "Airbyte job 101 (refresh): pending, for things of test",
        "Airbyte job 101 (refresh): pending",
        "Airbyte job 101 (refresh): running, 1,200 rows",
        "Airbyte job 101 (refresh): succeeded, 2,400 rows",
    ]
    assert leaks_below(project.root) == []


def test_from_a_day_on_the_state_is_set_back_first(project: Project, imitation: AirbyteImitation) -> None:
    late = {"updated_at": "2026-10-01T00:00:00Z"}
    parts = [{"streamDescriptor": {"name": name}, "streamState": late} for name in ("things", "others")]
    imitation.states[SHOPIFY] = {"stateType": "stream", "connectionId": SHOPIFY, "streamState": parts}
    outcome = project.run(*REFRESH, "--from", "2026-01-31")
    assert outcome.exit_code == 0, outcome.stderr
    assert "Airbyte job" in outcome.stdout
    after = {part["streamDescriptor"]["name"]: part["streamState"] for part in imitation.states[SHOPIFY]["streamState"]}
    assert after == {"things": {"updated_at": "2026-01-31T00:00:00Z"}, "others": late}
    assert imitation.called("/api/public/v1/jobs")[-1] == {"connectionId": SHOPIFY, "jobType": "sync"}


def test_a_job_that_outlasts_max_seconds_goes_on_alone(project: Project, imitation: AirbyteImitation) -> None:
    imitation.course = ["running"] * 50
    outcome = project.json(*REFRESH, "--max-seconds", "0.2")
    assert outcome.envelope["data"]["finished"] is False
    assert not project.catalog.exists()


@pytest.mark.parametrize(
    ("path", "reply", "exit_code"),
    [
        ("/api/v1/applications/token", Reply(403), 2),
        ("/api/v1/connections/refresh", Reply(422, b'{"message": "no such stream"}'), 2),
        ("/api/v1/connections/refresh", Reply(503), 3),
        ("/api/public/v1/connections", Reply(200, b"<html>"), 3),
        ("/api/v1/connections/refresh", Reply(409), 4),
    ],
)
def test_a_refusal_ends_with_its_code_before_the_lake_is_touched(
    project: Project, imitation: AirbyteImitation, path: str, reply: Reply, exit_code: int
) -> None:
    imitation.faults[path] = [reply]
    outcome = project.json(*REFRESH, expect=exit_code)
    assert outcome.message.startswith("Airbyte at 127.0.0.1:")
    assert len(outcome.envelope["errors"]) == 1
    assert not project.catalog.exists()


def test_a_busy_connection_ends_with_4(project: Project, imitation: AirbyteImitation) -> None:
    imitation.add_job(SHOPIFY, "sync", "running")
    outcome = project.json(*REFRESH, expect=4)
    assert outcome.envelope["errors"][0]["code"] == "source_busy"
    assert imitation.called("/api/v1/connections/refresh") == []


def test_a_failed_job_ends_with_3(project: Project, imitation: AirbyteImitation) -> None:
    imitation.course = ["incomplete", "failed"]
    assert "Airbyte job 101 (refresh): failed" in project.json(*REFRESH, expect=3).message


@pytest.mark.parametrize(
    ("more", "environment", "message"),
    [
        (["--to", "2026-01-31"], {}, "--refresh-source goes with --from alone"),
        (["--reregister"], {}, "--refresh-source goes with --from alone"),
        ([], {"AIRBYTE_API_URL": ""}, "--refresh-source needs AIRBYTE_API_URL"),
        ([], {"AIRBYTE_CLIENT_SECRET": ""}, "AIRBYTE_CLIENT_ID is set and AIRBYTE_CLIENT_SECRET is not"),
    ],
)
def test_what_does_not_go_together_is_refused(
    project: Project, more: list[str], environment: dict[str, str], message: str
) -> None:
    project.environment |= environment
    assert project.json(*REFRESH, *more, expect=2).message.startswith(message)


def void(_: object) -> None: ...
