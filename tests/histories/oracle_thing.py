"""An object in the landing root, as the oracle knows it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.histories.world import File


@dataclass
class Thing:
    """An object; ``content`` is None where no reader takes it."""

    name: str
    content: File | None
    written_at: int
    modified_at: int
    day: int
    number: int = 0
    touched_at: int = 0
