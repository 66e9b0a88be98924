"""One run of a command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A row of `meta.runs`, written when a command that changed or checked the lake ends."""

    run_id: str
    command: str
    started_at: datetime
    ended_at: datetime
    exit_code: int
    message: str = ""
