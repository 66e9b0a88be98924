"""Cutting a sequence of files into batches that respect every bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from lotuslake.core.stream import BatchLimits

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Weight:
    """What one item adds to a batch."""

    size_bytes: int = 0
    rows: int = 0


def split_batches(items: Iterable[T], limits: BatchLimits, weigh: Callable[[T], Weight]) -> Iterator[tuple[T, ...]]:
    """Consecutive items in batches of at most ``limits``; an item larger than a bound has a batch of its own."""
    batch: list[T] = []
    size_bytes = rows = 0
    for item in items:
        weight = weigh(item)
        full = (
            len(batch) >= limits.max_files
            or size_bytes + weight.size_bytes > limits.max_bytes
            or rows + weight.rows > limits.max_rows
        )
        if batch and full:
            yield tuple(batch)
            batch, size_bytes, rows = [], 0, 0
        batch.append(item)
        size_bytes += weight.size_bytes
        rows += weight.rows
    if batch:
        yield tuple(batch)
