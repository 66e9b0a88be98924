"""`ingest-check`: what the store holds that the lake does not know, and how fresh each stream is. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lotuslake.commands.context import RunContext
from lotuslake.commands.listing import list_stream_files
from lotuslake.core.errors import ExitCode
from lotuslake.core.finding import Finding
from lotuslake.core.freshness import FreshnessState, judge_freshness
from lotuslake.core.listing_scope import ListingScope
from lotuslake.core.registration_plan import RegistrationPlan, bound_commit, list_since, plan_registration
from lotuslake.core.stream import BatchLimits, Stream
from lotuslake.ports import ObjectStore
from lotuslake.ports.ledger import Ledger


@dataclass(frozen=True, slots=True)
class StreamCheck:
    """One stream's state; ``lag_seconds`` is the age of its newest file, None while there is none."""

    stream: str
    plan: RegistrationPlan
    newest_file_at: datetime | None
    lag_seconds: int | None
    freshness: FreshnessState
    batches: int

    @property
    def pending_files(self) -> int:
        """Files that `register` would take up."""
        return len(self.plan.pending)

    @property
    def pending_bytes(self) -> int:
        """Their size."""
        return sum(file.size_bytes for file in self.plan.pending)


@dataclass(frozen=True, slots=True)
class IngestCheckResult:
    """All streams in the order asked for, and what is open for them."""

    streams: tuple[StreamCheck, ...]
    findings: tuple[Finding, ...]

    def exit_code(self, *, detailed: bool = False) -> ExitCode:
        """5 when a person must look, 10 when asked for detail and something is pending, else 0."""
        if self.findings or any(check.freshness == "error" or check.plan.missing for check in self.streams):
            return ExitCode.FINDINGS
        if detailed and any(not check.plan.is_empty for check in self.streams):
            return ExitCode.PENDING
        return ExitCode.DONE


def ingest_check(
    streams: Sequence[Stream],
    store: ObjectStore,
    ledger: Ledger,
    limits: BatchLimits,
    context: RunContext,
    *,
    full_sweep: bool = False,
) -> IngestCheckResult:
    """Compare listing and ledger for every stream."""
    checks = tuple(_check(stream, store, ledger, limits, context, full_sweep=full_sweep) for stream in streams)
    return IngestCheckResult(checks, tuple(ledger.load_findings(streams)))


def _check(
    stream: Stream, store: ObjectStore, ledger: Ledger, limits: BatchLimits, context: RunContext, *, full_sweep: bool
) -> StreamCheck:
    plan, newest_listed_at = plan_stream(stream, store, ledger, limits, context.now().date(), full_sweep=full_sweep)
    known = [at for at in (newest_listed_at, ledger.load_newest_file_at(stream)) if at is not None]
    newest_file_at = max(known, default=None)
    now = context.now()
    return StreamCheck(
        stream=stream.id,
        plan=plan,
        newest_file_at=newest_file_at,
        lag_seconds=None if newest_file_at is None else max(0, int((now - newest_file_at).total_seconds())),
        freshness=judge_freshness(newest_file_at, stream.freshness, now),
        batches=len(plan.batches),
    )


def plan_stream(
    stream: Stream,
    store: ObjectStore,
    ledger: Ledger,
    limits: BatchLimits,
    today: date,
    *,
    full_sweep: bool = False,
    retry_quarantined: bool = False,
) -> tuple[RegistrationPlan, datetime | None]:
    """The registration plan of a stream as things stand, and when the newest listed file was written.

    Quarantined files lie anywhere in the history: to retry them all of it is listed.
    """
    newest = ledger.load_newest_partition(stream)
    since = list_since(newest, stream.lookback_days, today, full_sweep=full_sweep or retry_quarantined)
    listing = list_stream_files(store, stream, since=since)
    plan = plan_registration(
        listing,
        ledger.load_entries(stream, since=since),
        bound_commit(limits, stream),
        ListingScope(stream.landing_path, since),
        retry_quarantined=retry_quarantined,
    )
    return plan, max((file.last_modified_at for file in listing), default=None)
