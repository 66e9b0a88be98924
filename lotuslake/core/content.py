"""What a stream's processed model is to show, and what the choice is made by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.finding import Finding

Outcome = Literal["succeeded", "failed", "under_way"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the choice is made by, beside the ledger.

    ``accepted`` says whether a person has accepted the finding of an id, ``outcome`` how Airbyte's job of a sync ended (None
    where nobody tells), ``rows_shown`` counts the rows that the table shows now.
    """

    now: datetime
    accepted: Callable[[str], bool]
    outcome: Callable[[int], Outcome | None] = lambda _: None
    rows_shown: Callable[[], int] = lambda: 0


@dataclass(frozen=True, slots=True)
class Content:
    """The files to show.

    ``is_shown`` says that the live table already shows this content and only has to follow it; ``began`` names the
    generation. ``shrink_id`` is the finding that tells of a fall in rows when it takes the place of what is shown.
    ``held_back`` gives the reason why a newer content is not shown.
    """

    entries: tuple[LedgerEntry, ...]
    generation_id: int | None
    is_shown: bool
    began: str | None = None
    shrink_id: str | None = None
    held_back: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """``content`` is None to leave the table as it is; ``findings`` are those that generations give now."""

    content: Content | None
    findings: tuple[Finding, ...] = ()


NOTHING = Content((), None, is_shown=False)
