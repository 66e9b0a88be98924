"""The optional keys that a source may give for all its streams and a stream for itself."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import cast

from lotuslake.config.section import Section
from lotuslake.core.stream import (
    DEFAULT_LOOKBACK_DAYS,
    DEFAULT_MAX_SHRINK,
    DEFAULT_SETTLE_AFTER,
    BatchLimits,
    Freshness,
    LandingMode,
    NullKeys,
)

OPTION_KEYS = (
    "batch",
    "freshness",
    "landing",
    "lookback_days",
    "max_shrink",
    "null_keys",
    "retention_days",
    "settle_after",
)
BATCH_KEYS = ("max_files", "max_bytes", "max_rows")
FRESHNESS_KEYS = ("warn_after", "error_after")
# Where a key belongs that stands at another level of the file.
PLACES = {
    **{key: f"write it under batch, as batch: {{{key}: …}}" for key in BATCH_KEYS},
    **{key: f"write it under freshness, as freshness: {{{key}: …}}" for key in FRESHNESS_KEYS},
    **dict.fromkeys(OPTION_KEYS, "it is a key of its own, not indented under another"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """Values of the optional keys; ``landing`` is None where neither stream nor source says."""

    batch: BatchLimits | None = None
    freshness: Freshness = field(default_factory=Freshness)
    landing: LandingMode | None = None
    lookback_days: int = DEFAULT_LOOKBACK_DAYS
    max_shrink: float = DEFAULT_MAX_SHRINK
    null_keys: NullKeys = "keep"
    retention_days: int | None = None
    settle_after: timedelta = DEFAULT_SETTLE_AFTER


def parse_options(section: Section, defaults: Options) -> Options:
    """``defaults``, with what this section says instead; a key replaces the whole value, parts included."""
    options = defaults
    if "batch" in section:
        options = replace(options, batch=_batch(section))
    if "freshness" in section:
        options = replace(options, freshness=_freshness(section))
    if "landing" in section:
        options = replace(options, landing=cast("LandingMode", section.choice("landing", ("reference", "copy"))))
    if "lookback_days" in section:
        options = replace(options, lookback_days=section.whole("lookback_days", 0))
    if "max_shrink" in section:
        options = replace(options, max_shrink=section.share("max_shrink"))
    if "null_keys" in section:
        options = replace(options, null_keys=cast("NullKeys", section.choice("null_keys", ("keep", "drop"))))
    if "retention_days" in section:
        retention_days = None if section.is_null("retention_days") else section.whole("retention_days", 1)
        options = replace(options, retention_days=retention_days)
    if "settle_after" in section:
        options = replace(options, settle_after=section.duration("settle_after"))
    return options


def _batch(parent: Section) -> BatchLimits | None:
    """A bound that is not given does not bound."""
    if parent.is_null("batch"):
        return None
    section = parent.section("batch")
    section.refuse_unknown(BATCH_KEYS, PLACES)
    return BatchLimits(
        section.whole("max_files", 1) if "max_files" in section else sys.maxsize,
        section.size_bytes("max_bytes") if "max_bytes" in section else sys.maxsize,
        section.whole("max_rows", 1) if "max_rows" in section else sys.maxsize,
    )


def _freshness(parent: Section) -> Freshness:
    if parent.is_null("freshness"):
        return Freshness()
    section = parent.section("freshness")
    section.refuse_unknown(FRESHNESS_KEYS, PLACES)
    warn_after, error_after = (_age(section, key) for key in FRESHNESS_KEYS)
    if warn_after and error_after and warn_after > error_after:
        section.note("warn_after", "is longer than error_after; warn before the error")
    return Freshness(warn_after, error_after)


def _age(section: Section, key: str) -> timedelta | None:
    return section.duration(key) if section.values.get(key) is not None else None
