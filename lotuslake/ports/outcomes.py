"""How syncs ended, where a running Airbyte tells."""

from __future__ import annotations

from typing import Protocol

from lotuslake.core.content import Outcome


class NoOutcomes:
    """Nobody tells: files and their times must do."""

    def load_outcome(self, sync_id: int) -> Outcome | None:
        """See SyncOutcomes."""
        del sync_id
        return None


class SyncOutcomes(Protocol):
    """Never raises for want of an answer: what is not known is None, or "under_way" where an answer is expected."""

    def load_outcome(self, sync_id: int) -> Outcome | None:
        """How the job of a sync ended; None where nobody can tell."""
