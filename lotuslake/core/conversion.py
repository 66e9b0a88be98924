"""How a column of one type becomes another without losing anything: an SQL expression, or None where it cannot.

A conversion that would change a value (a fraction made whole, a time of day dropped) fails while it runs; the file is then
quarantined. Messages never hold values.
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

WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER", "BIGINT"})
HUGE = frozenset({"UBIGINT", "HUGEINT", "UHUGEINT"})
INSTANTS = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", TIMESTAMPTZ.name})
EXTRACTED_AT = "_airbyte_extracted_at"


def convert(expression: str, from_: ColumnType, to: ColumnType, *, column: str = "", depth: int = 0) -> str | None:
    """An SQL expression of type ``to`` for ``expression`` of type ``from_``; None where no lossless conversion is known."""
    if from_ == to:
        return expression
    if isinstance(to, Struct):
        return _to_struct(expression, from_, to, column, depth)
    if isinstance(to, ListOf):
        return _to_list(expression, from_, to, column, depth)
    if not isinstance(from_, Scalar):
        return f"CAST(to_json({expression}) AS VARCHAR)" if to == VARCHAR else None
    return _to_scalar(expression, from_.name, to, column)


def _to_struct(expression: str, from_: ColumnType, to: Struct, column: str, depth: int) -> str | None:
    if _is_text(from_):
        return f"CAST(CAST({expression} AS JSON) AS {to})"
    if not isinstance(from_, Struct):
        return None
    have = {name.casefold(): (name, type_) for name, type_ in from_.fields}
    parts: list[str] = []
    for name, type_ in to.fields:
        if name.casefold() not in have:
            parts.append(f"{quote_identifier(name)} := CAST(NULL AS {type_})")
            continue
        own_name, own_type = have[name.casefold()]
        member = convert(f"({expression}).{quote_identifier(own_name)}", own_type, type_, column=column, depth=depth)
        if member is None:
            return None
        parts.append(f"{quote_identifier(name)} := {member}")
    return f"CASE WHEN {expression} IS NULL THEN NULL ELSE struct_pack({', '.join(parts)}) END"


def _to_list(expression: str, from_: ColumnType, to: ListOf, column: str, depth: int) -> str | None:
    if _is_text(from_):
        return f"CAST(CAST({expression} AS JSON) AS {to})"
    if not isinstance(from_, ListOf):
        return None
    item = f"e{depth}"
    element = convert(item, from_.element, to.element, column=column, depth=depth + 1)
    return None if element is None else f"list_transform({expression}, lambda {item}: {element})"


def _to_scalar(expression: str, from_: str, to: Scalar, column: str) -> str | None:
    if to == VARCHAR:
        return f"decode({expression})" if from_ == "BLOB" else f"CAST({expression} AS VARCHAR)"
    cast = f"CAST({expression} AS {to})"
    if to == BIGINT:
        return _to_bigint(expression, from_, cast, column)
    if to == DOUBLE:
        if from_ in WHOLE | HUGE:
            return _checked(
                expression, cast, f"CAST({cast} AS HUGEINT) = {expression}", "whole numbers too large", column
            )
        return cast if from_ in {"FLOAT", "VARCHAR"} or from_.startswith("DECIMAL") else None
    if to in {TIMESTAMP, TIMESTAMPTZ}:
        return _to_instant(expression, from_, to, column)
    if to == DATE and from_ in INSTANTS:
        day = f"CAST(CAST({expression} AS TIMESTAMP) AS DATE)"
        check = f"CAST({day} AS TIMESTAMP) = CAST({expression} AS TIMESTAMP)"
        return _checked(expression, day, check, "times of day", column)
    return cast if to in {DATE, TIME, BOOLEAN} and from_ == "VARCHAR" else None


def _to_bigint(expression: str, from_: str, cast: str, column: str) -> str | None:
    if from_ in WHOLE | HUGE:
        return cast
    if from_ in INSTANTS and column == EXTRACTED_AT:
        return f"epoch_ms(CAST({expression} AS TIMESTAMP))"
    if from_ in {"DOUBLE", "FLOAT"} or from_.startswith("DECIMAL"):
        return _checked(expression, cast, f"{expression} = trunc({expression})", "fractions", column)
    if from_ == "VARCHAR":
        whole = rf"regexp_full_match({expression}, '\s*[+-]?[0-9]+\s*')"
        return _checked(expression, cast, whole, "text that is no whole number", column)
    return None


def _to_instant(expression: str, from_: str, to: Scalar, column: str) -> str | None:
    if from_ in INSTANTS or from_ == "DATE":
        return f"CAST({expression} AS {to})"
    if from_ == "VARCHAR":
        return f"CAST(CAST({expression} AS TIMESTAMP WITH TIME ZONE) AS {to})"
    if from_ in WHOLE and column == EXTRACTED_AT:
        return f"CAST(epoch_ms(CAST({expression} AS BIGINT)) AS {to})"
    return None


def _checked(expression: str, cast: str, condition: str, trouble: str, column: str) -> str:
    where = column.replace("'", "''")
    return (
        f"CASE WHEN {expression} IS NULL THEN NULL WHEN {condition} THEN {cast} "
        f"ELSE error('column {where} holds {trouble}') END"
    )


def _is_text(type_: ColumnType) -> bool:
    return isinstance(type_, Scalar) and type_.name in {"VARCHAR", "JSON"}
