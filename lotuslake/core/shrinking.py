"""Falls in rows: a table that would lose more than ``max_shrink`` allows is not put in place before a person accepts it."""

from __future__ import annotations

from datetime import datetime

from lotuslake.core.content import Choice, Content, Evidence
from lotuslake.core.finding import Finding
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor


def is_of_left(finding: Finding) -> bool:
    """Whether a finding tells of a generation that waits for older objects to go."""
    return finding.id.startswith(f"held_back:{finding.stream}:") and ":left:" in finding.id


def is_of_table(finding: Finding) -> bool:
    """Whether a finding tells of a content that is not put in place, so that the table's being up to date mends it."""
    is_of_expiry = finding.id.startswith(f"held_back:{finding.stream}:expiry:")
    return finding.kind in {"overwritten", "held_back", "loss"} and not is_of_left(finding) and not is_of_expiry


def hold_back_shrunk(
    stream: Stream, wanted: Content, cursor: Cursor, evidence: Evidence, instead: Content | None = None
) -> Choice:
    """Hold back a replacement with far fewer rows than the table shows, until a person accepts it.

    Its files hold at least as many rows as it has keys: more may fall away when it is written, which counts again.
    """
    rows_before = evidence.rows_shown()
    rows_after = sum(entry.rows or 0 for entry in wanted.entries)
    if wanted.shrink_id is None or rows_after >= least_rows(stream, rows_before) or evidence.accepted(wanted.shrink_id):
        return Choice(wanted)
    finding = shrunk(
        stream, wanted.shrink_id, f"generation {wanted.generation_id}", rows_before, rows_after, evidence.now
    )
    if stream.sync_mode == "incremental":
        instead = Content(wanted.entries, cursor.generation_id, is_shown=True)
    if instead is None:
        return Choice(None, (finding,))
    held = Content(instead.entries, instead.generation_id, is_shown=True, began=instead.began, held_back=finding.reason)
    return Choice(held, (finding,))


def least_rows(stream: Stream, rows_before: int) -> float:
    """How many rows a replacement must have to be shown without a person's word."""
    return rows_before * (1 - stream.max_shrink)


def shrunk(stream: Stream, id_: str, what: str, rows_before: int, rows_after: int, now: datetime) -> Finding:
    """The finding that tells of a replacement with far fewer rows."""
    reason = (
        f"{what} has {rows_after} rows, the table shows {rows_before}: "
        "a fall beyond max_shrink is not shown before somebody accepts it"
    )
    return Finding(id_, "held_back", stream.id, stream.processed_model, reason, now)
