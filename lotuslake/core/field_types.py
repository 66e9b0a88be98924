"""Types of landing columns, and how Airbyte's JSON schema maps to them.

The mapping is that of Airbyte's S3 destination for Parquet: integer → BIGINT, number → DOUBLE, date-time → TIMESTAMP,
an object with properties → STRUCT, an object without → VARCHAR holding JSON, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scalar:
    """A column type without parts; ``name`` is DuckDB's name for it, such as ``BIGINT``."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose elements all have one type."""

    element: ColumnType

    def __str__(self) -> str:
        return f"{self.element}[]"


@dataclass(frozen=True, slots=True)
class Struct:
    """Named parts in order."""

    fields: tuple[tuple[str, ColumnType], ...]

    def __str__(self) -> str:
        inner = ", ".join(f"{quote_identifier(name)} {type_}" for name, type_ in self.fields)
        return f"STRUCT({inner})"


ColumnType = Scalar | ListOf | Struct


def count_leaves(type_: ColumnType) -> int:
    """How many columns a Parquet file stores for one of this type."""
    match type_:
        case Struct(fields):
            return sum(count_leaves(part) for _, part in fields)
        case ListOf(element):
            return count_leaves(element)
        case _:
            return 1


BIGINT = Scalar("BIGINT")
DOUBLE = Scalar("DOUBLE")
BOOLEAN = Scalar("BOOLEAN")
VARCHAR = Scalar("VARCHAR")
DATE = Scalar("DATE")
TIME = Scalar("TIME")
TIMESTAMP = Scalar("TIMESTAMP")
TIMESTAMPTZ = Scalar("TIMESTAMP WITH TIME ZONE")


def quote_identifier(name: str) -> str:
    """The one place where an identifier becomes SQL text."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
