"""What a transformation is asked for, what it needs, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from lotuslake.commands.context import StreamError
from lotuslake.core.errors import ExitCode
from lotuslake.core.finding import Finding, TestOutcome
from lotuslake.core.stream import BatchLimits
from lotuslake.core.transform_plan import Step, TableRows
from lotuslake.ports.landing import Landing
from lotuslake.ports.ledger import Ledger
from lotuslake.ports.lock import NoLock, WorkLock
from lotuslake.ports.lost_files import LostFiles, NoLostFiles
from lotuslake.ports.outcomes import NoOutcomes, SyncOutcomes
from lotuslake.ports.transformer import Transformer


@dataclass(frozen=True, slots=True)
class TransformOptions:
    """``select`` are globs over model names; none means all.

    ``accept_loss`` lets a rebuild leave out what files that are gone have told. ``rebuilds_changed`` lets it follow a changed
    key, cursor field or mode.
    """

    limits: BatchLimits
    full_refresh: bool = False
    skip_tests: bool = False
    select: tuple[str, ...] = ()
    accept_loss: bool = False
    rebuilds_changed: bool = False

    def wants(self, model: str) -> bool:
        """Whether the person asked for this model."""
        return not self.select or any(fnmatchcase(model, pattern) for pattern in self.select)


@dataclass(slots=True)
class StreamTransformation:
    """What was done for one stream; ``models`` are those built or brought forward because of it, in order.

    ``table_rows`` tells how many rows the processed table showed before and after it was written anew.
    """

    stream: str
    batches: int = 0
    rows: int = 0
    models: tuple[str, ...] = ()
    table_rows: TableRows | None = None

    def count(self, step: Step, table_rows: TableRows | None) -> None:
        """Take a committed step into account."""
        self.batches += 1
        self.table_rows = table_rows or self.table_rows
        self.rows += step.rows
        self.add_model(step.model)

    def add_model(self, model: str) -> None:
        """Name a model once."""
        if model not in self.models:
            self.models = (*self.models, model)


@dataclass(frozen=True, slots=True)
class TransformResult:
    """``finished`` is False when time ran out or an outage ended the run; ``tests`` are those that ran."""

    streams: tuple[StreamTransformation, ...]
    tests: tuple[TestOutcome, ...]
    findings: tuple[Finding, ...]
    errors: tuple[StreamError, ...]
    finished: bool

    @property
    def exit_code(self) -> ExitCode:
        """The code of the first error that is more than a finding, else 5 when a person must look, else 0."""
        codes = [item.error.exit_code for item in self.errors]
        wrong = [code for code in codes if code is not ExitCode.FINDINGS]
        if wrong:
            return wrong[0]
        return ExitCode.FINDINGS if codes or self.findings else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class TransformPorts:
    """What transforming needs of the outside world."""

    ledger: Ledger
    transformer: Transformer
    landing: Landing
    outcomes: SyncOutcomes = field(default_factory=NoOutcomes)
    lock: WorkLock = field(default_factory=NoLock)
    lost: LostFiles = field(default_factory=NoLostFiles)
