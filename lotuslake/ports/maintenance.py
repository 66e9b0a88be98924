"""Upkeep of the lake's own files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.stream import Stream


class Maintenance(Protocol):
    """Every method may be repeated; none touches an object below the landing root except `delete_expired`."""

    def merge_small_files(self) -> int:
        """Merge the small files of tables that the lake writes itself; landing tables are left alone. Tables merged."""

    def expire_snapshots(self, before: datetime) -> int:
        """Give up time travel to before that instant; how many snapshots went."""

    def clean_up(self, before: datetime) -> int:
        """Delete the lake's own files that no snapshot needs since then, and its orphans; how many went."""

    def delete_expired(self, stream: Stream, entries: Sequence[LedgerEntry]) -> int:
        """Delete the raw objects of these entries where they still are what was registered; how many were there."""
