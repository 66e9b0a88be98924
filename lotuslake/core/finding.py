"""What a person must look at: it stays open until it is mended or accepted with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

FindingKind = Literal[
    "quarantined",
    "overwritten",
    "missing",
    "test",
    "stale",
    "held_back",
    "incomplete",
    "untold",
    "vanished",
    "lost",
    "carried",
    "loss",
    "removed",
    "model",
    "null_keys",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong now. ``subject`` is a path, a test's name, the key, or empty for the stream as a whole."""

    id: str
    kind: FindingKind
    stream: str
    subject: str
    reason: str
    since_at: datetime | None = None


def failed_model(stream: str, model: str, build: str, reason: str, now: datetime) -> Finding:
    """What is said of a model that does not build, for each stream above it; ``build`` is the hash of its SQL."""
    return Finding(f"model:{stream}:{model}:{build}", "model", stream, model, reason, now)


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """The result of one dbt data test; ``streams`` are those whose data it covers."""

    __test__ = False

    test: str
    model: str
    streams: tuple[str, ...]
    status: Literal["pass", "warn", "fail", "error"]
    failures: int
    message: str = ""
