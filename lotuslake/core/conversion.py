"""How a column of one type becomes another without losing anything: an SQL expression, or None where it cannot.

A conversion that would change a value (a fraction made whole, a time of day dropped) fails while it runs; the file is
then quarantined. Messages never hold values: a cast that may fail is tried, and an error of ours stands for its own.
"""

from __future__ import annotations

from lotuslake.core.field_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
    ColumnType,
    ListOf,
    Scalar,
    Struct,
    quote_identifier,
)
from lotuslake.core.names import match_names

WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER", "BIGINT"})
HUGE = frozenset({"UBIGINT", "HUGEINT", "UHUGEINT"})
INSTANTS = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", TIMESTAMPTZ.name})
EXTRACTED_AT = "_airbyte_extracted_at"


def convert(expression: str, from_: ColumnType, to: ColumnType, *, column: str = "", depth: int = 0) -> str | None:
    """An SQL expression of type ``to`` for ``expression`` of type ``from_``; None where no lossless way is known."""
    if from_ == to:
        return expression
    if isinstance(to, Struct | ListOf) and _is_text(from_):
        return _from_json(expression, to, column, depth)
    match from_, to:
        case Struct(), Struct():
            return _to_struct(expression, from_, to, column, depth)
        case ListOf(), ListOf():
            return _to_list(expression, from_, to, column, depth)
        case Scalar(), Scalar():
            return _to_scalar(expression, from_.name, to, column)
    return _as_json(expression) if to == VARCHAR else None


def _from_json(expression: str, to: ColumnType, column: str, depth: int) -> str | None:
    """Text is parsed once and taken apart by the parts of ``to``: keys that it lacks are NULL, others are left out."""
    item = f"e{depth}"
    parts = _json_part(item, to, column, depth + 1)
    parsed = _tried(expression, f"CAST({expression} AS JSON)", "text that is no JSON", column)
    return None if parts is None else f"list_transform([{parsed}], lambda {item}: {parts})[1]"


def _json_part(expression: str, to: ColumnType, column: str, depth: int) -> str | None:
    """Scalars are taken as text, whose conversions lose nothing: a cast of JSON rounds fractions and drops offsets."""
    match to:
        case Struct():
            members = {
                name: _json_part(f"json_extract({expression}, {_json_path(name)})", type_, column, depth)
                for name, type_ in to.fields
            }
            parts = [f"{quote_identifier(name)} := {member}" for name, member in members.items() if member]
            found = f"struct_pack({', '.join(parts)})" if len(parts) == len(members) else None
            return found and _shaped(expression, "OBJECT", found, column)
        case ListOf():
            item = f"e{depth}"
            element = _json_part(item, to.element, column, depth + 1)
            found = element and f"list_transform(CAST({expression} AS JSON[]), lambda {item}: {element})"
            return found and _shaped(expression, "ARRAY", found, column)
        case Scalar():
            return convert(f"({expression} ->> '$')", VARCHAR, to, column=column)


def _json_path(name: str) -> str:
    path = name.replace("'", "''")
    return f"""'$."{path}"'"""


def _shaped(expression: str, shape: str, found: str, column: str) -> str:
    return (
        f"CASE WHEN coalesce(json_type({expression}), 'NULL') = 'NULL' THEN NULL "
        f"WHEN json_type({expression}) = '{shape}' THEN {found} "
        f"ELSE {_error(column, 'JSON of another shape')} END"
    )


def _to_struct(expression: str, from_: Struct, to: Struct, column: str, depth: int) -> str | None:
    have = dict(from_.fields)
    own_names = match_names(have, [name for name, _ in to.fields])
    parts: list[str] = []
    for name, type_ in to.fields:
        if len(own_names[name]) > 1:
            return None
        if not own_names[name]:
            parts.append(f"{quote_identifier(name)} := CAST(NULL AS {type_})")
            continue
        own = own_names[name][0]
        # In brackets, or `e0.id` would be a member of a column that is called `e0`.
        member = convert(f"({expression}).{quote_identifier(own)}", have[own], type_, column=column, depth=depth)
        if member is None:
            return None
        parts.append(f"{quote_identifier(name)} := {member}")
    return f"CASE WHEN {expression} IS NULL THEN NULL ELSE struct_pack({', '.join(parts)}) END"


def _to_list(expression: str, from_: ListOf, to: ListOf, column: str, depth: int) -> str | None:
    item = f"e{depth}"
    element = convert(item, from_.element, to.element, column=column, depth=depth + 1)
    return None if element is None else f"list_transform({expression}, lambda {item}: {element})"


def _to_scalar(expression: str, from_: str, to: Scalar, column: str) -> str | None:
    if to == VARCHAR:
        return _to_text(expression, from_)
    cast = f"CAST({expression} AS {to})"
    if to == BIGINT:
        return _to_bigint(expression, from_, cast, column)
    if to == DOUBLE:
        return _to_double(expression, from_, cast, column)
    if to in {TIMESTAMP, TIMESTAMPTZ}:
        return _to_instant(expression, from_, to, column)
    if to == DATE and from_ in {*INSTANTS, "VARCHAR"}:
        day = f"CAST(CAST({expression} AS TIMESTAMP) AS DATE)"
        check = f"CAST({day} AS TIMESTAMP) = CAST({expression} AS TIMESTAMP)"
        return _tried(expression, day, "what is no whole day", column, check)
    if to == TIME and from_ == "VARCHAR":
        # An offset would be dropped without a word.
        check = rf"regexp_full_match({expression}, '\s*[0-9:]+([.][0-9]{{1,6}})?Z?\s*')"
        return _tried(expression, cast, "what is no time of day", column, check)
    if to == BOOLEAN and from_ == "VARCHAR":
        return _tried(expression, cast, "what is neither true nor false", column)
    return None


def _to_text(expression: str, from_: str) -> str:
    if from_ == "BLOB":
        return f"decode({expression})"
    return _as_json(expression) if from_.startswith(("MAP(", "UNION(")) else f"CAST({expression} AS VARCHAR)"


def _to_double(expression: str, from_: str, cast: str, column: str) -> str | None:
    if from_ in WHOLE | HUGE:
        return _tried(expression, cast, "whole numbers too large", column, f"CAST({cast} AS HUGEINT) = {expression}")
    if from_ == "VARCHAR":
        return _tried(expression, cast, "what is no number", column)
    return cast if from_ == "FLOAT" or from_.startswith("DECIMAL") else None


def _to_bigint(expression: str, from_: str, cast: str, column: str) -> str | None:
    if from_ in WHOLE:
        return cast
    if from_ in HUGE:
        return _tried(expression, cast, "whole numbers too large", column)
    if from_ in INSTANTS and column == EXTRACTED_AT:
        return f"epoch_ms(CAST({expression} AS TIMESTAMP))"
    if from_ in {"DOUBLE", "FLOAT"} or from_.startswith("DECIMAL"):
        whole = f"{expression} = trunc({expression})"
        return _tried(expression, cast, "fractions or numbers too large", column, whole)
    if from_ == "VARCHAR":
        whole = rf"regexp_full_match({expression}, '\s*[+-]?[0-9]+\s*')"
        return _tried(expression, cast, "what is no whole number", column, whole)
    return None


def _to_instant(expression: str, from_: str, to: Scalar, column: str) -> str | None:
    if from_ in INSTANTS or from_ == "DATE":
        return f"CAST({expression} AS {to})"
    if from_ == "VARCHAR":
        instant = f"CAST(CAST({expression} AS TIMESTAMP WITH TIME ZONE) AS {to})"
        return _tried(expression, instant, "what is no instant", column)
    if from_ in WHOLE and column == EXTRACTED_AT:
        return f"CAST(epoch_ms(CAST({expression} AS BIGINT)) AS {to})"
    return None


def _tried(expression: str, attempt: str, trouble: str, column: str, condition: str = "") -> str:
    """``attempt`` where it succeeds and the condition holds; an error that names the column where not."""
    tried = f"CASE WHEN TRY({condition}) THEN TRY({attempt}) END" if condition else f"TRY({attempt})"
    return f"CASE WHEN {expression} IS NULL THEN NULL ELSE coalesce({tried}, {_error(column, trouble)}) END"


def _error(column: str, trouble: str) -> str:
    where = column.replace("'", "''")
    return f"error('column {where} holds {trouble}')"


def _as_json(expression: str) -> str:
    return f"CAST(to_json({expression}) AS VARCHAR)"


def _is_text(type_: ColumnType) -> bool:
    return isinstance(type_, Scalar) and type_.name in {"VARCHAR", "JSON"}
