"""Durations and sizes as people write them: `1d 12h`, `512MiB`."""

from __future__ import annotations

import re
from datetime import timedelta

DURATION_HINT = "write a duration such as 45s, 30m, 2h or 1d 12h"
SIZE_HINT = "write a size such as 512MiB, 10MB or plain bytes"
MAX_DURATION = timedelta(days=36500)

_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d{1,9})d)?\s*(?:(\d{1,9})h)?\s*(?:(\d{1,9})m)?\s*(?:(\d{1,9})s)?", re.ASCII)
_BYTES = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "tb": 1000**4,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
    "tib": 1024**4,
}
_SIZE = re.compile(r"(\d{1,15})(\.\d{1,3})?\s*([a-z]*)", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """`2h`, `30m`, `1d 12h` as a timedelta. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip().lower())
    if not match or not any(match.groups()):
        raise ValueError(DURATION_HINT)
    seconds = sum(int(count or 0) * unit for count, unit in zip(match.groups(), _SECONDS.values(), strict=True))
    if seconds > MAX_DURATION.total_seconds():
        raise ValueError("a duration is at most 36500d")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads back; parts of a second are dropped."""
    rest = int(duration.total_seconds())
    parts = []
    for unit, seconds in _SECONDS.items():
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def parse_size(text: str) -> int:
    """`512MiB`, `10MB`, `1.5GB` or plain bytes as a number of bytes. Raises ValueError."""
    match = _SIZE.fullmatch(text.strip().lower())
    if not match or match[3] not in _BYTES:
        raise ValueError(SIZE_HINT)
    if match[2] and _BYTES[match[3]] == 1:
        raise ValueError("bytes are whole numbers")
    thousandths = int(match[1]) * 1000 + int((match[2] or ".0")[1:].ljust(3, "0"))
    return thousandths * _BYTES[match[3]] // 1000
