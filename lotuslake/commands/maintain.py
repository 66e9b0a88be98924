"""`maintain`: upkeep of the lake's own files, and the retention of raw objects that stream files ask for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from lotuslake.commands.context import RunContext
from lotuslake.core.data_file import READABLE, FileStatus, LedgerEntry
from lotuslake.core.ordering import partition_date
from lotuslake.core.stream import Stream
from lotuslake.ports.landing import Landing, RegisterBatch
from lotuslake.ports.ledger import Ledger
from lotuslake.ports.maintenance import Maintenance

DEFAULT_KEEP_DAYS = 30


@dataclass(frozen=True, slots=True)
class MaintainPorts:
    """What upkeep needs of the outside world."""

    ledger: Ledger
    landing: Landing
    maintenance: Maintenance


@dataclass(frozen=True, slots=True)
class MaintainResult:
    """What was done: counts of things that went or were merged."""

    merged_tables: int
    expired_snapshots: int
    deleted_files: int
    expired_objects: dict[str, int]


def maintain(streams: Sequence[Stream], ports: MaintainPorts, context: RunContext, *, keep_days: int) -> MaintainResult:
    """Merge small files, expire snapshots older than ``keep_days``, delete what nothing needs, apply retentions.

    Each part may be cut off and done again. What this run schedules for deletion is deleted by the next one.
    """
    ports.ledger.prepare(streams)
    started_at = context.now()
    expired = {stream.id: _apply_retention(stream, ports, context) for stream in streams if stream.retention_days}
    return MaintainResult(
        merged_tables=ports.maintenance.merge_small_files(),
        expired_snapshots=ports.maintenance.expire_snapshots(started_at - timedelta(days=keep_days)),
        deleted_files=ports.maintenance.clean_up(started_at),
        expired_objects=expired,
    )


def _apply_retention(stream: Stream, ports: MaintainPorts, context: RunContext) -> int:
    """The lake lets go of old files first, then their objects are deleted: cut off in between, the next run goes on."""
    head = ports.ledger.load_head(stream)
    entries = ports.ledger.load_entries(stream)
    oldest_kept = context.now().date() - timedelta(days=stream.retention_days or 0)
    old = [entry for entry in entries if entry.status in READABLE and _day(entry) < oldest_kept]
    if old:
        leaving = {entry.file.path for entry in old}
        reason = f"older than {stream.retention_days} days"
        ports.landing.commit(
            RegisterBatch(
                stream=stream,
                batch_id=str(uuid.uuid4()),
                run_id=context.run_id,
                head=head,
                decisions=(),
                withdrawn=tuple(replace(entry, status=FileStatus.EXPIRED, reason=reason) for entry in old),
                standing=tuple(e for e in entries if e.status in READABLE and e.file.path not in leaving),
                rewrite=True,
            )
        )
    expired = [*old, *(entry for entry in entries if entry.status is FileStatus.EXPIRED)]
    deleted = ports.maintenance.delete_expired(stream, expired)
    if deleted:
        context.log(f"deleted {deleted} raw objects older than {oldest_kept}", stream=stream.id)
    return deleted


def _day(entry: LedgerEntry) -> date:
    return partition_date(entry.file.path) or entry.file.last_modified_at.date()
