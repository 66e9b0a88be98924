"""Whether a data file can stand in a landing table as it is, after a conversion, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lotuslake.core.conversion import convert
from lotuslake.core.field_types import (
    BIGINT,
    DOUBLE,
    TIME,
    TIMESTAMP,
    ColumnType,
    ListOf,
    Scalar,
    Struct,
    quote_identifier,
)
from lotuslake.core.file_schema import Namesakes
from lotuslake.core.names import fold_name, match_names
from lotuslake.core.scalar_conversion import EXTRACTED_AT, INSTANTS, TIMETZ, WHOLE

Columns = Sequence[tuple[str, ColumnType]]


@dataclass(frozen=True, slots=True)
class ByReference:
    """DuckLake can read the file itself: types are equal or narrower, missing and extra columns are allowed."""


@dataclass(frozen=True, slots=True)
class ByCopy:
    """The file needs converting: each landing column with the SQL expression that gives it from the file's."""

    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """No lossless way is known; ``reason`` names the column and both types."""

    reason: str


Verdict = ByReference | ByCopy | Refused


def compare_columns(
    file: Columns,
    landing: Columns,
    required: Sequence[str],
    *,
    namesakes: Sequence[Namesakes] = (),
    always_copy: bool = False,
) -> Verdict:
    """Compare a file's columns with the landing table's.

    ``required`` names the columns without which the rows mean nothing: the key, and when the record was extracted.
    ``namesakes`` are those of the file's own schema: the engine shows the second of two under another name.
    """
    types = dict(file)
    own_names = match_names(types, [name for name, _ in landing])
    wanted_names = {fold_name(name) for name in (*own_names, *(own for found in own_names.values() for own in found))}
    for pair in namesakes:
        if not pair.column or fold_name(pair.column) in wanted_names:
            return Refused(str(pair))
    absent = [name for name, found in match_names(types, required).items() if not found]
    if absent:
        return Refused(f"column {absent[0]} is missing")
    by_reference = not always_copy
    expressions: list[tuple[str, str]] = []
    for name, wanted in landing:
        if len(own_names[name]) > 1:
            return Refused(f"columns {' and '.join(own_names[name])} could both be the declared {name}")
        if not own_names[name]:
            expressions.append((name, f"CAST(NULL AS {wanted})"))
            continue
        own_name = own_names[name][0]
        own_type = types[own_name]
        is_same = fold_name(own_name) == fold_name(name)
        by_reference = by_reference and is_same and is_readable_as(own_type, wanted)
        expression = convert(quote_identifier(own_name), own_type, wanted, column=name)
        if expression is None:
            return Refused(f"column {name} is {own_type}, which does not convert to {wanted}")
        expressions.append((name, expression))
    return ByReference() if by_reference else ByCopy(tuple(expressions))


def is_readable_as(file: ColumnType, wanted: ColumnType) -> bool:
    """Whether DuckLake maps the file's type to the landing type itself (seen with DuckLake of DuckDB 1.5.5)."""
    match file, wanted:
        case Struct(), Struct():
            own = dict(file.fields)
            own_names = match_names(own, [name for name, _ in wanted.fields])
            shared = [(own_name, name, type_) for name, type_ in wanted.fields for own_name in own_names[name]]
            return bool(shared) and all(
                fold_name(own_name) == fold_name(name) and is_readable_as(own[own_name], type_)
                for own_name, name, type_ in shared
            )
        case ListOf(), ListOf():
            return is_readable_as(file.element, wanted.element)
        case Scalar(), Scalar():
            return file == wanted or _is_narrower(file.name, wanted)
        case _:
            return False


def _is_narrower(name: str, wanted: Scalar) -> bool:
    if wanted == BIGINT:
        return name in WHOLE
    if wanted == DOUBLE:
        return name == "FLOAT"
    if wanted == TIME:
        return name == TIMETZ
    # Not in nanoseconds: DuckLake would cut them off without a word.
    return wanted == TIMESTAMP and name in {"TIMESTAMP_S", "TIMESTAMP_MS"}


def landing_columns(declared: Columns, seen: Sequence[Columns]) -> tuple[tuple[str, ColumnType], ...]:
    """Columns of a new landing table: the declared ones, with instants in the form that most of ``seen`` files hold.

    Airbyte writes an instant as INT64 milliseconds, as a local timestamp or as one in UTC, depending on its version. The
    form is chosen once, so that the everyday file is registered by reference and only the rarer form is copied.
    """
    votes: Counter[int] = Counter(id(columns) for columns in seen)
    distinct = {id(columns): columns for columns in seen}
    weighted = [(columns, votes[key]) for key, columns in distinct.items()]
    return tuple((name, _form_of(name, type_, weighted)) for name, type_ in declared)


def _form_of(name: str, declared: ColumnType, seen: Sequence[tuple[Columns, int]]) -> ColumnType:
    votes: Counter[ColumnType] = Counter()
    for columns, files in seen:
        for own_name, own_type in columns:
            if fold_name(own_name) == fold_name(name):
                votes[adopt_instants(declared, own_type, epoch=name == EXTRACTED_AT)] += files
    return max(votes, key=lambda form: votes[form]) if votes else declared


def adopt_instants(declared: ColumnType, seen: ColumnType, *, epoch: bool = False) -> ColumnType:
    """``declared`` with every instant in the form that ``seen`` has at the same place."""
    match declared, seen:
        case Struct(), Struct():
            own = {fold_name(name): type_ for name, type_ in seen.fields}
            return Struct(
                tuple(
                    (name, adopt_instants(type_, own[fold_name(name)]) if fold_name(name) in own else type_)
                    for name, type_ in declared.fields
                )
            )
        case ListOf(), ListOf():
            return ListOf(adopt_instants(declared.element, seen.element))
        case Scalar(), Scalar() if declared == TIMESTAMP:
            if seen.name in INSTANTS:
                return seen if seen.name == "TIMESTAMP WITH TIME ZONE" else TIMESTAMP
            return BIGINT if epoch and seen.name in WHOLE else declared
        case _:
            return declared
