"""Landing tables: reading footers, and committing batches of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lotuslake.core.data_file import DataFile, LedgerEntry
from lotuslake.core.decision import Decision
from lotuslake.core.field_types import ColumnType
from lotuslake.core.finding import Finding
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.head import Head
from lotuslake.core.schema_comparison import Columns
from lotuslake.core.stream import Stream


@dataclass(frozen=True, slots=True)
class RegisterBatch:
    """Everything that one commit makes true.

    ``decisions`` are appended to the log after ``head``. With ``rewrite`` the landing table is made anew from ``standing``
    (the readable entries that stay) and the batch, since what an overwritten or vanished object left behind cannot be
    deleted in place. ``withdrawn`` are entries appended to say that an object is superseded or missing. ``new_epoch`` asks
    for a rebuild of what was made from the stream. ``findings`` are opened by the same commit.
    """

    stream: Stream
    batch_id: str
    run_id: str
    head: Head
    decisions: tuple[Decision, ...]
    withdrawn: tuple[LedgerEntry, ...] = ()
    standing: tuple[LedgerEntry, ...] = ()
    rewrite: bool = False
    new_epoch: bool = False
    findings: tuple[Finding, ...] = ()
    columns: tuple[tuple[str, ColumnType], ...] | None = None


class Landing(Protocol):
    """Raises UnreachableError when store or catalog cannot be reached, LostRaceError when another writer came first."""

    def inspect(self, files: Sequence[DataFile]) -> list[Footer | Unreadable]:
        """Read the footers, in the order given. A file that cannot be had is an outage, not an unreadable file."""

    def find_unreadable(self, stream: Stream, entries: Sequence[LedgerEntry]) -> list[tuple[LedgerEntry, str]]:
        """Of these entries, those whose raw object has pages that a model cannot read, each with the reason."""

    def find_elsewhere(self, stream: Stream) -> str | None:
        """The URL of a file that the landing table reads and that lies neither under the landing root nor in the data root."""

    def load_columns(self, stream: Stream) -> Columns:
        """Columns of the landing table; empty when there is none yet."""

    def evolve(self, stream: Stream, seen: Sequence[Columns]) -> Columns:
        """Create the landing table or add the fields it lacks, and return its columns.

        ``seen`` are the columns of data files at hand, which decide the form of instants in a new table.
        """

    def choose_columns(self, stream: Stream, seen: Sequence[Columns]) -> Columns:
        """The columns that a landing table made today would have; nothing is changed."""

    def commit(self, batch: RegisterBatch) -> list[LedgerEntry]:
        """Copy what needs copying, then commit files, log entries, fence and message as one snapshot.

        Returns the entries as written: a file whose conversion failed on its values stands there as quarantined.
        """
