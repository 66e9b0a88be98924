"""A connection's state set back to a day: only dates, only later ones, only in the named streams, in their own form."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.core.airbyte_job import SourceStream
from lotuslake.core.airbyte_state import rewind_state
from lotuslake.core.errors import ConfigError

DAY = date(2026, 1, 31)
ORDERS = SourceStream("orders")


def a_state(inner: Any, name: str = "orders", namespace: str | None = None) -> dict[str, Any]:
    descriptor = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"stateType": "stream", "connectionId": "c", "streamState": [part(descriptor, inner)]}


def part(descriptor: dict[str, str], inner: Any) -> dict[str, Any]:
    return {"streamDescriptor": descriptor, "streamState": inner}


def inner_after(inner: Any) -> Any:
    return rewind_state(a_state(inner), [ORDERS], DAY)["streamState"][0]["streamState"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2026-03-01", "2026-01-31"),
        ("2026-01-30", "2026-01-30"),
        ("2026-03-01T10:11:12Z", "2026-01-31T00:00:00Z"),
        ("2026-03-01T10:11:12+00:00", "2026-01-31T00:00:00+00:00"),
        ("2026-03-01T10:11:12+0000", "2026-01-31T00:00:00+0000"),
        ("2026-03-01 10:11:12.123456", "2026-01-31 00:00:00.000000"),
        ("2026-03-01T10:11", "2026-01-31T00:00"),
        # Midnight in UTC is still the day before in the shop; the offset stays, since Shopify's are compared as texts.
        ("2026-03-01T10:11:12-05:00", "2026-01-30T19:00:00-05:00"),
        ("2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z"),
        ("2026-02-31T00:00:00Z", "2026-02-31T00:00:00Z"),
    ],
)
def test_a_later_date_becomes_the_days_beginning_in_its_own_form(before: str, after: str) -> None:
    assert inner_after({"updated_at": before}) == {"updated_at": after}


def test_whatever_the_connector_nests_is_gone_through() -> None:
    before = {
        "states": [{"partition": {"archived": "true"}, "cursor": {"updated_at": "2026-03-01T00:00:00Z"}}],
        "slices": [{"start": "2020-01-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"}],
        "lookback_window": 3,
        "use_global_cursor": False,
    }
    after = inner_after(before)
    assert after["states"][0] == {"partition": {"archived": "true"}, "cursor": {"updated_at": "2026-01-31T00:00:00Z"}}
    assert after["slices"] == [{"start": "2020-01-01T00:00:00Z", "end": "2026-01-31T00:00:00Z"}]
    assert (after["lookback_window"], after["use_global_cursor"]) == (3, False)


def test_other_streams_and_other_namespaces_keep_theirs() -> None:
    late = {"updated_at": "2026-03-01"}
    state = a_state(late)
    state["streamState"] += [
        part({"name": "customers"}, late),
        part({"name": "orders", "namespace": "other"}, late),
    ]
    parts = rewind_state(state, [ORDERS], DAY)["streamState"]
    assert [item["streamState"]["updated_at"] for item in parts] == ["2026-01-31", "2026-03-01", "2026-03-01"]
    assert state["streamState"][0]["streamState"] == late, "the state that was given is left as it is"


@pytest.mark.parametrize(
    "state", [{"stateType": "not_set"}, {}, a_state(None), a_state({}), a_state(None, "customers")]
)
def test_what_was_never_synced_is_left_alone(state: dict[str, Any]) -> None:
    assert rewind_state(state, [ORDERS], DAY) == state


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"stateType": "global", "globalState": {}}, "one global state"),
        ({"stateType": "legacy", "state": {}}, "one legacy state"),
        (a_state({"__ab_no_cursor_state_message": True}), "stream orders holds no date"),
        (a_state({"since_id": 12, "list": ["a"]}), "stream orders holds no date"),
    ],
)
def test_what_cannot_be_set_back_is_refused(state: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        rewind_state(state, [ORDERS], DAY)


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)), st.dates(date(2000, 1, 1)))  # noqa: DTZ001
def test_the_earlier_of_the_two_is_kept(instant: datetime, day: date) -> None:
    text = instant.replace(tzinfo=UTC).isoformat()
    found = rewind_state(a_state({"at": text}), [ORDERS], day)["streamState"][0]["streamState"]["at"]
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert datetime.fromisoformat(found) == min(instant.replace(tzinfo=UTC), begin)
    assert len(found) == len(text)
