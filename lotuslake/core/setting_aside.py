"""A registered file turns out to have pages that cannot be read: it is set aside, and its neighbours go on."""

from __future__ import annotations

from dataclasses import replace

from lotuslake.core.data_file import FileStatus, LedgerEntry

# What the reason of such a file begins with; what follows names the column and no value.
UNREADABLE = "its pages cannot be read: "


def is_unreadable(entry: LedgerEntry) -> bool:
    """Whether a file stood among the readable ones until its pages were met."""
    return entry.status is FileStatus.QUARANTINED and (entry.reason or "").startswith(UNREADABLE)


def set_aside(entry: LedgerEntry, reason: str) -> LedgerEntry:
    """The entry that says so; the object is as it was, so that a retry takes it up again."""
    return replace(entry, status=FileStatus.QUARANTINED, reason=reason, data_path=None)
