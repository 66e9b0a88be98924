"""Where a stream's log stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Head:
    """A stream's fence row.

    ``seq`` is the last number given out in `meta.files`. ``epoch`` counts how often the content below the log changed in
    a way that only a rebuild can follow (an overwritten object, a registration anew).
    """

    seq: int = 0
    epoch: int = 0
