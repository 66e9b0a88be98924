"""The streams that the lake knows, whether or not the project still has a file for them."""

from __future__ import annotations

from typing import Protocol


class KnownStreams(Protocol):
    """Raises UnreachableError and CatalogHeldError as the ledger does."""

    def load_ids(self) -> list[str]:
        """Every stream that has tables in the lake, in order; none where there is no lake."""

    def forget(self, stream_id: str) -> None:
        """Drop a stream's tables and all that the lake remembers of it, in one commit. Raw objects stay where they are."""
