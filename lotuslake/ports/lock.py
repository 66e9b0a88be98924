"""A lock that spares useless work. Nothing depends on it: two programs that both have it only race."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class WorkLock(Protocol):
    """One holder a name, as far as it can be told."""

    def held(self, name: str) -> AbstractContextManager[bool]:
        """Hold the lock while the context lasts, after waiting a while for another holder; whether it was got."""
