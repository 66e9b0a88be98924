"""Whose a data root is: files that one catalog does not know are another's, and not for it to delete."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """A catalog: the id of the lake in it, and where it stands, empty where it moves with its data root.

    A restored copy has the id of the lake that it was copied from, and stands elsewhere.
    """

    lake: str
    catalog: str

    def __str__(self) -> str:
        """For messages."""
        return f"lake {self.lake[:8]}" + (f" in {self.catalog}" if self.catalog else "")
