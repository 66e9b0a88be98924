"""How a column of one type becomes another without losing anything: an SQL expression, or None where it cannot.

A conversion that would change a value (a fraction made whole, a time of day dropped) fails while it runs; the file is
then quarantined. Messages never hold values: a cast that may fail is tried, and an error of ours stands for its own.
"""

from __future__ import annotations

from lotuslake.core.field_types import VARCHAR, ColumnType, ListOf, Scalar, Struct, quote_identifier
from lotuslake.core.names import match_names
from lotuslake.core.scalar_conversion import ALL_NULL, TIME_NS, TIMESTAMPTZ_NS, all_null, convert_scalar, error, tried


def convert(expression: str, from_: ColumnType, to: ColumnType, *, column: str = "", depth: int = 0) -> str | None:
    """An SQL expression of type ``to`` for ``expression`` of type ``from_``; None where no lossless way is known."""
    if from_ == to:
        return expression
    match from_, to:
        case Struct(), Struct():
            return _to_struct(expression, from_, to, column, depth)
        case ListOf(), ListOf():
            return _to_list(expression, from_, to, column, depth)
        case Scalar(), Scalar():
            if to == VARCHAR and from_.name.startswith(("MAP(", "UNION(")):
                return _as_json(expression, from_, column)
            return convert_scalar(expression, from_.name, to, column)
        case Scalar(), _:
            if from_.name == ALL_NULL:
                return all_null(to)
            return _from_json(expression, to, column, depth) if from_.name in {"VARCHAR", "JSON"} else None
        case _:
            return _as_json(expression, from_, column) if to == VARCHAR else None


def _from_json(expression: str, to: ColumnType, column: str, depth: int) -> str | None:
    """Text is parsed once and taken apart by the parts of ``to``: keys that it lacks are NULL, others are left out."""
    item = f"_lotuslake_e{depth}"
    parts = _json_part(item, to, column, depth + 1)
    parsed = tried(expression, f"CAST({expression} AS JSON)", "text that is no JSON", column)
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
            item = f"_lotuslake_e{depth}"
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
        f"ELSE {error(column, 'JSON of another shape')} END"
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
    item = f"_lotuslake_e{depth}"
    element = convert(item, from_.element, to.element, column=column, depth=depth + 1)
    return None if element is None else f"list_transform({expression}, lambda {item}: {element})"


def _as_json(expression: str, from_: ColumnType, column: str) -> str | None:
    """JSON text; bytes have none, and it has no word for what is no number."""
    if any(kind in str(from_) for kind in ("BLOB", TIME_NS, TIMESTAMPTZ_NS)):
        return None
    json = f"CAST(to_json({expression}) AS VARCHAR)"
    outside_texts = rf"""regexp_replace({json}, '"(\\.|[^"\\])*"', '', 'g')"""
    return tried(expression, json, "NaN or Infinity", column, f"NOT regexp_matches({outside_texts}, 'NaN|Infinity')")
