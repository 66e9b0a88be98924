"""Figures in words: sizes, ages and counts as a person reads them."""

from __future__ import annotations


def size(size_bytes: int) -> str:
    """`532 B`, `4.2 KiB`, `1.3 GiB`."""
    amount = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:  # noqa: PLR2004
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def age(seconds: int | None) -> str:
    """`45 s`, `12 min`, `7 h`, `3 d`; `3 d ahead` of what is still to come."""
    if seconds is None:
        return "-"
    if seconds < 0:
        return f"{age(-seconds)} ahead"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def count(number: int) -> str:
    """`1,234`."""
    return f"{number:,}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 file`, `3 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
