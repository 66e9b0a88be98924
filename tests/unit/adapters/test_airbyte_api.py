"""A running Airbyte, against the imitation: every answer ends in a message and an exit code of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from lotuslake.adapters.airbyte_api import AirbyteApi
from lotuslake.adapters.airbyte_http import MAX_MESSAGE, AirbyteHttp
from lotuslake.core.airbyte_job import Connection, Job, SourceStream
from lotuslake.core.errors import ConfigError, ExitCode, LotusLakeError, UnreachableError
from tests.support.airbyte_imitation import CLIENT_ID, CLIENT_SECRET, SHOPIFY, AirbyteImitation, Reply
from tests.support.leaks import remember_secret

REFRESH = "/api/v1/connections/refresh"
TOKEN = "/api/v1/applications/token"
ORDERS = [SourceStream("orders"), SourceStream("customers", "ns")]
HTML = b"<html><body>Airbyte</body></html>"

remember_secret("Airbyte's client secret", CLIENT_SECRET)


@pytest.fixture
def imitation() -> Iterator[AirbyteImitation]:
    with AirbyteImitation().served() as served:
        yield served


def an_api(imitation: AirbyteImitation, secret: str = CLIENT_SECRET, timeout_seconds: float = 5) -> AirbyteApi:
    return AirbyteApi(AirbyteHttp(imitation.url, CLIENT_ID, secret, timeout_seconds))


def test_a_refresh_asks_for_just_these_streams(imitation: AirbyteImitation) -> None:
    job = an_api(imitation).refresh(SHOPIFY, ORDERS)
    assert job == Job(101, SHOPIFY, "refresh", "pending")
    streams = [{"streamName": "orders"}, {"streamName": "customers", "streamNamespace": "ns"}]
    assert imitation.called(REFRESH) == [{"connectionId": SHOPIFY, "refreshMode": "Merge", "streams": streams}]


def test_a_job_is_followed(imitation: AirbyteImitation) -> None:
    api = an_api(imitation)
    assert api.load_job_under_way(SHOPIFY) is None
    begun = api.begin_sync(SHOPIFY)
    assert api.load_job_under_way(SHOPIFY) == begun
    assert [api.load_job(begun.id).status for _ in range(3)] == ["running", "succeeded", "succeeded"]
    assert api.load_job(begun.id).rows == 2_400
    assert imitation.tokens_given == 1


def test_connections_come_in_pages(imitation: AirbyteImitation) -> None:
    imitation.connections = [imitation.connection(str(n), f"c{n}", "x") for n in range(250)]
    imitation.connections[7]["namespaceDefinition"] = "destination"
    found = an_api(imitation).list_connections()
    assert [connection.id for connection in found] == [str(n) for n in range(250)]
    assert found[6:8] == [Connection("6", "c6", "x"), Connection("7", "c7", None)]


def test_the_whole_state_goes_back_by_the_safe_route(imitation: AirbyteImitation) -> None:
    api = an_api(imitation)
    assert api.load_state(SHOPIFY)["stateType"] == "not_set"
    api.replace_state(SHOPIFY, {"stateType": "stream", "streamState": []})
    assert imitation.states[SHOPIFY] == {"stateType": "stream", "streamState": [], "connectionId": SHOPIFY}


def test_a_token_that_has_run_out_is_replaced_once(imitation: AirbyteImitation) -> None:
    imitation.token_serves = 2
    api = an_api(imitation)
    for _ in range(5):
        api.load_state(SHOPIFY)
    assert imitation.tokens_given == 3


def test_without_credentials_no_token_is_sent(imitation: AirbyteImitation) -> None:
    with pytest.raises(ConfigError, match="HTTP 401"):
        AirbyteApi(AirbyteHttp(imitation.url)).load_state(SHOPIFY)
    assert imitation.called(TOKEN) == []


@pytest.mark.parametrize(
    ("reply", "exit_code", "message"),
    [
        (Reply(400, b'{"message": "bad stream"}'), 2, "refresh: HTTP 400: bad stream"),
        (Reply(401, b'{"message": "no"}'), 2, "HTTP 401: no; AIRBYTE_CLIENT_ID and AIRBYTE_CLIENT_SECRET must"),
        (Reply(403), 2, "HTTP 403; AIRBYTE_CLIENT_ID"),
        (Reply(404, b'{"title": "resource-not-found", "detail": "gone"}'), 2, "HTTP 404: resource-not-found: gone; is"),
        (Reply(422, b'{"message": "streamName"}'), 2, "HTTP 422: streamName"),
        (Reply(302, headers={"Location": "http://127.0.0.1:9/"}), 2, "it sends us elsewhere"),
        (Reply(308, headers={"Location": "/login"}), 2, "it sends us elsewhere"),
        (Reply(409, b'{"message": "running"}'), 4, "HTTP 409: running; a sync of the connection is running"),
        (Reply(423), 4, "HTTP 423; a sync of the connection is running"),
        (Reply(408), 3, "HTTP 408"),
        (Reply(429), 3, "HTTP 429"),
        (Reply(500, b'{"message": "Internal Server Error: boom"}'), 3, "HTTP 500: Internal Server Error: boom"),
        (Reply(502, HTML), 3, "HTTP 502$"),
        (Reply(503, b'["a list"]'), 3, "HTTP 503$"),
        (Reply(200, HTML), 3, "is no JSON; does AIRBYTE_API_URL name"),
        (Reply(200, b"[1]"), 3, "is no JSON object"),
        (Reply(200, b"\xff\xfe{"), 3, "is no JSON"),
        (Reply(200), 3, "names no job"),
        (Reply(200, b'{"value": true}'), 3, "names no job: is it older than 1.0"),
        (Reply(200, b'{"job": {"id": "x"}}'), 3, "without an id"),
        (Reply(200, b"{}", delay_seconds=2), 3, "did not answer within 0.5 s"),
    ],
    ids=lambda value: f"{value.status}-{value.body[:12]!r}" if isinstance(value, Reply) else "",
)
def test_every_answer_has_its_message_and_its_code(
    imitation: AirbyteImitation, reply: Reply, exit_code: int, message: str
) -> None:
    imitation.faults[REFRESH] = [reply]
    with pytest.raises(LotusLakeError, match=message) as caught:
        an_api(imitation, timeout_seconds=0.5).refresh(SHOPIFY, ORDERS)
    assert caught.value.exit_code == exit_code
    assert str(caught.value).startswith("Airbyte at 127.0.0.1:")


@pytest.mark.parametrize("body", [b"{}", b'{"data": {}}', b'{"data": [1]}', b'{"data": [{}]}'])
def test_lists_that_are_none_are_told(imitation: AirbyteImitation, body: bytes) -> None:
    imitation.faults = {f"/api/public/v1/{kind}": [Reply(200, body)] for kind in ("connections", "jobs")}
    api = an_api(imitation)
    with pytest.raises(UnreachableError, match="its answer"):
        api.list_connections()
    with pytest.raises(UnreachableError, match="its answer"):
        api.load_job_under_way(SHOPIFY)


def test_a_wrong_secret_is_not_repeated(imitation: AirbyteImitation) -> None:
    with pytest.raises(ConfigError, match=r"applications/token: HTTP 401: invalid client_secret \*\*\*") as caught:
        an_api(imitation, "wrong-secret-text").load_state(SHOPIFY)
    assert "wrong-secret-text" not in str(caught.value)


@pytest.mark.parametrize("body", [b'{"access_token": 1}', b'{"access_token": ""}', b"{}"])
def test_a_token_that_is_none_is_told(imitation: AirbyteImitation, body: bytes) -> None:
    imitation.faults[TOKEN] = [Reply(200, body)]
    with pytest.raises(UnreachableError, match="gives no token"):
        an_api(imitation).load_state(SHOPIFY)


def test_a_token_that_is_told_back_and_a_long_message_are_cut(imitation: AirbyteImitation) -> None:
    imitation.faults[REFRESH] = [Reply(400, b'{"message": "for imitated-token-1 ' + b"x" * 5_000 + b'"}')]
    with pytest.raises(ConfigError, match=r"for \*\*\* x+…$") as caught:
        an_api(imitation).refresh(SHOPIFY, ORDERS)
    assert len(str(caught.value)) < MAX_MESSAGE + 150


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(
        UnreachableError, match=f"Airbyte at 127.0.0.1:{port} does not answer: Connection refused$"
    ) as caught:
        AirbyteApi(AirbyteHttp(f"http://127.0.0.1:{port}")).list_connections()
    assert caught.value.exit_code is ExitCode.UNREACHABLE


def test_a_line_that_is_cut(imitation: AirbyteImitation) -> None:
    imitation.faults[REFRESH] = [Reply(200, b'{"job"', {"Content-Length": "400"})]
    with pytest.raises(UnreachableError):
        an_api(imitation, timeout_seconds=1).refresh(SHOPIFY, ORDERS)
