"""`register`: new files into landing tables, batch after batch, each one commit."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from lotuslake.commands.context import RunContext, StreamError
from lotuslake.commands.heal import close_vanished, heal
from lotuslake.commands.ingest_check import plan_stream
from lotuslake.commands.landing_root import LandingRoot
from lotuslake.commands.relocate import check_root
from lotuslake.commands.turns import locked, take_turns
from lotuslake.core.data_file import DataFile, FileStatus, LedgerEntry
from lotuslake.core.decision import decide
from lotuslake.core.errors import ExitCode, LostRaceError
from lotuslake.core.finding import Finding
from lotuslake.core.footer import Footer
from lotuslake.core.head import Head
from lotuslake.core.registration_plan import RegistrationPlan
from lotuslake.core.retry import ATTEMPTS, wait_before_retry
from lotuslake.core.stream import BatchLimits, Stream
from lotuslake.ports import ObjectStore
from lotuslake.ports.landing import Landing, RegisterBatch
from lotuslake.ports.ledger import Ledger
from lotuslake.ports.lock import NoLock, WorkLock


@dataclass(frozen=True, slots=True)
class RegisterOptions:
    """What the command line asks for; ``max_batches`` bounds the whole run."""

    limits: BatchLimits
    dry_run: bool = False
    max_batches: int | None = None
    full_sweep: bool = False
    retry_quarantined: bool = False
    relocate: bool = False


@dataclass(slots=True)
class StreamRegistration:
    """What became of one stream; ``plan`` is the last one made for it."""

    stream: str
    plan: RegistrationPlan | None = None
    files: Counter[FileStatus] = field(default_factory=Counter)
    rows: int = 0
    batches: int = 0

    def count(self, entries: Sequence[LedgerEntry]) -> None:
        """Take a committed batch into account."""
        self.batches += 1
        for entry in entries:
            self.files[entry.status] += 1
            if entry.status in (FileStatus.REGISTERED, FileStatus.COPIED):
                self.rows += entry.rows or 0


@dataclass(frozen=True, slots=True)
class RegisterResult:
    """``finished`` is False when time or the allowed number of batches ran out, or an outage ended the run."""

    streams: tuple[StreamRegistration, ...]
    findings: tuple[Finding, ...]
    errors: tuple[StreamError, ...]
    finished: bool
    dry_run: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """The first error's code, else 5 when a person must look, else 0."""
        if self.errors:
            return self.errors[0].error.exit_code
        return ExitCode.FINDINGS if self.findings else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class RegisterPorts:
    """What registering needs of the outside world."""

    store: ObjectStore
    ledger: Ledger
    landing: Landing
    lock: WorkLock = field(default_factory=NoLock)


def register(
    streams: Sequence[Stream], ports: RegisterPorts, options: RegisterOptions, context: RunContext
) -> RegisterResult:
    """Plan every stream, then commit batches in turn until nothing is pending or the bounds are reached."""
    registrations = [StreamRegistration(stream.id) for stream in streams]
    if options.dry_run:
        for stream, registration in zip(streams, registrations, strict=True):
            registration.plan = _plan(stream, ports, options, context)
        findings = tuple(ports.ledger.load_findings(streams))
        return RegisterResult(tuple(registrations), findings, (), finished=True, dry_run=True)
    ports.ledger.prepare(streams)
    allowance = _Allowance(options.max_batches)
    root = LandingRoot(streams, ports.store, ports.ledger)
    workers = [
        (
            stream.id,
            locked(
                ports.lock,
                f"register {stream.id}",
                _register_stream(stream, ports, options, context, registration, allowance, root),
            ),
        )
        for stream, registration in zip(streams, registrations, strict=True)
    ]
    finished, errors = take_turns(workers, context.should_end)
    findings = () if _is_outage(errors) else tuple(ports.ledger.load_findings(streams))
    return RegisterResult(tuple(registrations), findings, tuple(errors), finished and not allowance.is_spent)


class _Allowance:
    """How many batches the run may still commit."""

    def __init__(self, batches: int | None) -> None:
        self._left = batches
        self.is_spent = False

    def take(self) -> bool:
        if self._left is None:
            return True
        self.is_spent = self._left <= 0
        self._left -= 1
        return not self.is_spent


def _plan(stream: Stream, ports: RegisterPorts, options: RegisterOptions, context: RunContext) -> RegistrationPlan:
    return plan_stream(
        stream,
        ports.store,
        ports.ledger,
        options.limits,
        context.now().date(),
        full_sweep=options.full_sweep,
        retry_quarantined=options.retry_quarantined,
    )[0]


def _register_stream(
    stream: Stream,
    ports: RegisterPorts,
    options: RegisterOptions,
    context: RunContext,
    registration: StreamRegistration,
    allowance: _Allowance,
    root: LandingRoot,
) -> Iterator[None]:
    """Commit the stream's batches; after a lost race plan anew, since another process did part of the work."""
    lost = 0
    while True:
        try:
            # The head first: what another process registers after it makes the commit lose, so no file comes in twice.
            head = ports.ledger.load_head(stream)
            ports.landing.evolve(stream, [])
            check_root(stream, head, ports.ledger, ports.landing, context, relocate=options.relocate)
            head, plan = yield from _plan_and_heal(stream, head, ports, options, context, registration, root)
            for batch in plan.batches:
                if not allowance.take():
                    return
                head = _commit_batch(stream, batch, head, ports, context, registration)
                lost = 0
                yield
            if registration.batches:
                # What was missing may have been replaced by a generation that has only now come in.
                heal(stream, replace(plan, overwritten=(), missing=()), head, ports.ledger, ports.landing, context)
        except LostRaceError as error:
            lost += 1
            if lost >= ATTEMPTS:
                raise LostRaceError(
                    f"lost the race for {stream.id} {lost} times; run the same command again"
                ) from error
            context.log("another process was faster: planning anew", stream=stream.id)
            wait_before_retry(lost)
        else:
            return


def _plan_and_heal(
    stream: Stream,
    head: Head,
    ports: RegisterPorts,
    options: RegisterOptions,
    context: RunContext,
    registration: StreamRegistration,
    root: LandingRoot,
) -> Generator[None, None, tuple[Head, RegistrationPlan]]:
    """The plan, once what it found overwritten or missing is mended; the head after that.

    Raises:
        ConfigError: the landing root is not the lake's.
    """
    # Whether objects are there again that had all vanished, only a whole listing tells.
    has_asked = any(finding.kind == "vanished" for finding in ports.ledger.load_raised(stream))
    full = replace(options, full_sweep=True)
    plan = registration.plan = _plan(stream, ports, full if has_asked else options, context)
    if not plan.has_listed:
        root.require()
    context.progress.begin(stream.id, len(plan.batches))
    if plan.overwritten or plan.missing:
        # Landing is made anew from every file that stands, so all of them must be known to be there.
        plan = registration.plan = _plan(stream, ports, full, context)
        head, healed = heal(stream, plan, head, ports.ledger, ports.landing, context)
        if healed:
            registration.count(healed)
        yield
    elif has_asked:
        close_vanished(stream, ports.ledger)
    return head, plan


def _commit_batch(
    stream: Stream,
    files: Sequence[DataFile],
    head: Head,
    ports: RegisterPorts,
    context: RunContext,
    registration: StreamRegistration,
) -> Head:
    """Commit one batch after ``head``; the head afterwards."""
    inspected = ports.landing.inspect(files)
    columns = ports.landing.evolve(
        stream, [found.columns for found in inspected if isinstance(found, Footer) and found.rows]
    )
    batch = RegisterBatch(
        stream=stream,
        batch_id=str(uuid.uuid4()),
        run_id=context.run_id,
        head=head,
        decisions=tuple(decide(stream, columns, inspected)),
    )
    if not batch.decisions:
        return head
    entries = ports.landing.commit(batch)
    registration.count(entries)
    context.progress.advance(stream.id, f"{len(entries)} files, {sum(entry.rows or 0 for entry in entries)} rows")
    for entry in entries:
        if entry.status is FileStatus.QUARANTINED:
            context.warn(f"quarantined {entry.file.path}: {entry.reason}", stream=stream.id)
    return replace(head, seq=head.seq + len(entries))


def _is_outage(errors: Sequence[StreamError]) -> bool:
    return any(item.error.exit_code is ExitCode.UNREACHABLE for item in errors)
