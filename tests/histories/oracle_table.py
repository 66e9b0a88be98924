"""What a processed table shows after files: written from docs/histories.md and the design's promise "newest wins"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from tests.histories.world import Config, Record

Key: TypeAlias = tuple[Any, ...]
# (columns, raw id, is_deleted), as a test reads it from the table.
ShownRow: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Telling:
    """One version of a record as a model made it of a file."""

    key: Key
    order: tuple[Any, ...]
    raw_id: str
    is_tombstone: bool
    columns: tuple[tuple[str, Any], ...]

    @property
    def is_keyless(self) -> bool:
        return all(part is None for part in self.key)


@dataclass
class Row:
    """What is known of a key: its newest content, and its newest deletion."""

    content: Telling | None = None
    deletion: Telling | None = None

    def hear(self, telling: Telling) -> None:
        """An older version changes nothing; the same version told again counts anew, since a model may have changed."""
        if telling.is_tombstone:
            if self.deletion is None or telling.order >= self.deletion.order:
                self.deletion = telling
        elif self.content is None or telling.order >= self.content.order:
            self.content = telling

    @property
    def is_deleted(self) -> bool:
        return self.deletion is not None and (self.content is None or self.deletion.order > self.content.order)

    @property
    def tellings(self) -> list[Telling]:
        return [one for one in (self.content, self.deletion) if one is not None]

    def bare(self) -> Telling:
        """The row without its deletion, as one telling."""
        telling = self.content or self.deletion
        assert telling is not None
        return replace(telling, is_tombstone=False)

    def shown(self) -> ShownRow:
        if self.content is not None:
            return (self.content.columns, self.content.raw_id, self.is_deleted)
        assert self.deletion is not None
        return (self.deletion.columns, self.deletion.raw_id, True)


@dataclass
class Table:
    """A processed table: what it shows, and what it was built by."""

    config: Config
    rows: dict[Any, Row] = field(default_factory=dict)
    # The files that it was made from since it was last built from nothing but files.
    made_from: set[int] = field(default_factory=set)
    was_overwritten: bool = False

    def hear(self, tellings: Iterable[Telling]) -> None:
        for telling in tellings:
            # A record without a key cannot be told from another one: it stands for itself.
            name = (telling.key, telling.raw_id) if telling.is_keyless else telling.key
            self.rows.setdefault(name, Row()).hear(telling)

    @property
    def tellings(self) -> list[Telling]:
        return [telling for row in self.rows.values() for telling in row.tellings]

    def shown(self) -> list[ShownRow]:
        return sorted((row.shown() for row in self.rows.values()), key=repr)

    def __len__(self) -> int:
        return len(self.rows)


def tell(records: Iterable[Record], written_at: int, config: Config) -> list[Telling]:
    """What the model as it is makes of a file's records; ``written_at`` is the moment their ``ago`` counts from."""
    return [_telling(record, written_at, config) for record in records if _is_taken(record, config)]


def carry(telling: Telling, config: Config) -> Telling:
    """A row of the old table in the new one: it loses the columns that the new one lacks."""
    kept = {
        "note": config.has_note,
        "extra": config.has_extra,
        "info_b": config.has_member,
        "mark": config.sql == "marked",
    }
    return replace(telling, columns=tuple(one for one in telling.columns if kept.get(one[0], True)))


def _is_taken(record: Record, config: Config) -> bool:
    if config.sql == "few" and (record.id is None or record.id % 4 != 0):
        return False
    return not (config.null_keys == "drop" and is_keyless(record, config))


def is_keyless(record: Record, config: Config) -> bool:
    """Whether no part of its key has a value."""
    return all(value is None for value in _key(record, config))


def _key(record: Record, config: Config) -> Key:
    return tuple(getattr(record, name) for name in config.primary_key)


def _telling(record: Record, written_at: int, config: Config) -> Telling:
    cursor = None if record.is_tombstone else getattr(record, config.cursor_field)
    order = (written_at - record.ago, (cursor is not None, cursor or 0), record.raw_id)
    is_tombstone = config.has_tombstones and record.is_tombstone
    return Telling(_key(record, config), order, record.raw_id, is_tombstone, _columns(record, config))


def _columns(record: Record, config: Config) -> tuple[tuple[str, Any], ...]:
    """The columns of the table that a test compares; what a record lacks is None and not told."""
    columns: dict[str, Any] = {"id": record.id, "name": record.name}
    if not record.is_tombstone:
        amount: Any = record.amount
        columns["amount"] = str(amount) if config.sql == "typed" else amount
        columns |= {"note": f"n{record.amount}"} if config.has_note and has_note(record) else {}
        columns |= {"extra": record.amount * 2} if config.has_extra and has_extra(record) else {}
        columns["info_a"] = record.amount + 1
        columns |= {"info_b": record.amount + 2} if config.has_member and has_member(record) else {}
    columns |= {"mark": "x"} if config.sql == "marked" else {}
    return tuple(sorted((name, value) for name, value in columns.items() if value is not None))


# What the catalog of a record's sync selected stands in its raw id: `7n` has a note, `7e` an extra, `7m` a member.
def has_note(record: Record) -> bool:
    return "n" in record.raw_id


def has_extra(record: Record) -> bool:
    return "e" in record.raw_id


def has_member(record: Record) -> bool:
    return "m" in record.raw_id
