"""`maintain`: upkeep of the lake's own files, and the retention of raw objects that stream files ask for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from lotuslake.commands.context import RunContext
from lotuslake.core.data_file import FileStatus
from lotuslake.core.errors import ConfigError, ExitCode
from lotuslake.core.finding import Finding
from lotuslake.core.head import Head
from lotuslake.core.retention import Expiry, plan_expiry
from lotuslake.core.stream import Stream
from lotuslake.ports.data_root import DataRoot, OwnDataRoot
from lotuslake.ports.landing import Landing, RegisterBatch
from lotuslake.ports.ledger import Ledger
from lotuslake.ports.maintenance import Maintenance
from lotuslake.ports.transformer import Cursors

DEFAULT_KEEP_DAYS = 30
DEFAULT_GRACE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class MaintainPorts:
    """What upkeep needs of the outside world."""

    ledger: Ledger
    landing: Landing
    maintenance: Maintenance
    cursors: Cursors
    data_root: DataRoot = field(default_factory=OwnDataRoot)


@dataclass(frozen=True, slots=True)
class MaintainOptions:
    """``keep_days`` of time travel stay. A catalog restored from a backup as old as ``grace`` finds its files.

    ``take_over``: a person says that the data root is this catalog's from now on.
    """

    keep_days: int = DEFAULT_KEEP_DAYS
    grace: timedelta = DEFAULT_GRACE
    take_over: bool = False


@dataclass(frozen=True, slots=True)
class MaintainResult:
    """What was done: counts of things that went or were merged."""

    merged_tables: int
    expired_snapshots: int
    deleted_files: int
    expired_objects: dict[str, int]
    findings: tuple[Finding, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """5 when a person must look, else 0."""
        return ExitCode.FINDINGS if self.findings else ExitCode.DONE


def maintain(
    streams: Sequence[Stream], ports: MaintainPorts, options: MaintainOptions, context: RunContext
) -> MaintainResult:
    """Merge small files, expire old snapshots, delete what nothing has needed for the grace, apply retentions.

    Each part may be cut off and done again. What this run schedules for deletion is deleted once the grace has passed.

    Raises:
        ConfigError: the data root is another catalog's; nothing was changed.
    """
    ports.ledger.prepare(streams)
    _require_owner(ports.data_root, context, take_over=options.take_over)
    started_at = context.now()
    expired = {stream.id: _apply_retention(stream, ports, context) for stream in streams if stream.retention_days}
    return MaintainResult(
        merged_tables=ports.maintenance.merge_small_files(),
        expired_snapshots=ports.maintenance.expire_snapshots(started_at - timedelta(days=options.keep_days)),
        deleted_files=ports.maintenance.clean_up(started_at - options.grace),
        expired_objects=expired,
        findings=tuple(ports.ledger.load_findings(streams)),
    )


def _require_owner(data_root: DataRoot, context: RunContext, *, take_over: bool) -> None:
    this, owner = data_root.this(), data_root.load_owner()
    if owner == this:
        return
    if owner is not None and not take_over:
        raise ConfigError(
            f"LOTUSLAKE_DATA_URL: the data root belongs to {owner}, and this is {this}: nothing is deleted. For a rehearsal, "
            "choose a data root of its own. If this catalog has taken the place of that one for good: lotuslake maintain "
            "--take-over, after which that one deletes nothing more"
        )
    data_root.mark(this)
    if owner is not None:
        context.warn(f"the data root is now that of {this}, and no longer that of {owner}")


def _apply_retention(stream: Stream, ports: MaintainPorts, context: RunContext) -> int:
    """The lake lets go of old files first, then their objects are deleted: cut off in between, the next run goes on.

    What no model has read waits, and so does an expiry that would take most of landing, until a person accepts it.
    """
    head = ports.ledger.load_head(stream)
    entries = ports.ledger.load_entries(stream)
    position = ports.cursors.load_cursor(stream.processed_model).position
    expiry = plan_expiry(stream, entries, position, context.now())
    if expiry.unread:
        context.warn(f"{expiry.unread} old files wait: {stream.processed_model} has not read them", stream=stream.id)
    if not _may_expire(stream, expiry, ports, context):
        return 0
    if expiry.leaving:
        ports.landing.commit(_withdraw(stream, head, expiry, context))
    expired = [*expiry.leaving, *(entry for entry in entries if entry.status is FileStatus.EXPIRED)]
    deleted = ports.maintenance.delete_expired(stream, expired)
    if deleted:
        context.log(f"deleted {deleted} raw objects older than {expiry.oldest_kept}", stream=stream.id)
    return deleted


def _may_expire(stream: Stream, expiry: Expiry, ports: MaintainPorts, context: RunContext) -> bool:
    raised = ports.ledger.load_raised(stream)
    if any(one.kind == "vanished" and not ports.ledger.is_accepted(one.id) for one in raised):
        return False  # Landing is kept as it is until a person says whether its objects are gone for good.
    finding = expiry.finding(stream, context.now())
    if expiry.is_shrinking(stream) and not ports.ledger.is_accepted(finding.id):
        context.warn(finding.reason, stream=stream.id)
        ports.ledger.raise_finding(finding)
        return False
    ports.ledger.close_findings([one for one in raised if one.kind == "held_back" and ":expiry:" in one.id])
    return True


def _withdraw(stream: Stream, head: Head, expiry: Expiry, context: RunContext) -> RegisterBatch:
    reason = f"older than {stream.retention_days} days"
    return RegisterBatch(
        stream=stream,
        batch_id=str(uuid.uuid4()),
        run_id=context.run_id,
        head=head,
        decisions=(),
        withdrawn=tuple(replace(entry, status=FileStatus.EXPIRED, reason=reason) for entry in expiry.leaving),
        standing=expiry.staying,
        rewrite=True,
    )
