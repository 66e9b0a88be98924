"""The lake's memory: which files it knows, what is wrong with them, and what ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.finding import Finding, TestOutcome
from lotuslake.core.head import Head
from lotuslake.core.run import Run
from lotuslake.core.stream import Stream


class Ledger(Protocol):
    """Reading never creates anything: of a lake that does not exist, everything is empty.

    Every method raises UnreachableError when the catalog cannot be reached, CatalogHeldError when another process holds it.
    """

    def exists(self) -> bool:
        """Whether there is a lake to read."""

    def prepare(self, streams: Sequence[Stream]) -> None:
        """Create the tables that the ledger and these streams need, where they do not exist yet."""

    def load_head(self, stream: Stream) -> Head:
        """The stream's fence: how far its log has come."""

    def load_entries(self, stream: Stream, *, since: date | None = None) -> list[LedgerEntry]:
        """The newest entry of every path; with `since`, of partitions from that day on and of unpartitioned paths."""

    def load_newest_partition(self, stream: Stream) -> date | None:
        """The newest date partition of any known file."""

    def load_newest_file_at(self, stream: Stream, *, until: datetime) -> datetime | None:
        """When the newest known file was written to the store, of those written until then."""

    def load_findings(self, streams: Sequence[Stream]) -> list[Finding]:
        """What is open for these streams: neither mended nor accepted."""

    def load_raised(self, stream: Stream) -> list[Finding]:
        """What was raised for the stream and not closed yet, accepted or not: far quicker than all that is open."""

    def is_accepted(self, finding_id: str) -> bool:
        """Whether a person has accepted this finding."""

    def accept(self, findings: Sequence[Finding], reason: str, *, by: str, now: datetime) -> None:
        """Record that a person has looked at the findings and lets them be."""

    def raise_finding(self, finding: Finding) -> None:
        """Open a finding that no other table tells of; the same one again changes nothing."""

    def close_findings(self, findings: Sequence[Finding]) -> None:
        """Mark findings that were raised as mended."""

    def load_tested_versions(self) -> dict[str, int]:
        """The version of each model that its data tests have last seen."""

    def record_tests(
        self, outcomes: Sequence[TestOutcome], versions: Mapping[str, int], *, run_id: str, now: datetime
    ) -> None:
        """Record what the data tests found in these versions of models, in one commit."""

    def record_run(self, run: Run) -> None:
        """Record that a command ran."""
