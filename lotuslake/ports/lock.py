"""A lock that spares useless work. Nothing depends on it: two programs that both have it only race."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class NoLock:
    """For an embedded catalog, which one process at a time can open anyway, and for tests."""

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """See WorkLock."""
        del name
        yield True


class WorkLock(Protocol):
    """One holder a name, as far as it can be told."""

    def held(self, name: str) -> AbstractContextManager[bool]:
        """Hold the lock while the context lasts, after waiting a while for another holder; whether it was got."""
