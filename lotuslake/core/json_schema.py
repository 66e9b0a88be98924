"""How a JSON schema property becomes a landing column type, by the rules of Airbyte's S3 Parquet destination.

The rules are those of Airbyte's bulk CDK: JsonSchemaToAirbyteType, MergeUnions, UnionTypeToDisjointRecord and
AirbyteTypeToAvroSchema.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lotuslake.core.field_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    TIME,
    TIMESTAMP,
    VARCHAR,
    ColumnType,
    ListOf,
    Struct,
)

MAX_DEPTH = 32

TYPES = ("string", "integer", "number", "boolean", "object", "array", "null")
UNION_KEYS = ("oneOf", "anyOf", "allOf")
_TEMPORAL = {"date": DATE, "date-time": TIMESTAMP, "time": TIME}
_AIRBYTE_TEMPORAL = {
    "date": DATE,
    "timestamp_with_timezone": TIMESTAMP,
    "timestamp_without_timezone": TIMESTAMP,
    "time_with_timezone": TIME,
    "time_without_timezone": TIME,
}
AIRBYTE_TYPES = (*_AIRBYTE_TEMPORAL, "integer", "big_integer", "big_number", "binary_data")
# What other systems call them.
_SYNONYMS = {
    **dict.fromkeys(("int", "int64", "bigint", "long", "whole"), "integer"),
    **dict.fromkeys(("float", "double", "decimal", "numeric", "real"), "number"),
    **dict.fromkeys(("text", "str", "varchar", "char", "uuid"), "string"),
    **dict.fromkeys(("bool", "flag"), "boolean"),
    **dict.fromkeys(("struct", "dict", "map", "json", "record"), "object"),
    **dict.fromkeys(("list", "set"), "array"),
}
_FORMATS = {
    **dict.fromkeys(("timestamp", "datetime", "date-time", "timestamptz"), "date-time"),
    "date": "date",
    "time": "time",
}
# fmt: off
KNOWN_KEYS = frozenset((
    "type", "format", "airbyte_type", "properties", "items", "oneOf", "anyOf", "allOf", "description", "title",
    "nullable", "additionalProperties", "required", "default", "enum", "const", "examples", "pattern", "minLength",
    "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
    "uniqueItems", "minProperties", "maxProperties", "readOnly", "writeOnly", "deprecated", "$schema", "$id",
    "$comment",
))
# fmt: on

_NamedType = tuple[str, ColumnType]


class FieldSchemaError(ValueError):
    """A property's JSON schema cannot become a column; the text says where and why.

    ``path`` are the names that lead from the property to the place.
    """

    def __init__(self, message: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


def sanitize_name(name: str) -> str:
    """The column or struct field name that Airbyte gives to a property: letters, digits and underscores only.

    The rule is `toAvroSafeName` of Airbyte's bulk CDK (airbyte-cdk/bulk/core/load, io/airbyte/cdk/load/data/Transformations.kt).
    It keeps upper and lower case, so Airbyte can write two names that are one to DuckDB.
    """
    plain = "".join(char for char in unicodedata.normalize("NFKD", name) if unicodedata.category(char)[0] != "M")
    plain = re.sub(r"[ \t\n\x0b\f\r]+", "_", plain)
    plain = re.sub(r"[^A-Za-z0-9_]", "_", plain)
    return f"_{plain}" if plain[:1].isdigit() else plain


def column_type(schema: Mapping[str, Any]) -> ColumnType:
    """The landing type of one property. Raises FieldSchemaError when the schema is not one that Airbyte can land."""
    return _single(_members(schema, ()), ())


def _members(schema: Any, path: tuple[str, ...]) -> list[_NamedType]:
    """The non-null types that a schema allows, each with the name Airbyte gives it inside a union."""
    if not isinstance(schema, Mapping):
        raise _wrong(path, f"must be a JSON schema such as {{type: string}}, not {schema!r:.40}")
    if len(path) > MAX_DEPTH:
        raise _wrong(path[:3], f"is nested deeper than {MAX_DEPTH} levels")
    _refuse_unknown_keys(schema, path)
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return _merged([member for name in names for member in _member(name, schema, path)], path)
    for key in UNION_KEYS:
        if key in schema:
            return _union_members(schema[key], key, path)
    if "properties" in schema:
        return _member("object", schema, path)
    raise _wrong(path, f"has no type; give one of {', '.join(TYPES[:-1])}")


def _union_members(options: Any, key: str, path: tuple[str, ...]) -> list[_NamedType]:
    if not isinstance(options, list) or not options:
        raise _wrong(path, f"{key} must be a list of schemas")
    return _merged([member for option in options for member in _members(option, (*path, key))], path)


def _refuse_unknown_keys(schema: Mapping[str, Any], path: tuple[str, ...]) -> None:
    for key in schema:
        if key not in KNOWN_KEYS:
            raise _wrong(path, f"has the unknown key {key!r}{_nearest(str(key), KNOWN_KEYS)}")


def _member(name: Any, schema: Mapping[str, Any], path: tuple[str, ...]) -> list[_NamedType]:
    match name:
        case "null":
            return []
        case "integer":
            return [("integer", BIGINT)]
        case "number":
            whole = schema.get("airbyte_type") == "integer"
            return [("integer", BIGINT) if whole else ("number", DOUBLE)]
        case "boolean":
            return [("boolean", BOOLEAN)]
        case "string":
            return [_text(schema, path)]
        case "object":
            return [("object", _object(schema.get("properties"), path))]
        case "array":
            return [_array(schema.get("items"), path)]
    raise _wrong(path, f"has the unknown type {name!r}{_type_hint(str(name).lower())}")


def _type_hint(word: str) -> str:
    if word in _FORMATS:
        return f"; write {{type: string, format: {_FORMATS[word]}}}"
    if word in _SYNONYMS:
        return f"; did you mean {_SYNONYMS[word]!r}?"
    return _nearest(word, TYPES) or f"; types are {', '.join(TYPES)}"


def _text(schema: Mapping[str, Any], path: tuple[str, ...]) -> _NamedType:
    """Text, or an instant, a date or a time of day. Unknown formats stay text, as in Airbyte."""
    format_, airbyte_type = schema.get("format"), schema.get("airbyte_type")
    if airbyte_type is not None and airbyte_type not in AIRBYTE_TYPES:
        near = _nearest(str(airbyte_type), AIRBYTE_TYPES)
        raise _wrong(path, f"has the unknown airbyte_type {airbyte_type!r}{near}")
    if format_ in _TEMPORAL:
        column = _TEMPORAL[format_]
    elif airbyte_type in _AIRBYTE_TEMPORAL:
        column = _AIRBYTE_TEMPORAL[airbyte_type]
    elif near := _nearest(str(format_), _TEMPORAL):
        raise _wrong(path, f"has the unknown format {format_!r}{near}")
    else:
        return "string", VARCHAR
    return _temporal_name(column, str(airbyte_type)), column


def _temporal_name(column: ColumnType, airbyte_type: str) -> str:
    if column == DATE:
        return "date"
    kind = "timestamp" if column == TIMESTAMP else "time"
    return f"{kind}_without_timezone" if airbyte_type == f"{kind}_without_timezone" else f"{kind}_with_timezone"


def _object(properties: Any, path: tuple[str, ...]) -> ColumnType:
    """A struct of the declared properties; without any, the object lands as JSON text."""
    if properties is None or properties == {}:
        return VARCHAR
    if not isinstance(properties, Mapping):
        raise _wrong(path, "properties must map names to schemas")
    fields: dict[str, tuple[str, ColumnType]] = {}
    for name, schema in properties.items():
        column = sanitize_name(str(name))
        if not column:
            raise _wrong(path, "has a property without a name")
        if column.lower() in fields:
            raise _wrong(path, f"has two properties that both land as {column.lower()!r}")
        inner = (*path, str(name))
        fields[column.lower()] = (column, _single(_members(schema, inner), inner))
    return Struct(tuple(fields.values()))


def _array(items: Any, path: tuple[str, ...]) -> _NamedType:
    """A list of one type; without items, the array lands as JSON text (which a union calls "object")."""
    if items is None or items == []:
        return "object", VARCHAR
    inner = (*path, "items")
    if isinstance(items, list):
        return "array", ListOf(_single(_union_members(items, "items", path), inner))
    if items == {}:
        return "array", ListOf(VARCHAR)
    return "array", ListOf(_single(_members(items, inner), inner))


def _single(members: Sequence[_NamedType], path: tuple[str, ...]) -> ColumnType:
    """The one type, or the disjoint record that a union of several becomes: `type`, then one part per member."""
    if not members:
        raise _wrong(path, "allows nothing but null; give the type that its values have")
    if len(members) == 1:
        return members[0][1]
    return Struct((("type", VARCHAR), *members))


def _merged(members: Iterable[_NamedType], path: tuple[str, ...]) -> list[_NamedType]:
    """Members without repetition; objects of a union become one object with the properties of all."""
    found: dict[str, ColumnType] = {}
    for name, type_ in members:
        known = found.get(name)
        if known is None or known == type_:
            found[name] = type_
        elif isinstance(known, Struct) and isinstance(type_, Struct):
            found[name] = _merged_structs(known, type_, path)
        else:
            raise _wrong(path, f"allows two kinds of {name}, which Airbyte cannot land; declare one of them")
    return list(found.items())


def _merged_structs(left: Struct, right: Struct, path: tuple[str, ...]) -> Struct:
    fields = dict(left.fields)
    for name, type_ in right.fields:
        if fields.setdefault(name, type_) != type_:
            raise _wrong((*path, name), "has different types in two options of a union; declare one of them")
    return Struct(tuple(fields.items()))


def _nearest(word: str, known: Iterable[str]) -> str:
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def _wrong(path: tuple[str, ...], problem: str) -> FieldSchemaError:
    return FieldSchemaError(f"{'.'.join(path)} {problem}" if path else problem, path)
