"""`ingest-check`: what the store holds that the lake does not know, and how fresh each stream is. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from lotuslake.commands.context import RunContext
from lotuslake.commands.landing_root import LandingRoot
from lotuslake.commands.listing import list_stream_files
from lotuslake.core.data_file import DataFile
from lotuslake.core.errors import ExitCode
from lotuslake.core.finding import Finding
from lotuslake.core.freshness import CLOCKS_DIFFER, FreshnessState, judge_freshness
from lotuslake.core.listing_scope import ListingScope
from lotuslake.core.registration_plan import RegistrationPlan, bound_commit, list_since, plan_registration
from lotuslake.core.stream import BatchLimits, Stream
from lotuslake.ports import ObjectStore
from lotuslake.ports.ledger import Ledger


@dataclass(frozen=True, slots=True)
class StreamCheck:
    """One stream's state; ``lag_seconds`` is the age of its newest file, None while there is none.

    ``has_listed`` says whether the listing showed any object.
    Of a file dated ahead of now the lag is negative; ``future_files`` are those further ahead than two clocks may differ,
    and how fresh the stream is, they do not tell.
    """

    stream: str
    plan: RegistrationPlan
    newest_file_at: datetime | None
    lag_seconds: int | None
    freshness: FreshnessState
    batches: int
    has_listed: bool = True
    future_files: tuple[DataFile, ...] = ()

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

    def with_findings(self, more: Sequence[Finding]) -> IngestCheckResult:
        """The same, with what was found beside what is kept in the lake."""
        known = {finding.id for finding in self.findings}
        return replace(self, findings=(*self.findings, *(finding for finding in more if finding.id not in known)))

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
    """Compare listing and ledger for every stream.

    Raises:
        ConfigError: the landing root is not the lake's.
    """
    checks = tuple(_check(stream, store, ledger, limits, context, full_sweep=full_sweep) for stream in streams)
    if checks and not any(check.has_listed for check in checks):
        LandingRoot(streams, store, ledger).require()
    return IngestCheckResult(checks, tuple(ledger.load_findings(streams)))


def _check(
    stream: Stream, store: ObjectStore, ledger: Ledger, limits: BatchLimits, context: RunContext, *, full_sweep: bool
) -> StreamCheck:
    plan, listing = plan_stream(stream, store, ledger, limits, context.now().date(), full_sweep=full_sweep)
    now = context.now()
    known_at = ledger.load_newest_file_at(stream, until=now + CLOCKS_DIFFER)
    future = tuple(file for file in listing if file.last_modified_at > now + CLOCKS_DIFFER)
    told = [file.last_modified_at for file in listing if file not in future] + ([known_at] if known_at else [])
    newest_file_at = max([*told, *(file.last_modified_at for file in future)], default=None)
    _warn_of(stream, plan, future, context)
    return StreamCheck(
        stream=stream.id,
        plan=plan,
        newest_file_at=newest_file_at,
        lag_seconds=None if newest_file_at is None else int((now - newest_file_at).total_seconds()),
        freshness=judge_freshness(max(told, default=None), stream.freshness, now),
        batches=len(plan.batches),
        has_listed=plan.has_listed,
        future_files=future,
    )


def _warn_of(stream: Stream, plan: RegistrationPlan, future: Sequence[DataFile], context: RunContext) -> None:
    if plan.passed_over:
        context.warn(
            f"{len(plan.passed_over)} objects are no data files by their names and are passed over, such as "
            f"{plan.passed_over[0]}; data files end in .parquet",
            stream=stream.id,
        )
    if future:
        dated = f"{future[0].last_modified_at:%Y-%m-%d %H:%M} UTC"
        context.warn(
            f"{len(future)} files are dated ahead of now, such as {future[0].path} ({dated}); how fresh the stream is, they do "
            "not tell",
            stream=stream.id,
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
) -> tuple[RegistrationPlan, list[DataFile]]:
    """The registration plan of a stream as things stand, and what was listed.

    Quarantined files lie anywhere in the history: to retry them all of it is listed.
    """
    newest = ledger.load_newest_partition(stream)
    since = list_since(newest, stream.lookback_days, today, full_sweep=full_sweep or retry_quarantined)
    passed_over: list[str] = []
    listing = list_stream_files(store, stream, since=since, passed_over=passed_over)
    plan = plan_registration(
        listing,
        ledger.load_entries(stream, since=since),
        bound_commit(limits, stream),
        ListingScope(stream.landing_path, since),
        retry_quarantined=retry_quarantined,
    )
    return replace(plan, passed_over=tuple(passed_over)), listing
