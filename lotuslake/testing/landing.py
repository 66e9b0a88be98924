"""Landing tables in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lotuslake.core.airbyte_columns import AIRBYTE_COLUMNS, declared_columns
from lotuslake.core.data_file import READABLE, DataFile, FileStatus, LedgerEntry
from lotuslake.core.decision import Decision, to_entry
from lotuslake.core.errors import LostRaceError, UnreachableError
from lotuslake.core.evolution import plan_evolution
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.head import Head
from lotuslake.core.names import fold_name
from lotuslake.core.schema_comparison import Columns, landing_columns
from lotuslake.core.setting_aside import UNREADABLE
from lotuslake.core.stream import Stream
from lotuslake.ports.landing import RegisterBatch
from lotuslake.testing.files import Row, read_footer, read_rows

if TYPE_CHECKING:
    from lotuslake.testing.lake import MemoryLake


class MemoryLanding:
    """See the Landing port. Conversions are SQL: a copied file keeps the values that it has."""

    def __init__(self, lake: MemoryLake) -> None:
        self._lake = lake

    def inspect(self, files: Sequence[DataFile]) -> list[Footer | Unreadable]:
        """See Landing."""
        with self._lake.calling("landing.inspect"):
            there = [file for file in files if self._lake.store.head(file.path) == file]
            return [read_footer(file, self._lake.store.read(file.path)) for file in there]

    def find_unreadable(self, stream: Stream, entries: Sequence[LedgerEntry]) -> list[tuple[LedgerEntry, str]]:  # noqa: ARG002
        """See Landing."""
        with self._lake.calling("landing.find_unreadable"):
            bad = self._lake.unreadable
            reason = f"{UNREADABLE}column name is damaged"
            return [(entry, reason) for entry in entries if entry.data_path is None and entry.file.path in bad]

    def find_elsewhere(self, stream: Stream) -> str | None:
        """See Landing."""
        with self._lake.calling("landing.find_elsewhere"):
            return self._lake.elsewhere.get(stream.id)

    def load_columns(self, stream: Stream) -> Columns:
        """See Landing."""
        with self._lake.calling("landing.load_columns"):
            return self._lake.landed_of(stream).columns

    def choose_columns(self, stream: Stream, seen: Sequence[Columns]) -> Columns:
        """See Landing."""
        with self._lake.calling("landing.choose_columns"):
            return landing_columns(declared_columns(stream), seen)

    def evolve(self, stream: Stream, seen: Sequence[Columns]) -> Columns:
        """See Landing. Fields are added at the end; nested ones are not followed."""
        with self._lake.calling("landing.evolve"):
            declared = declared_columns(stream)
            landed = self._lake.landed_of(stream)
            if not landed.files:
                columns: Columns = landing_columns(declared, seen)
            else:
                plan_evolution(stream.id, landed.columns[len(AIRBYTE_COLUMNS) :], declared[len(AIRBYTE_COLUMNS) :])
                held = {fold_name(name) for name, _ in landed.columns}
                columns = (*landed.columns, *(item for item in declared if fold_name(item[0]) not in held))
            self._lake.landed[stream.id] = replace(landed, columns=columns)
            return columns

    def commit(self, batch: RegisterBatch) -> list[LedgerEntry]:
        """See Landing."""
        with self._lake.calling("landing.commit"):
            landed = self._lake.landed_of(batch.stream)
            if landed.head.seq != batch.head.seq:
                raise LostRaceError(f"another process registered files of {batch.stream.id} first")
            withdrawn = [replace(entry, seq=batch.head.seq + n) for n, entry in enumerate(batch.withdrawn, 1)]
            first = batch.head.seq + len(withdrawn) + 1
            copies = self._convert(batch)
            entries = [self._entry(batch, decision, seq, copies) for seq, decision in enumerate(batch.decisions, first)]
            gained = [entry.file.path for entry in entries if entry.status in READABLE]
            standing = [entry.file.path for entry in batch.standing]
            self._lake.raised |= {finding.id: finding for finding in batch.findings}
            self._lake.copies |= copies
            self._lake.landed[batch.stream.id] = replace(
                landed,
                columns=batch.columns or landed.columns,
                head=Head(batch.head.seq + len(withdrawn) + len(entries), landed.head.epoch + batch.new_epoch),
                log=[*landed.log, *withdrawn, *entries],
                files=[*(standing if batch.rewrite else landed.files), *gained],
            )
            if batch.rewrite:
                self._lake.elsewhere.pop(batch.stream.id, None)
            return entries

    def read(self, entry: LedgerEntry) -> list[Row]:
        """The rows of an entry as they can be read now.

        Raises:
            UnreachableError: the raw object is gone or was overwritten.
        """
        if entry.data_path is not None:
            return self._lake.copies[entry.data_path]
        now = self._lake.store.head(entry.file.path)
        if now is None or now.etag != entry.file.etag:
            raise UnreachableError(f"could not read {entry.file.path}")
        if entry.file.path in self._lake.unreadable:
            raise ValueError(entry.file.path)
        return read_rows(self._lake.store.read(entry.file.path))

    def _convert(self, batch: RegisterBatch) -> dict[str, list[Row]]:
        return {
            f"copied/{batch.stream.slug}/{batch.batch_id}/{decision.file.path}": read_rows(
                self._lake.store.read(decision.file.path)
            )
            for decision in batch.decisions
            if decision.status is FileStatus.COPIED and decision.file.path not in self._lake.unconvertible
        }

    def _entry(self, batch: RegisterBatch, decision: Decision, seq: int, copies: dict[str, list[Row]]) -> LedgerEntry:
        data_path = f"copied/{batch.stream.slug}/{batch.batch_id}/{decision.file.path}"
        if decision.status is FileStatus.COPIED and data_path not in copies:
            reason = "its values do not convert to the landing table's types"
            decision = replace(decision, status=FileStatus.QUARANTINED, reason=reason)
        entry = to_entry(decision, seq, data_path if data_path in copies else None)
        return replace(entry, batch_id=batch.batch_id, recorded_at=self._lake.clock())
