"""The vocabulary of docs/histories.md: what happens to one stream, event by event, in the page's own words.

Every instant is relative to the clock of the history, so that an event that is left out does not tear the rest apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, TypeAlias

START = datetime(2026, 3, 1, 6, tzinfo=UTC)

SyncMode = Literal["incremental", "full_refresh"]
Destination = Literal["append", "overwrite"]
# What a model's SQL does: hands everything on; adds a mark; leaves three records in four out; retypes a column.
Sql = Literal["plain", "marked", "few", "typed"]


@dataclass(frozen=True)
class Config:
    """The stream's file and its model, as they are at a moment. Durations in minutes."""

    sync_mode: SyncMode = "incremental"
    destination: Destination = "append"
    primary_key: tuple[str, ...] = ("id",)
    cursor_field: str = "updated_at"
    has_note: bool = False
    has_extra: bool = True
    has_member: bool = False
    has_tombstones: bool = True
    sql: Sql = "plain"
    settle_after: int = 120
    max_shrink: float = 0.5
    retention_days: int | None = None
    null_keys: Literal["keep", "drop"] = "keep"

    @property
    def is_full(self) -> bool:
        return self.sync_mode == "full_refresh"

    @property
    def is_overwrite(self) -> bool:
        return self.destination == "overwrite"

    @property
    def identity(self) -> tuple[object, ...]:
        """What a table may not change without a backfill."""
        return self.primary_key, self.cursor_field, self.sync_mode

    @property
    def make(self) -> tuple[object, ...]:
        """What makes a table stale when it changes."""
        return self.sql, self.has_note, self.has_extra, self.has_member, self.has_tombstones

    @property
    def words(self) -> str:
        fields = [name for name, has in (("note", self.has_note), ("extra", self.has_extra)) if has]
        fields += ["info.b"] if self.has_member else []
        keys = ", ".join(self.primary_key)
        retention = f", retention {self.retention_days} days" if self.retention_days else ""
        return (
            f"{self.sync_mode} {self.destination}, key ({keys}), cursor {self.cursor_field}, fields +{fields}, "
            f"SQL {self.sql}, settle_after {self.settle_after} min, max_shrink {self.max_shrink}{retention}, "
            f"null_keys {self.null_keys}"
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One version of a record, extracted ``ago`` seconds before the file was written down."""

    raw_id: str
    id: int | None
    name: str | None
    amount: int
    updated_at: int | None
    ago: int
    is_tombstone: bool = False
    edited_at: int | None = None

    @property
    def words(self) -> str:
        what = "deleted" if self.is_tombstone else f"name={self.name} amount={self.amount} updated={self.updated_at}"
        return f"{self.raw_id}[id={self.id} {what} -{self.ago}s]"


@dataclass(frozen=True, slots=True)
class File:
    """A file that a sync wrote. ``lag`` seconds ago, into the folder of that day; ``sync`` None: an old connector."""

    name: str
    records: tuple[Record, ...]
    generation: int
    sync: int | None
    lag: int = 0
    why: str = "a file of a sync"

    @property
    def words(self) -> str:
        rows = ", ".join(record.words for record in self.records)
        lag = f", {self.lag} s late" if self.lag else ""
        return f"{self.why}: {self.name} of generation {self.generation}, sync {self.sync}{lag}: {rows or 'no rows'}"


@dataclass(frozen=True, slots=True)
class BadFile:
    """An object that no reader takes."""

    name: str

    @property
    def words(self) -> str:
        return f"a file that cannot be read: {self.name}"


@dataclass(frozen=True, slots=True)
class Overwrite:
    """An object gets other content under its old name, of the same generation and sync."""

    name: str
    records: tuple[Record, ...]

    @property
    def words(self) -> str:
        return f"{self.name} is overwritten: {', '.join(record.words for record in self.records)}"


@dataclass(frozen=True, slots=True)
class Touch:
    """An object is written again with the same bytes: a new time, a new etag."""

    name: str

    @property
    def words(self) -> str:
        return f"{self.name} is touched"


@dataclass(frozen=True, slots=True)
class Vanish:
    """Objects go."""

    names: tuple[str, ...]
    why: str = "objects vanish"

    @property
    def words(self) -> str:
        return f"{self.why}: {', '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class Return:
    """Objects that went are there again, as they were."""

    names: tuple[str, ...]

    @property
    def words(self) -> str:
        return f"objects come back: {', '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class Pass:
    """Time passes."""

    minutes: int

    @property
    def words(self) -> str:
        return f"{self.minutes} minutes pass"


@dataclass(frozen=True, slots=True)
class Configure:
    """The stream's file or its model is edited: only what is named changes."""

    changes: tuple[tuple[str, object], ...]

    @property
    def words(self) -> str:
        return "the stream is configured: " + ", ".join(f"{name}={value}" for name, value in self.changes)

    def apply(self, config: Config) -> Config:
        return replace(config, **dict(self.changes))  # type: ignore[arg-type]


CommandName = Literal["register", "transform", "backfill", "maintain", "accept"]


@dataclass(frozen=True, slots=True)
class Command:
    """A command is run. ``days`` is a backfill of all landing days, merged once more; ``kinds`` are what is accepted."""

    name: CommandName
    full_refresh: bool = False
    accept_loss: bool = False
    days: bool = False
    kinds: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        options = [f"--{o.replace('_', '-')}" for o in ("full_refresh", "accept_loss", "days") if getattr(self, o)]
        return " ".join(["lotuslake", self.name, *options, *self.kinds])


Happening: TypeAlias = File | BadFile | Overwrite | Touch | Vanish | Return | Pass | Configure
Event: TypeAlias = Happening | Command


@dataclass(frozen=True)
class History:
    """A stream's beginning and what happened to it."""

    config: Config
    events: tuple[Event, ...]
    seed: str = ""

    @property
    def words(self) -> str:
        lines = [f"seed {self.seed}: {self.config.words}"]
        lines += [f"{number:3} {event.words}" for number, event in enumerate(self.events)]
        return "\n".join(lines)


def instant(seconds: float) -> str:
    """A moment of a history, for a person."""
    return f"+{seconds / 3600:.2f} h"
