"""Mends what an overwritten or vanished object left behind: its rows leave landing, new content comes in, one commit."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from lotuslake.commands.context import RunContext
from lotuslake.core.data_file import READABLE, FileStatus, LedgerEntry
from lotuslake.core.decision import decide
from lotuslake.core.finding import Finding
from lotuslake.core.footer import Footer
from lotuslake.core.head import Head
from lotuslake.core.healing import OVERWRITTEN, has_vanished, plan_healing, tell
from lotuslake.core.registration_plan import RegistrationPlan
from lotuslake.core.stream import Stream
from lotuslake.ports.landing import Landing, RegisterBatch
from lotuslake.ports.ledger import Ledger


def heal(
    stream: Stream, plan: RegistrationPlan, head: Head, ledger: Ledger, landing: Landing, context: RunContext
) -> tuple[Head, list[LedgerEntry]]:
    """Commit what the plan found overwritten or missing; the head afterwards, and the new entries.

    An overwritten object makes the stream due for a rebuild, since rows that left cannot be taken out of what was made
    from them. A vanished one does not: what was learned from it stays until a rebuild is asked for. Where everything has
    vanished, nothing is changed until a person accepts it.
    """
    known = ledger.load_entries(stream)
    is_emptied = has_vanished(known, plan)
    if is_emptied and not _is_accepted(stream, known, head, ledger, context):
        return head, []
    inspected = landing.inspect([item.file for item in plan.overwritten])
    healing = plan_healing(stream, known, plan, inspected, is_emptied=is_emptied)
    if healing.is_empty:
        return head, []
    columns = landing.evolve(stream, [found.columns for found in healing.changed if isinstance(found, Footer)])
    batch = RegisterBatch(
        stream=stream,
        batch_id=str(uuid.uuid4()),
        run_id=context.run_id,
        head=head,
        decisions=tuple(decide(stream, columns, healing.changed)),
        withdrawn=healing.restated,
        standing=healing.standing,
        rewrite=healing.rewrites,
        new_epoch=bool(healing.changed),
        findings=tuple(_overwritten(stream, entry, context) for entry in healing.restated if _is_overwritten(entry)),
    )
    entries = landing.commit(batch)
    close_vanished(stream, ledger)
    for entry in healing.restated:
        say = context.log if entry.status in READABLE else context.warn
        say(tell(entry), stream=stream.id)
    seq = head.seq + len(healing.restated) + len(entries)
    return replace(head, seq=seq, epoch=head.epoch + int(batch.new_epoch)), entries


def _is_accepted(stream: Stream, known: Sequence[LedgerEntry], head: Head, ledger: Ledger, context: RunContext) -> bool:
    """Whether a person has accepted that every object is gone; if not, the finding that asks for it stands open."""
    standing = [entry for entry in known if entry.status in READABLE]
    finding = Finding(
        id=f"vanished:{stream.id}:{head.seq}",
        kind="vanished",
        stream=stream.id,
        subject=stream.landing_path,
        reason=f"all {len(standing)} objects ({sum(entry.rows or 0 for entry in standing)} rows) are gone from the landing "
        "root and none has come: nothing is changed. Put them back, or, if the stream is empty now, accept it",
        since_at=context.now(),
    )
    if ledger.is_accepted(finding.id):
        return True
    context.warn(finding.reason, stream=stream.id)
    ledger.raise_finding(finding)
    return False


def close_vanished(stream: Stream, ledger: Ledger) -> None:
    """Objects are there again, or their going is settled: what was asked of a person is no longer so."""
    ledger.close_findings([finding for finding in ledger.load_raised(stream) if finding.kind == "vanished"])


def _is_overwritten(entry: LedgerEntry) -> bool:
    return entry.status is FileStatus.SUPERSEDED and entry.reason == OVERWRITTEN


def _overwritten(stream: Stream, entry: LedgerEntry, context: RunContext) -> Finding:
    return Finding(
        id=f"overwritten:{stream.id}:{entry.file.path}:{entry.file.etag}",
        kind="overwritten",
        stream=stream.id,
        subject=entry.file.path,
        reason="the object was overwritten; lotuslake transform rebuilds what was made from it",
        since_at=context.now(),
    )
