"""A lake of the product for one history: what happens to its objects, what is run on it, and what it then shows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import duckdb

from lotuslake.commands.accept import AcceptOptions, accept
from lotuslake.commands.backfill import BackfillOptions, backfill
from lotuslake.commands.context import RunContext
from lotuslake.commands.maintain import MaintainOptions, MaintainPorts, maintain
from lotuslake.commands.register import RegisterOptions, RegisterPorts, register
from lotuslake.commands.transform import TransformOptions, TransformPorts, transform
from lotuslake.core.backfill_plan import DateRange
from lotuslake.core.errors import ExitCode, LotusLakeError
from lotuslake.core.finding import Finding
from lotuslake.core.stream import BatchLimits, Stream
from lotuslake.ports.ledger import Ledger
from tests.histories.oracle_lake import TICK
from tests.histories.oracle_table import ShownRow
from tests.histories.shapes import path_of, to_stream
from tests.histories.world import (
    START,
    BadFile,
    Command,
    Config,
    Configure,
    File,
    Happening,
    Overwrite,
    Pass,
    Return,
    Touch,
    Vanish,
)

LIMITS = BatchLimits(max_files=500, max_bytes=2**29, max_rows=500_000)


@dataclass(frozen=True)
class Seen:
    """What the lake shows after a command. ``landing`` is None where its objects cannot be read now."""

    table: list[ShownRow] | None
    landed: list[str]
    landing: list[str] | None
    kinds: set[str]
    exit_code: int
    message: str = ""


class Ended(Protocol):
    """What every command's result tells."""

    @property
    def exit_code(self) -> ExitCode: ...
    @property
    def findings(self) -> tuple[Finding, ...]: ...


@dataclass(frozen=True)
class Accepted:
    """What is left open."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.FINDINGS if self.findings else ExitCode.DONE


class Play(ABC):
    """A lake of its own for one history; ``now`` is a moment of the history."""

    # See LakeState; a folder's etags change with the time of writing.
    sees_touch = True

    def __init__(self, config: Config, limits: BatchLimits = LIMITS) -> None:
        self.config = config
        self.limits = limits
        self.seconds = 0
        self.paths: dict[str, str] = {}
        self.told: dict[str, tuple[int, int | None]] = {}
        self.kept: dict[str, tuple[Any, datetime]] = {}

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    @property
    def stream(self) -> Stream:
        return to_stream(self.config)

    # What a lake is asked for

    @property
    @abstractmethod
    def register_ports(self) -> RegisterPorts: ...
    @property
    @abstractmethod
    def transform_ports(self) -> TransformPorts: ...
    @property
    @abstractmethod
    def maintain_ports(self) -> MaintainPorts: ...
    @property
    @abstractmethod
    def ledger(self) -> Ledger: ...
    @abstractmethod
    def body(self, file: File, written_at: datetime) -> bytes: ...
    @abstractmethod
    def put(self, path: str, body: bytes, at: datetime) -> None: ...
    @abstractmethod
    def take(self, path: str) -> tuple[bytes, datetime]:
        """Remove an object; what it was."""

    @abstractmethod
    def objects(self) -> list[str]: ...
    @abstractmethod
    def table(self) -> list[ShownRow] | None: ...
    @abstractmethod
    def landing(self) -> list[str]: ...
    @abstractmethod
    def reconfigured(self) -> None:
        """The stream or its model was changed."""

    @abstractmethod
    def close(self) -> None: ...

    # What happens to it

    def happen(self, event: Happening) -> None:
        if isinstance(event, Pass):
            self.seconds += event.minutes * 60
        elif isinstance(event, Configure):
            self.config = event.apply(self.config)
            self.reconfigured()
        else:
            self._change(event)
        self.seconds += TICK

    def _change(self, event: File | BadFile | Overwrite | Touch | Vanish | Return) -> None:
        match event:
            case File(name, lag=lag):
                self.told[name] = (event.generation, event.sync)
                at = self.now - timedelta(seconds=lag)
                self.paths[name] = path_of(name, at)
                self.put(self.paths[name], self.body(event, at), at)
            case BadFile(name):
                self.paths.setdefault(name, path_of(name, self.now))
                self.put(self.paths[name], b"PAR1 and then nothing", self.now)
            case Overwrite(name, records):
                generation, sync = self.told[name]
                self.put(self.paths[name], self.body(File(name, records, generation, sync), self.now), self.now)
            case Touch(name):
                body, _ = self.take(self.paths[name])
                self.put(self.paths[name], body, self.now)
            case Vanish(names):
                self.kept |= {name: self.take(self.paths[name]) for name in names}
            case Return(names):
                for name in names:
                    self.put(self.paths[name], *self.kept.pop(name))

    # What is done with it

    def run(self, command: Command, *, reads_landing: bool = False) -> Seen:
        """Run it, and look."""
        context = RunContext("run", command.name, lambda: self.now)
        findings: Sequence[Finding] | None = None
        message = ""
        try:
            result = self._run(command, context)
        except LotusLakeError as error:
            exit_code, message = int(error.exit_code), error.message
        else:
            exit_code = int(result.exit_code)
            findings = result.findings
            message = "; ".join(str(one.error.message) for one in getattr(result, "errors", ()))
        finally:
            self.seconds += 1
        if findings is None:
            findings = self.ledger.load_findings([self.stream])
        known = self.ledger.load_entries(self.stream)
        return Seen(
            table=self.table(),
            landed=sorted(entry.file.path for entry in known if entry.status in {"registered", "copied"}),
            landing=self._landing_now() if reads_landing else None,
            kinds={str(finding.kind) for finding in findings},
            exit_code=exit_code,
            message=message,
        )

    def _run(self, command: Command, context: RunContext) -> Ended:
        streams = [self.stream]
        match command.name:
            case "register":
                options = RegisterOptions(self.limits, full_sweep=True)
                return register(streams, self.register_ports, options, context)
            case "transform":
                transforming = TransformOptions(
                    self.limits,
                    full_refresh=command.full_refresh,
                    skip_tests=True,
                    accept_loss=command.accept_loss,
                )
                return transform(streams, self.transform_ports, transforming, context)
            case "backfill":
                days = DateRange(START.date() - timedelta(days=30), None) if command.days else DateRange()
                filling = BackfillOptions(self.limits, days=days, accept_loss=command.accept_loss)
                return backfill(streams, self.register_ports, self.transform_ports, filling, context)
            case "maintain":
                return maintain(streams, self.maintain_ports, MaintainOptions(), context)
            case "accept":
                accepting = AcceptOptions("a person looked", "test", command.kinds)
                _, still_open = accept(streams, self.ledger, accepting, context)
                return Accepted(tuple(still_open))

    def _landing_now(self) -> list[str]:
        try:
            return sorted(self.landing())
        except (LotusLakeError, duckdb.Error) as error:
            return [f"cannot be read: {error}"]
