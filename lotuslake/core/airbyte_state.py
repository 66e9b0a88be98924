"""The state of an Airbyte connection, set back to a day.

The shape is ConnectionState of Airbyte's Configuration API 1.0.0: `stateType` and, for `stream`, a list `streamState`
of `{streamDescriptor: {name, namespace}, streamState}`. What lies in the inner `streamState` is the connector's own
affair, so whatever reads as a date there is taken for a cursor.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from lotuslake.core.airbyte_job import SourceStream
from lotuslake.core.errors import ConfigError

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_UNSET = {"not_set", None}


def rewind_state(state: Mapping[str, Any], streams: Collection[SourceStream], day: date) -> dict[str, Any]:
    """The same state with every later date in these streams' parts set back to midnight (UTC) of ``day``.

    A stream without state keeps none: Airbyte reads it from the beginning. Dates keep the form that they are written
    in, offset included, because some connectors compare them as texts.

    Raises:
        ConfigError: the streams share one state, or a stream's state holds no date.
    """
    kind = state.get("stateType")
    if kind in _UNSET:
        return dict(state)
    if kind != "stream":
        raise ConfigError(
            f"--from: the connection keeps one {kind} state for all its streams, which cannot be set back for some; "
            "leave out --from to read these streams anew from the beginning"
        )
    wanted = {(stream.name, stream.namespace) for stream in streams}
    parts = [part for part in state.get("streamState") or () if isinstance(part, Mapping)]
    return {**state, "streamState": [_rewind_part(part, day) if _key(part) in wanted else part for part in parts]}


def _key(part: Mapping[str, Any]) -> tuple[str, str | None]:
    descriptor = part.get("streamDescriptor")
    found = descriptor if isinstance(descriptor, Mapping) else {}
    return str(found.get("name")), found.get("namespace") or None


def _rewind_part(part: Mapping[str, Any], day: date) -> dict[str, Any]:
    inner = part.get("streamState")
    if not inner:
        return dict(part)
    if not _has_date(inner):
        raise ConfigError(
            f"--from: the state of Airbyte's stream {_key(part)[0]} holds no date to set back; "
            "leave out --from to read it anew from the beginning"
        )
    return {**part, "streamState": _rewind(inner, day)}


def _has_date(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_date(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_date(item) for item in value)
    return isinstance(value, str) and (_DATE.fullmatch(value) or _INSTANT.fullmatch(value)) is not None


def _rewind(value: Any, day: date) -> Any:
    if isinstance(value, Mapping):
        return {name: _rewind(item, day) for name, item in value.items()}
    if isinstance(value, list):
        return [_rewind(item, day) for item in value]
    if isinstance(value, str) and _DATE.fullmatch(value):
        return min(value, day.isoformat())
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return _earlier(value, day)
    return value


def _earlier(text: str, day: date) -> str:
    """The earlier of an instant and a day's beginning, written as the instant is."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    zone = instant.tzinfo or UTC
    begin = datetime.combine(day, time(), UTC).astimezone(zone)
    if instant.replace(tzinfo=zone) <= begin:
        return text
    shown = begin.strftime(f"%Y-%m-%d{text[10]}%H:%M:%S")
    # What stands between the minutes and the offset: seconds, and as many digits of their fraction.
    tail = re.fullmatch(r"(?P<seconds>:\d\d)?(?P<fraction>\.\d+)?(?P<offset>Z|[+-]\d\d:?\d\d)?", text[16:])
    parts = tail.groupdict() if tail else {}
    fraction = parts.get("fraction") or ""
    without_seconds = shown if parts.get("seconds") else shown[:16]
    return without_seconds + re.sub(r"\d", "0", fraction) + (parts.get("offset") or "")
