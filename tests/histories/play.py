"""Plays a history against the product, command by command, beside the oracle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lotuslake.commands.accept import AcceptOptions, accept
from lotuslake.commands.backfill import BackfillOptions, backfill
from lotuslake.commands.context import RunContext
from lotuslake.commands.maintain import MaintainPorts, maintain
from lotuslake.commands.register import RegisterOptions, RegisterPorts, register
from lotuslake.commands.transform import TransformOptions, TransformPorts, transform
from lotuslake.core.backfill_plan import DateRange
from lotuslake.core.errors import ExitCode, LotusLakeError
from lotuslake.core.field_types import BIGINT, TIMESTAMP, VARCHAR, Scalar, Struct
from lotuslake.core.stream import BatchLimits, Field, Stream
from lotuslake.ports.ledger import Ledger
from tests.histories.applicable import is_applicable
from tests.histories.draw import Author
from tests.histories.oracle import Branch, adopt, predict
from tests.histories.oracle_lake import TICK, LakeState
from tests.histories.oracle_table import ShownRow
from tests.histories.world import (
    START,
    BadFile,
    Command,
    Config,
    Configure,
    Event,
    File,
    Happening,
    History,
    Overwrite,
    Pass,
    Record,
    Return,
    Touch,
    Vanish,
)

SOURCE, NAME = "shop", "items"
MODEL = f"int_{SOURCE}__{NAME}"
LIMITS = BatchLimits(max_files=500, max_bytes=2**29, max_rows=500_000)
DONE = (0, 2, 5)
HAS_NULL_KEYS = any(field.name == "null_keys" for field in fields(Stream))


@dataclass(frozen=True)
class Seen:
    """What the lake shows after a command. ``landing`` is None where its objects cannot be read now."""

    table: list[ShownRow] | None
    landed: list[str]
    landing: list[str] | None
    kinds: set[str]
    exit_code: int
    message: str = ""


class NotApplicableError(Exception):
    """A history tells of something that cannot happen after what it told before."""


class Difference(AssertionError):  # noqa: N818  (what a test is failed with)
    """The product and the page do not agree."""


class Play(ABC):
    """A lake of its own for one history; ``now`` is a moment of the history."""

    def __init__(self, config: Config, limits: BatchLimits = LIMITS) -> None:
        self.config = config
        self.limits = limits
        self.seconds = 0
        self.paths: dict[str, str] = {}
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
    def reconfigured(self) -> None:
        """The stream or its model was changed."""

    def close(self) -> None:
        """Nothing to do."""

    # What happens to it

    def happen(self, event: Happening) -> None:
        match event:
            case File(name, lag=lag):
                at = self.now - timedelta(seconds=lag)
                self.paths[name] = path_of(name, at)
                self.put(self.paths[name], self.body(event, at), at)
            case BadFile(name):
                self.paths.setdefault(name, path_of(name, self.now))
                self.put(self.paths[name], b"PAR1 and then nothing", self.now)
            case Overwrite(name, records):
                generation, sync = self._facts[name]
                self.put(self.paths[name], self.body(File(name, records, generation, sync), self.now), self.now)
            case Touch(name):
                body, _ = self.take(self.paths[name])
                self.put(self.paths[name], body, self.now)
            case Vanish(names):
                self.kept |= {name: self.take(self.paths[name]) for name in names}
            case Return(names):
                for name in names:
                    self.put(self.paths[name], *self.kept.pop(name))
            case Pass(minutes):
                self.seconds += minutes * 60
            case Configure():
                self.config = event.apply(self.config)
                self.reconfigured()
        if isinstance(event, File):
            self._facts[event.name] = (event.generation, event.sync)
        self.seconds += TICK

    @property
    def _facts(self) -> dict[str, tuple[int, int | None]]:
        return self.__dict__.setdefault("_told", {})

    # What is done with it

    def run(self, command: Command) -> tuple[int, str]:
        """The command's exit code, and what it says of an error."""
        context = RunContext("run", command.name, lambda: self.now)
        try:
            exit_code, errors = self._run(command, context)
        except LotusLakeError as error:
            return int(error.exit_code), error.message
        finally:
            self.seconds += 1
        return exit_code, "; ".join(str(one.error.message) for one in errors)

    def _run(self, command: Command, context: RunContext) -> tuple[int, Sequence[Any]]:
        streams = [self.stream]
        result: Any
        match command.name:
            case "register":
                options = RegisterOptions(self.limits, full_sweep=True)
                result = register(streams, self.register_ports, options, context)
            case "transform":
                loss: dict[str, Any] = {"accept_loss": True} if command.accept_loss else {}
                transforming = TransformOptions(self.limits, full_refresh=command.full_refresh, skip_tests=True, **loss)
                result = transform(streams, self.transform_ports, transforming, context)
            case "backfill":
                loss = {"accept_loss": True} if command.accept_loss else {}
                days = DateRange(START.date() - timedelta(days=30), None) if command.days else DateRange()
                filling = BackfillOptions(self.limits, days=days, **loss)
                result = backfill(streams, self.register_ports, self.transform_ports, filling, context)
            case "maintain":
                result = maintain(streams, self.maintain_ports, context, keep_days=30)
                return int(getattr(result, "exit_code", ExitCode.DONE)), getattr(result, "errors", ())
            case "accept":
                accepting = AcceptOptions("a person looked", "test", command.kinds)
                _, still_open = accept(streams, self.ledger, accepting, context)
                return int(ExitCode.FINDINGS if still_open else ExitCode.DONE), ()
        return int(result.exit_code), result.errors

    def see(self, exit_code: int, message: str, *, reads_landing: bool) -> Seen:
        return Seen(
            table=self.table(),
            landed=sorted(
                entry.file.path
                for entry in self.ledger.load_entries(self.stream)
                if entry.status in {"registered", "copied"}
            ),
            landing=sorted(self.landing()) if reads_landing else None,
            kinds={str(finding.kind) for finding in self.ledger.load_findings([self.stream])},
            exit_code=exit_code,
            message=message,
        )


def play(history: History, lake: Play) -> int:
    """Every event of it, and after every command a look at the lake; how many commands ran.

    Raises:
        Difference: at the first command after which the lake is not as the page says.
        NotApplicableError: an event cannot happen after those before it.
    """
    state = LakeState(history.config)
    commands = 0
    for number, event in enumerate(history.events):
        if not is_applicable(state, event):
            raise NotApplicableError(f"{number} {event.words}")
        state = step(state, lake, event, number)
        commands += isinstance(event, Command)
    return commands


def write_and_play(seed: str, author: Author, config: Config, lake: Play, length: int) -> History:
    """A history that is drawn as it is played, with its end: what a CronJob would do next.

    Raises:
        Difference: with the history until then as its second argument.
    """
    state = LakeState(config)
    events: list[Event] = []
    while len(events) < length:
        event = author.next(state)
        events.append(event)
        try:
            state = step(state, lake, event, len(events) - 1)
        except Difference as difference:
            raise Difference(str(difference), History(config, tuple(events), seed)) from difference
        if len(events) == length - 2:
            author.queue = [Command("register"), Command("transform")]
    return History(config, tuple(events), seed)


def step(state: LakeState, lake: Play, event: Event, number: int) -> LakeState:
    """One event, on the lake and on what is expected of it."""
    if not isinstance(event, Command):
        lake.happen(event)
        state.happen(event)
        return state
    branches = predict(state, event)
    exit_code, message = lake.run(event)
    seen = lake.see(exit_code, message, reads_landing=event.name == "register" and not branches[0].state.is_vanished)
    chosen = next((branch for branch in branches if not differences(branch, seen, lake, event)), None)
    if chosen is None:
        found = "\n  or\n".join("\n".join(differences(branch, seen, lake, event)) for branch in branches)
        raise Difference(f"after {number} ({event.words}), exit {exit_code} {message}\n{found}")
    return adopt(chosen, seen.kinds, event)


def differences(branch: Branch, seen: Seen, lake: Play, command: Command) -> list[str]:
    """What is not as the branch has it."""
    state = branch.state
    table = None if state.table is None else state.table.shown()
    found = []
    if not branch.allows(seen.kinds, seen.exit_code):
        expected = (
            f"findings {branch.must} (may {branch.may - branch.must}, one of {branch.any_of}), exit {branch.exit_code}"
        )
        found.append(f"  [{branch.note}] expected {expected}, got {seen.kinds}, exit {seen.exit_code}")
    if seen.exit_code not in DONE:
        found.append(f"  exit {seen.exit_code}: {seen.message}")
    if (table or None) != (seen.table or None):
        found.append(f"  [{branch.note}] processed\n    expected {_short(table)}\n    got      {_short(seen.table)}")
    landed = sorted(lake.paths[fact.name] for fact in state.standing)
    if landed != seen.landed:
        found.append(f"  [{branch.note}] files of landing: expected {landed}, got {seen.landed}")
    if seen.landing is not None and state.landing() != seen.landing:
        found.append(f"  [{branch.note}] landing: expected {state.landing()}, got {seen.landing}")
    objects = sorted(lake.paths[name] for name in state.shelf)
    if command.name == "maintain" and objects != lake.objects():
        found.append(f"  [{branch.note}] objects: expected {objects}, got {lake.objects()}")
    return found


def _short(table: list[ShownRow] | None) -> str:
    if table is None:
        return "no table"
    rows = []
    for key, columns, raw_id, is_deleted in table:
        mark = "".join(f" {name}={value}" for name, value in columns if name not in {"id", "name", "amount", "info_a"})
        rows.append(f"{key}:{raw_id}{' deleted' if is_deleted else ''}{mark}")
    return "; ".join(rows) or "empty"


def path_of(name: str, at: datetime) -> str:
    return f"{SOURCE}/{NAME}/year={at.year}/month={at.month:02}/day={at.day:02}/{name}.parquet"


def to_stream(config: Config) -> Stream:
    """The stream's file as it would be parsed."""
    integer, text, moment = {"type": "integer"}, {"type": "string"}, {"type": "string", "format": "date-time"}
    info = Struct((("a", BIGINT), *([("b", BIGINT)] if config.has_member else [])))
    declared: list[tuple[str, Any, Any]] = [
        ("id", BIGINT, integer),
        ("name", VARCHAR, text),
        ("amount", BIGINT, integer),
        ("updated_at", TIMESTAMP, moment),
        ("edited_at", TIMESTAMP, moment),
        ("deleted_at", TIMESTAMP, moment),
        ("info", info, {"type": "object"}),
        *([("note", VARCHAR, text)] if config.has_note else []),
        *([("extra", BIGINT, integer)] if config.has_extra else []),
    ]
    stream = Stream(
        source=SOURCE,
        name=NAME,
        description="Items that things happen to.",
        sync_mode=config.sync_mode,
        destination_sync_mode=config.destination,
        primary_key=config.primary_key,
        cursor_field=config.cursor_field,
        fields=tuple(Field(name, type_, schema) for name, type_, schema in declared),
        landing_path=f"{SOURCE}/{NAME}",
        landing="copy" if config.is_overwrite else "reference",
        retention_days=config.retention_days,
        settle_after=timedelta(minutes=config.settle_after),
        max_shrink=config.max_shrink,
        tombstone_field="deleted_at" if config.has_tombstones else None,
    )
    return replace(stream, **{"null_keys": config.null_keys}) if HAS_NULL_KEYS else stream


def values_of(record: Record) -> dict[str, Any]:
    """A record's fields as the source has them; a field is absent that the catalog of its sync did not select."""
    full = not record.is_tombstone
    values: dict[str, Any] = {
        "id": record.id,
        "name": record.name,
        "amount": record.amount if full else None,
        "updated_at": moment(record.updated_at) if full else None,
        "edited_at": moment(record.edited_at) if full else None,
        "deleted_at": moment(record.amount) if record.is_tombstone else None,
    }
    members = {"a": record.amount + 1} | ({"b": record.amount + 2} if "m" in record.raw_id else {})
    values["info"] = members if full else None
    if "n" in record.raw_id:
        values["note"] = f"n{record.amount}" if full else None
    if "e" in record.raw_id:
        values["extra"] = record.amount * 2 if full else None
    return values


def moment(number: int | None) -> datetime | None:
    """A value of the source's own clock, which has nothing to do with the history's."""
    return None if number is None else datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=number)


__all__ = ["MODEL", "Difference", "Play", "Scalar", "Seen", "play", "to_stream", "values_of"]
