"""Cutting a sequence of files into batches that respect every bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lotuslake.core.stream import BatchLimits

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Weight:
    """What one item adds to a batch."""

    size_bytes: int = 0
    rows: int = 0

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.size_bytes + other.size_bytes, self.rows + other.rows)


def split_batches(
    items: Iterable[T],
    limits: BatchLimits,
    weigh: Callable[[T], Weight],
    *,
    belongs_to: Callable[[T], object] | None = None,
) -> Iterator[tuple[T, ...]]:
    """Consecutive items in batches of at most ``limits``; an item larger than a bound has a batch of its own.

    A batch ends where ``belongs_to`` changes, if that leaves at least half of it.
    """
    batch: list[T] = []
    total = Weight()
    for item in items:
        weight = weigh(item)
        while batch and _exceeds(len(batch) + 1, total + weight, limits):
            end = _last_change([*batch, item], belongs_to) if belongs_to is not None else 0
            end = end if 2 * end >= len(batch) else len(batch)
            yield tuple(batch[:end])
            batch = batch[end:]
            total = sum(map(weigh, batch), Weight())
        batch.append(item)
        total += weight
    if batch:
        yield tuple(batch)


def _exceeds(files: int, total: Weight, limits: BatchLimits) -> bool:
    return files > limits.max_files or total.size_bytes > limits.max_bytes or total.rows > limits.max_rows


def _last_change(items: Sequence[T], belongs_to: Callable[[T], object]) -> int:
    """Where the last items begin that belong together; 0 if all do."""
    last = belongs_to(items[-1])
    return next((i for i in range(len(items) - 1, 0, -1) if belongs_to(items[i - 1]) != last), 0)
