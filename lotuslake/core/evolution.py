"""How a landing table follows its stream's file: fields are added, never retyped in place."""

from __future__ import annotations

from dataclasses import dataclass

from lotuslake.core.errors import ConfigError
from lotuslake.core.field_types import TIMESTAMP, TIMESTAMPTZ, ColumnType, ListOf, Struct
from lotuslake.core.names import fold_name
from lotuslake.core.schema_comparison import Columns


@dataclass(frozen=True, slots=True)
class AddColumn:
    """A column, or a member of a nested one: ``path`` names it from the outside in, a list's element being `element`."""

    path: tuple[str, ...]
    type: ColumnType


def plan_evolution(stream: str, existing: Columns, wanted: Columns) -> list[AddColumn]:
    """What to add to a landing table so that it holds every declared field.

    A column whose field is no longer declared stays.

    Raises:
        ConfigError: a field's type differs from the table's, which only a registration anew can mend.
    """
    changes: list[AddColumn] = []
    _compare(stream, (), Struct(tuple(existing)), Struct(tuple(wanted)), changes)
    return changes


def _compare(stream: str, path: tuple[str, ...], have: ColumnType, want: ColumnType, changes: list[AddColumn]) -> None:
    match have, want:
        case Struct(), Struct():
            own = {fold_name(name): (name, type_) for name, type_ in have.fields}
            for name, type_ in want.fields:
                if fold_name(name) in own:
                    own_name, own_type = own[fold_name(name)]
                    _compare(stream, (*path, own_name), own_type, type_, changes)
                else:
                    changes.append(AddColumn((*path, name), type_))
        case ListOf(), ListOf():
            _compare(stream, (*path, "element"), have.element, want.element, changes)
        case _ if have == want or {have, want} <= {TIMESTAMP, TIMESTAMPTZ}:
            return
        case _:
            raise ConfigError(
                f"field {'.'.join(path)} of {stream} is now {want}, but the lake holds it as {have}. "
                f"Take the change back, or run: lotuslake backfill {stream} --reregister",
                stream=stream,
            )
