"""How fresh a stream is, in dbt's words: pass, warn, error."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from lotuslake.core.stream import Freshness

# Two clocks may differ by so much; an instant further ahead tells nothing.
CLOCKS_DIFFER = timedelta(minutes=5)

FreshnessState = Literal["pass", "warn", "error", "unknown"]


def judge_freshness(newest_file_at: datetime | None, thresholds: Freshness, now: datetime) -> FreshnessState:
    """Compare the newest file's age with the stream's thresholds; `unknown` while no file was ever seen."""
    if newest_file_at is None:
        return "unknown"
    lag = now - newest_file_at
    if thresholds.error_after is not None and lag > thresholds.error_after:
        return "error"
    if thresholds.warn_after is not None and lag > thresholds.warn_after:
        return "warn"
    return "pass"
