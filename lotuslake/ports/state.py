"""Where the lake stands, and who is told."""

from __future__ import annotations

from typing import Protocol

from lotuslake.core.lake_state import LakeState


class StateReader(Protocol):
    """Reads only."""

    def load_state(self) -> LakeState:
        """Everything at once; empty where there is no lake yet.

        Raises:
            UnreachableError: the catalog cannot be reached.
        """


class MetricsSink(Protocol):
    """Takes metrics, since a pod that has finished cannot be scraped."""

    def push(self, text: str) -> None:
        """Replace what was pushed before.

        Raises:
            UnreachableError: it does not answer, or does not take them.
        """
