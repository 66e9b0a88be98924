"""The mark that the data root carries."""

from __future__ import annotations

from typing import Protocol

from lotuslake.core.owner import Owner


class DataRoot(Protocol):
    """Raises UnreachableError as the other ports do."""

    def this(self) -> Owner:
        """The catalog that is open."""

    def load_owner(self) -> Owner | None:
        """The catalog that the root is marked with.

        Raises:
            ConfigError: the mark is none.
        """

    def mark(self, owner: Owner) -> None:
        """Write the mark, in place of another one."""


class OwnDataRoot:
    """A data root that nobody else can have."""

    def this(self) -> Owner:
        """See DataRoot."""
        return Owner("", "")

    def load_owner(self) -> Owner | None:
        """See DataRoot."""
        return self.this()

    def mark(self, owner: Owner) -> None:
        """See DataRoot."""
