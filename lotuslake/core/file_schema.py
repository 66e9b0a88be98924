"""A data file's own schema: what DuckDB's view of its columns hides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lotuslake.core.field_types import TIMESTAMPTZ, ColumnType, ListOf, Scalar, Struct
from lotuslake.core.names import fold_name
from lotuslake.core.scalar_conversion import ALL_NULL, TIME_MS, TIME_NS, TIMESTAMPTZ_NS

# DuckDB shows each of these as one type, whose leaves it does not tell.
_OPAQUE = ("MAP(", "UNION(", "VARIANT", "GEOMETRY")


@dataclass(frozen=True, slots=True)
class SchemaElement:
    """One element of a Parquet schema, in the file's order, parents first; ``children`` is 0 for a leaf.

    ``logical_type`` is DuckDB's text for it, as `parquet_schema()` prints it.
    """

    name: str
    children: int
    logical_type: str


@dataclass(frozen=True, slots=True)
class Namesakes:
    """Two names in one place that differ in case alone, or not at all; ``column`` is empty where they are columns."""

    column: str
    names: tuple[str, str]

    def __str__(self) -> str:
        first, second = self.names
        what = "columns" if not self.column else f"members of column {self.column}"
        return f"the {what} {first} and {second} differ only in upper and lower case"


@dataclass(frozen=True, slots=True)
class FileSchema:
    """Columns as DuckDB names them, with the types that the file's own schema gives, and its namesakes."""

    columns: tuple[tuple[str, ColumnType], ...]
    namesakes: tuple[Namesakes, ...] = ()


@dataclass(frozen=True, slots=True)
class _Node:
    element: SchemaElement
    children: tuple[_Node, ...]


def read_schema(described: Sequence[tuple[str, ColumnType]], elements: Sequence[SchemaElement]) -> FileSchema:
    """The schema of a file that DuckDB describes as ``described``; ``elements`` begin with the root."""
    root = _take_node(iter(elements))
    columns = tuple(described)
    if len(root.children) == len(columns):
        columns = tuple(
            (name, _with_leaves(type_, node)) for (name, type_), node in zip(columns, root.children, strict=True)
        )
    return FileSchema(columns, tuple(_find_namesakes("", root)))


def find_namesakes(column: str, names: Sequence[str]) -> list[Namesakes]:
    """Pairs among the names of one place that the engine takes for one another."""
    first: dict[str, str] = {}
    found = []
    for name in names:
        folded = fold_name(name)
        if folded in first:
            found.append(Namesakes(column, (first[folded], name)))
        first.setdefault(folded, name)
    return found


def _take_node(elements: Iterator[SchemaElement]) -> _Node:
    element = next(elements)
    return _Node(element, tuple(_take_node(elements) for _ in range(element.children)))


def _find_namesakes(column: str, node: _Node) -> Iterator[Namesakes]:
    yield from find_namesakes(column, [child.element.name for child in node.children])
    for child in node.children:
        yield from _find_namesakes(column or child.element.name, child)


def _with_leaves(type_: ColumnType, node: _Node) -> ColumnType:
    """The type with what the file's leaves say; as it is where DuckDB's type and the leaves do not match one to one."""
    leaves = list(_leaves(node))
    scalars = list(_scalars(type_))
    if len(leaves) != len(scalars) or any(scalar.name.startswith(_OPAQUE) for scalar in scalars):
        return type_
    return _replaced(type_, iter(leaves))


def _leaves(node: _Node) -> Iterator[SchemaElement]:
    if not node.children:
        yield node.element
    for child in node.children:
        yield from _leaves(child)


def _scalars(type_: ColumnType) -> Iterator[Scalar]:
    match type_:
        case Struct():
            for _, part in type_.fields:
                yield from _scalars(part)
        case ListOf():
            yield from _scalars(type_.element)
        case Scalar():
            yield type_


def _replaced(type_: ColumnType, leaves: Iterator[SchemaElement]) -> ColumnType:
    match type_:
        case Struct():
            return Struct(tuple((name, _replaced(part, leaves)) for name, part in type_.fields))
        case ListOf():
            return ListOf(_replaced(type_.element, leaves))
        case Scalar():
            return _leaf_type(type_, next(leaves).logical_type)


def _leaf_type(type_: Scalar, logical_type: str) -> Scalar:
    if logical_type.startswith("NullType"):
        return Scalar(ALL_NULL)
    if logical_type.startswith("TimeType") and "NANOS=NanoSeconds" in logical_type:
        return Scalar(TIME_NS)
    if type_.name == TIMESTAMPTZ.name and "NANOS=NanoSeconds" in logical_type:
        return Scalar(TIMESTAMPTZ_NS)
    # In UTC, milliseconds are told by the older converted type too, and DuckLake reads them by that.
    if type_.name == "TIME" and "MILLIS=MilliSeconds" in logical_type:
        return Scalar(TIME_MS)
    return type_
