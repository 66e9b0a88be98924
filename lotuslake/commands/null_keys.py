"""What a model's cursor counts of records without a key, as a finding."""

from __future__ import annotations

from lotuslake.core.null_keys import null_keys_finding
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor
from lotuslake.ports.ledger import Ledger


def settle_null_keys(stream: Stream, cursor: Cursor, ledger: Ledger) -> None:
    """Open, replace or close the stream's finding, as the count in ``cursor`` asks for."""
    if cursor.null_keys is None:
        return
    wanted = null_keys_finding(stream, cursor.null_keys) if cursor.null_keys else None
    raised = [finding for finding in ledger.load_raised(stream) if finding.kind == "null_keys"]
    if wanted is not None and all(finding.id != wanted.id for finding in raised):
        ledger.raise_finding(wanted)
    ledger.close_findings([finding for finding in raised if wanted is None or finding.id != wanted.id])
