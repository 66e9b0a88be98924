"""Findings as a table, the same under every command."""

from __future__ import annotations

from collections.abc import Sequence

from lotuslake.cli.output import Table, columns
from lotuslake.core.finding import Finding


def finding_table(findings: Sequence[Finding]) -> list[Table]:
    """One table of what is open, or none."""
    if not findings:
        return []
    rows = [[finding.stream, finding.kind, finding.subject, finding.reason] for finding in findings]
    title = "Open findings (mend them, or: lotuslake accept STREAM --reason …)"
    return [Table(columns("stream", "finding", "subject", "reason"), rows, title)]
