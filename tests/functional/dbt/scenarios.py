"""Random histories of a few records, and what a table must show of them: promise 4 of the design, without SQL."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from lotuslake.core.field_types import BIGINT, BOOLEAN, TIMESTAMP, VARCHAR, ColumnType

SEED = 20261123
HOW_MANY = 18

Mode = Literal["replace", "append", "publish", "merge"]
Row = dict[str, Any]


class Part(NamedTuple):
    """One step of a scenario: the mode, and the rows that it reads."""

    mode: Mode
    rows: Sequence[Row] = ()


@dataclass(frozen=True)
class Scenario:
    """A model's whole life: its steps in order, and the kind of stream it reads."""

    model: str
    parts: list[Part]
    rows: list[Row]
    primary_key: tuple[str, ...]
    has_cursor: bool
    has_tombstones: bool
    columns: dict[str, ColumnType] = field(default_factory=dict)


def make_scenario(number: int, chance: random.Random) -> Scenario:
    """Of number's parity and thirds come the kinds: with and without tombstones, cursor, a key of two columns."""
    has_tombstones, has_cursor = number % 2 == 0, number % 4 < 2
    primary_key = ("shop", "id") if number % 3 == 0 else ("id",)
    rows = _versions(chance, has_cursor=has_cursor, has_tombstones=has_tombstones)
    parts = _steps(chance, rows)
    columns: dict[str, ColumnType] = {
        "shop": VARCHAR,
        "id": BIGINT,
        "name": VARCHAR,
        "_airbyte_raw_id": VARCHAR,
        "_airbyte_extracted_at": TIMESTAMP,
    }
    columns["_airbyte_generation_id"] = BIGINT
    if has_cursor:
        columns["_cursor"] = BIGINT
    if has_tombstones:
        columns |= {"deleted_at": TIMESTAMP, "is_deleted": BOOLEAN}
        columns |= {"_deleted_extracted_at": TIMESTAMP, "_deleted_raw_id": VARCHAR}
    return Scenario(f"int_test__m{number:02}", parts, rows, primary_key, has_cursor, has_tombstones, columns)


def model_sql(scenario: Scenario) -> str:
    deleted_at = "deleted_at, " if scenario.has_tombstones else ""
    return f"select shop, id, upper(name) as name, {deleted_at}{{{{ airbyte_columns() }}}} from {{{{ landing() }}}}"


def expected(scenario: Scenario) -> list[Row]:
    """The table after all rows, in any order: a row per key, the newest full row under its newest tombstone."""
    table = []
    for key in {_key(scenario, row) for row in scenario.rows}:
        rows = [row for row in scenario.rows if _key(scenario, row) == key]
        full = max((row for row in rows if not row.get("is_deleted")), key=_version, default=None)
        tombstone = max((row for row in rows if row.get("is_deleted")), key=_version, default=None)
        shown = full or tombstone
        assert shown is not None
        result = {name: shown[name] for name in scenario.columns} | {"name": shown["name"] and shown["name"].upper()}
        deleted = tombstone is not None and (full is None or _version(tombstone) > _version(full))
        if scenario.has_tombstones:
            of_deletion = tombstone if tombstone is not None and deleted else shown
            result |= {name: of_deletion[name] for name in ("deleted_at", "_deleted_extracted_at", "_deleted_raw_id")}
            result["is_deleted"] = deleted
        table.append(result)
    return table


def _key(scenario: Scenario, row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in scenario.primary_key)


def _version(row: Row) -> tuple[tuple[bool, Any], ...]:
    """(_airbyte_extracted_at, cursor field, _airbyte_raw_id), nulls first."""
    parts = (row["_airbyte_extracted_at"], row.get("_cursor"), row["_airbyte_raw_id"])
    return tuple((False, 0) if part is None else (True, part) for part in parts)


def _versions(chance: random.Random, *, has_cursor: bool, has_tombstones: bool) -> list[Row]:
    """Versions in few instants, so that cursor and raw id often decide; some come twice, as after a sync's retry."""
    rows = []
    raw_ids = chance.sample(range(100, 1000), k=chance.randint(5, 30))
    for raw_id in raw_ids:
        instant = chance.choice([None, 0, 1, 1, 2, 2, 3])
        row: Row = {
            "shop": chance.choice(["a", "b"]),
            "id": chance.choice([1, 2, 3]),
            "name": chance.choice([None, f"name {raw_id}"]),
            "_airbyte_raw_id": f"{raw_id}",
            "_airbyte_extracted_at": None if instant is None else datetime(2026, 11, 1) + timedelta(days=instant),  # noqa: DTZ001
            # A new connection counts its generations from 0 again: they must not order rows.
            "_airbyte_generation_id": chance.randint(0, 3),
        }
        if has_cursor:
            row["_cursor"] = chance.choice([None, 1, 2, 3])
        if has_tombstones:
            row |= dict.fromkeys(("deleted_at", "_deleted_extracted_at", "_deleted_raw_id")) | {"is_deleted": False}
            if chance.random() < 0.4:
                row |= _as_tombstone(row, raw_id)
        rows.append(row)
    return rows + chance.choices(rows, k=5)


def _as_tombstone(row: Row, raw_id: int) -> Row:
    """A tombstone has the key, when it was deleted, and no cursor."""
    changes: Row = {
        "name": None,
        "is_deleted": True,
        "deleted_at": datetime(2026, 12, 1) + timedelta(minutes=raw_id),  # noqa: DTZ001
        "_deleted_extracted_at": row["_airbyte_extracted_at"],
        "_deleted_raw_id": row["_airbyte_raw_id"],
    }
    return changes | ({"_cursor": None} if "_cursor" in row else {})


def _steps(chance: random.Random, rows: Sequence[Row]) -> list[Part]:
    """The rows in random batches and order: built at once or beside the live table, with merges before and after."""
    batches = _batches(chance, rows)
    before, after = batches[: len(batches) // 2 + 1], batches[len(batches) // 2 + 1 :]
    merges = [Part("merge", batch) for batch in after]
    match chance.choice(["replace", "rebuild", "replace, then rebuild"]):
        case "replace":
            return [Part("replace", [row for batch in before for row in batch]), *merges]
        case "rebuild":
            return [*(Part("append", batch) for batch in before), Part("publish"), *merges]
    first = [Part("replace", before[0]), *(Part("merge", batch) for batch in before[1:])]
    again = _batches(chance, [row for batch in before for row in batch])
    return [*first, *(Part("append", batch) for batch in again), Part("publish"), *merges]


def _batches(chance: random.Random, rows: Sequence[Row]) -> list[Sequence[Row]]:
    shuffled = chance.sample(rows, k=len(rows))
    cuts = sorted(chance.sample(range(1, len(rows)), k=chance.randint(1, 3)))
    return [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)]


SCENARIOS = [make_scenario(number, random.Random(SEED + number)) for number in range(HOW_MANY)]
