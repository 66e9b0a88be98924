"""The lake's own files, as its catalog names them, beside those that the store holds."""

from __future__ import annotations

from typing import Protocol

from lotuslake.core.lost import LostTable


class LostFiles(Protocol):
    """Reads only."""

    def find(self) -> list[LostTable]:
        """The tables with lost files, from the catalog and listings of the data root; none where there is no lake.

        Raises:
            UnreachableError: the store or the catalog does not answer.
        """


class NoLostFiles:
    """A lake of which no file can get lost."""

    def find(self) -> list[LostTable]:
        """None."""
        return []
