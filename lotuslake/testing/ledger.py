"""The ledger in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from lotuslake.core.data_file import READABLE, FileStatus, LedgerEntry
from lotuslake.core.finding import Finding, FindingKind, TestOutcome
from lotuslake.core.freshness import CLOCKS_DIFFER, judge_freshness
from lotuslake.core.head import Head
from lotuslake.core.ordering import partition_date
from lotuslake.core.run import Run
from lotuslake.core.stream import Stream

if TYPE_CHECKING:
    from lotuslake.testing.lake import MemoryLake

_KINDS: Mapping[FileStatus, FindingKind] = {FileStatus.QUARANTINED: "quarantined", FileStatus.MISSING: "missing"}
GONE = "the object is gone from the store; its rows left landing"


class MemoryLedger:
    """See the Ledger port."""

    def __init__(self, lake: MemoryLake) -> None:
        self._lake = lake

    def exists(self) -> bool:
        """See Ledger."""
        with self._lake.calling("ledger.exists"):
            return bool(self._lake.streams)

    def prepare(self, streams: Sequence[Stream]) -> None:
        """See Ledger."""
        with self._lake.calling("ledger.prepare"):
            self._lake.streams |= {stream.id: stream for stream in streams}

    def load_head(self, stream: Stream) -> Head:
        """See Ledger."""
        with self._lake.calling("ledger.load_head"):
            return self._lake.landed_of(stream).head

    def load_entries(self, stream: Stream, *, since: date | None = None) -> list[LedgerEntry]:
        """See Ledger."""
        with self._lake.calling("ledger.load_entries"):
            return [entry for entry in self._current(stream) if since is None or _is_since(entry, since)]

    def load_newest_partition(self, stream: Stream) -> date | None:
        """See Ledger."""
        with self._lake.calling("ledger.load_newest_partition"):
            days = (partition_date(entry.file.path) for entry in self._lake.landed_of(stream).log)
            return max((day for day in days if day is not None), default=None)

    def load_newest_file_at(self, stream: Stream, *, until: datetime) -> datetime | None:
        """See Ledger."""
        with self._lake.calling("ledger.load_newest_file_at"):
            known = {*READABLE, FileStatus.EMPTY}
            log = self._lake.landed_of(stream).log
            at = (entry.file.last_modified_at for entry in log if entry.status in known)
            return max((instant for instant in at if instant <= until), default=None)

    def load_findings(self, streams: Sequence[Stream]) -> list[Finding]:
        """See Ledger."""
        with self._lake.calling("ledger.load_findings"):
            found = [finding for stream in streams for finding in self._findings_of(stream)]
            return [finding for finding in found if finding.id not in self._lake.accepted]

    def load_raised(self, stream: Stream) -> list[Finding]:
        """See Ledger."""
        with self._lake.calling("ledger.load_raised"):
            return [finding for finding in self._lake.raised.values() if finding.stream == stream.id]

    def is_accepted(self, finding_id: str) -> bool:
        """See Ledger."""
        with self._lake.calling("ledger.is_accepted"):
            return finding_id in self._lake.accepted

    def accept(self, findings: Sequence[Finding], reason: str, *, by: str, now: datetime) -> None:
        """See Ledger."""
        with self._lake.calling("ledger.accept"):
            self._lake.accepted |= {finding.id: f"{reason} ({by}, {now:%Y-%m-%d})" for finding in findings}

    def raise_finding(self, finding: Finding) -> None:
        """See Ledger."""
        with self._lake.calling("ledger.raise_finding"):
            self._lake.raised.setdefault(finding.id, finding)

    def close_findings(self, findings: Sequence[Finding]) -> None:
        """See Ledger."""
        with self._lake.calling("ledger.close_findings"):
            for finding in findings:
                self._lake.raised.pop(finding.id, None)

    def load_tested_versions(self) -> dict[str, int]:
        """See Ledger."""
        with self._lake.calling("ledger.load_tested_versions"):
            return dict(self._lake.tested)

    def record_tests(
        self,
        outcomes: Sequence[TestOutcome],
        versions: Mapping[str, int],
        *,
        run_id: str,  # noqa: ARG002  (part of the port)
        now: datetime,
    ) -> None:
        """See Ledger."""
        with self._lake.calling("ledger.record_tests"):
            per_stream = {(item.test, stream): (item, now) for item in outcomes for stream in item.streams}
            self._lake.outcomes |= per_stream
            self._lake.tested |= versions

    def record_run(self, run: Run) -> None:
        """See Ledger."""
        with self._lake.calling("ledger.record_run"):
            self._lake.runs.append(run)

    def _current(self, stream: Stream) -> list[LedgerEntry]:
        log = self._lake.landed_of(stream).log
        newest = {entry.file.path: entry for entry in log}
        first = {entry.file.path: entry.seq for entry in reversed(log) if entry.status in READABLE}
        current = (replace(entry, readable_seq=first.get(path, 0)) for path, entry in newest.items())
        return sorted(current, key=lambda entry: entry.seq)

    def _findings_of(self, stream: Stream) -> Iterator[Finding]:
        yield from (finding for finding in self._lake.raised.values() if finding.stream == stream.id)
        for entry in self._current(stream):
            kind = _KINDS.get(entry.status)
            if kind is not None:
                id_ = f"{kind}:{stream.id}:{entry.file.path}:{entry.file.etag}"
                yield Finding(id_, kind, stream.id, entry.file.path, entry.reason or GONE, entry.recorded_at)
        for (test, covered), (outcome, at) in self._lake.outcomes.items():
            if covered == stream.id and outcome.status in ("fail", "error"):
                reason = f"data test {outcome.status}, {outcome.failures} rows"
                yield Finding(f"test:{covered}:{test}:{outcome.failures}", "test", covered, test, reason, at)
        files = [entry.file for entry in self._current(stream) if entry.status in {*READABLE, FileStatus.EMPTY}]
        until = self._lake.clock() + CLOCKS_DIFFER
        newest_at = max((file.last_modified_at for file in files if file.last_modified_at <= until), default=None)
        recorded = self._lake.streams.get(stream.id, stream).freshness
        if newest_at and judge_freshness(newest_at, recorded, self._lake.clock()) == "error":
            reason = f"no new file since {newest_at:%Y-%m-%d %H:%M} UTC"
            yield Finding(f"stale:{stream.id}:{newest_at}", "stale", stream.id, "", reason, newest_at)


def _is_since(entry: LedgerEntry, since: date) -> bool:
    day = partition_date(entry.file.path)
    return day is None or day >= since
