"""Anything that a stream shows: when it changed, and how it looks at an instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lotuslake.demo.money import Json


@dataclass(frozen=True, slots=True)
class Entity:
    """One key of a stream. ``changes`` are sorted; ``render`` gives the record as of an instant."""

    key: int | str
    changes: tuple[datetime, ...]
    render: Callable[[datetime], Json]
