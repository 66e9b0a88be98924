"""Removed streams in a command's report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lotuslake.cli.output import Report
from lotuslake.cli.session import Session
from lotuslake.commands.removed_streams import find_removed
from lotuslake.config.selectors import concerns
from lotuslake.core.errors import ConfigError


def with_removed(report: Report, session: Session, selectors: Sequence[str] = ()) -> Report:
    """The report, with a note for each stream that the lake knows and the project has no file for any more."""
    wiring = session.wiring
    if report.errors:
        return report
    try:
        project = wiring.project_streams
    except ConfigError:
        # `status` needs no stream file; without any it cannot be told which are missing.
        return report
    removed = [
        finding
        for finding in find_removed(project, wiring.ledger)
        if not selectors or any(concerns(selector, finding.stream) for selector in selectors)
    ]
    data = {**report.data, "removed_streams": [finding.stream for finding in removed]}
    notes = [*report.notes, *(f"{finding.stream}: {finding.reason}" for finding in removed)]
    return replace(report, data=data, notes=notes)
