"""Instants of the invented shop: its time zone, how APIs write them, and when people buy."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SHOP_TIMEZONE = "America/Los_Angeles"
HISTORY_DAYS = 730

_ZONE = ZoneInfo(SHOP_TIMEZONE)
_WEEKDAYS = (1.15, 1.0, 0.95, 0.95, 0.9, 1.0, 1.25)
_HOURS = (4, 2, 1, 1, 1, 2, 4, 7, 10, 12, 13, 13, 14, 13, 12, 12, 12, 13, 15, 18, 20, 19, 14, 8)
_MONTHS = (0.85, 0.95, 0.9, 0.95, 1.15, 0.9, 0.8, 0.85, 0.95, 1.05, 1.5, 1.7)
_BLACK_FRIDAY_WEEK = range(23, 31)
_NOVEMBER = 11


def shop_time(at: datetime) -> str:
    """An instant as Shopify writes it: with the offset of the shop's zone."""
    return at.astimezone(_ZONE).isoformat(timespec="seconds")


def utc_time(at: datetime) -> str:
    """An instant as Klaviyo writes it."""
    in_utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return in_utc.isoformat(timespec="seconds")


def busyness(day: datetime, progress: float) -> float:
    """How much is bought on a day, relative to others; ``progress`` runs from 0 to 1 over the history."""
    season = _MONTHS[day.month - 1]
    if day.month == _NOVEMBER and day.day in _BLACK_FRIDAY_WEEK:
        season *= 1.8
    return season * _WEEKDAYS[day.weekday()] * math.exp(0.8 * progress)


def buying_moments(rng: random.Random, now: datetime, count: int) -> list[datetime]:
    """Sorted instants of ``count`` orders over the two years before ``now``, some of them in its last hours."""
    start = now - timedelta(days=HISTORY_DAYS)
    days = [start + timedelta(days=n) for n in range(HISTORY_DAYS)]
    weights = [busyness(day, n / HISTORY_DAYS) for n, day in enumerate(days)]
    moments = []
    for day in rng.choices(days, weights, k=count):
        local_midnight = day.astimezone(_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        hour = rng.choices(range(24), _HOURS)[0]
        at = (local_midnight + timedelta(hours=hour, seconds=rng.randrange(3600))).astimezone(UTC)
        if start < at < now - timedelta(hours=1):
            moments.append(at)
    recent = [now - timedelta(hours=h, minutes=rng.randrange(60)) for h in (3, 5, 8, 13)]
    return sorted(moments + recent)
