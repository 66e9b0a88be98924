"""The lake's own files that are gone: noticed by one comparison of catalog and store, told until they are mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lotuslake.commands.context import RunContext
from lotuslake.core.errors import ConfigError
from lotuslake.core.finding import Finding
from lotuslake.core.lost import KIND, LostTable, lost_finding
from lotuslake.core.stream import Stream
from lotuslake.ports.ledger import Ledger
from lotuslake.ports.lost_files import LostFiles
from lotuslake.ports.transformer import Cursors


@dataclass(frozen=True, slots=True)
class LossWatch:
    """Compares, and keeps the findings of these streams."""

    streams: Sequence[Stream]
    lost: LostFiles
    cursors: Cursors
    ledger: Ledger
    context: RunContext

    def look(self) -> list[Finding]:
        """What is lost now; nothing is written.

        Raises:
            ConfigError: the ledger's own files are gone.
        """
        tables = self.lost.find()
        own = [table for table in tables if table.schema == "meta"]
        if own:
            raise ConfigError(
                f"{own[0].files} files of the lake's own ledger (meta.{own[0].name}, such as {own[0].first}) are gone from the "
                "data root: put them back from a copy of it, or begin with an empty catalog, into which lotuslake register "
                "takes all that landing has"
            )
        return [self._finding(stream, table) for table in tables for stream in self._streams_of(table)]

    def tell(self) -> None:
        """As `look`, kept in the lake: what is lost is raised, what is whole again is closed."""
        now = self.look()
        for finding in now:
            self.context.warn(finding.reason, stream=finding.stream)
            self.ledger.raise_finding(finding)
        ids = {finding.id for finding in now}
        self.ledger.close_findings([finding for finding in self._raised() if finding.id not in ids])

    def settle(self) -> None:
        """As `tell`, where something was raised before: after a command that may have mended it."""
        if self._raised():
            self.tell()

    def _raised(self) -> list[Finding]:
        return [one for stream in self.streams for one in self.ledger.load_raised(stream) if one.kind == KIND]

    def _finding(self, stream: Stream, table: LostTable) -> Finding:
        return lost_finding(stream, table, self.context.now())

    def _streams_of(self, table: LostTable) -> list[Stream]:
        """The streams whose table it is; for an enriched one those above it."""
        if table.schema == "landing":
            return [stream for stream in self.streams if stream.landing_table == table.name]
        own = {table.name.partition("__rebuild")[0]}
        above = own if table.schema == "processed" else self._processed_above(table.name)
        return [stream for stream in self.streams if stream.processed_model in above]

    def _processed_above(self, model: str) -> set[str]:
        found, waiting = set(), [model]
        while waiting:
            for name, _ in self.cursors.load_cursor(waiting.pop()).upstreams:
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return found
