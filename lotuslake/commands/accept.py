"""`accept`: a person has looked at findings and lets them be, with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lotuslake.commands.context import RunContext
from lotuslake.core.errors import ConfigError
from lotuslake.core.finding import Finding
from lotuslake.core.stream import Stream
from lotuslake.ports.ledger import Ledger


@dataclass(frozen=True, slots=True)
class AcceptOptions:
    """``subjects`` are globs over paths and test names; none means every finding of the streams."""

    reason: str
    by: str
    kinds: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()

    def covers(self, finding: Finding) -> bool:
        """Whether the person means this finding."""
        kind = not self.kinds or finding.kind in self.kinds
        subject = not self.subjects or any(fnmatchcase(finding.subject, pattern) for pattern in self.subjects)
        return kind and subject


def accept(
    streams: Sequence[Stream],
    ledger: Ledger,
    options: AcceptOptions,
    context: RunContext,
    removed: Sequence[Finding] = (),
) -> tuple[list[Finding], list[Finding]]:
    """Accept what the options cover; (accepted, still open). ``removed`` are streams without a file that are meant too.

    Raises:
        ConfigError: there is no reason, or nothing is open that the options cover.
    """
    if not options.reason.strip():
        raise ConfigError("--reason must say why the findings may stay")
    findings = [*ledger.load_findings(streams), *removed]
    accepted = [finding for finding in findings if options.covers(finding)]
    if not accepted:
        raise ConfigError("nothing that is open matches; lotuslake ingest-check shows what is")
    ledger.prepare(streams)
    ledger.accept(accepted, options.reason.strip(), by=options.by, now=context.now())
    return accepted, [finding for finding in findings if not options.covers(finding)]
