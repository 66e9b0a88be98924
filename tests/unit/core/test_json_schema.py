"""JSON schema to landing types, by Airbyte's rules."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.core.json_schema import FieldSchemaError, column_type, sanitize_name

NULLABLE_TEXT = {"type": ["null", "string"]}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, "BIGINT"),
        ({"type": "number"}, "DOUBLE"),
        ({"type": "number", "airbyte_type": "integer"}, "BIGINT"),
        ({"type": "boolean"}, "BOOLEAN"),
        ({"type": "string"}, "VARCHAR"),
        ({"type": "string", "format": "email"}, "VARCHAR"),
        (NULLABLE_TEXT, "VARCHAR"),
        ({"type": "string", "format": "date"}, "DATE"),
        ({"type": "string", "format": "date-time"}, "TIMESTAMP"),
        ({"type": ["null", "string"], "format": "date-time"}, "TIMESTAMP"),
        ({"type": "string", "format": "time"}, "TIME"),
        ({"type": "string", "airbyte_type": "timestamp_with_timezone"}, "TIMESTAMP"),
        ({"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"}, "TIMESTAMP"),
        ({"type": "string", "airbyte_type": "time_without_timezone"}, "TIME"),
        ({"type": "object"}, "VARCHAR"),
        ({"type": "object", "properties": {}}, "VARCHAR"),
        ({"type": "object", "additionalProperties": True}, "VARCHAR"),
        ({"properties": {"a": {"type": "integer"}}}, 'STRUCT("a" BIGINT)'),
        (
            {"type": "object", "properties": {"flow-triggers": NULLABLE_TEXT, "1st": {"type": "number"}}},
            'STRUCT("flow_triggers" VARCHAR, "_1st" DOUBLE)',
        ),
        ({"type": "array"}, "VARCHAR"),
        ({"type": "array", "items": {"type": "string"}}, "VARCHAR[]"),
        ({"type": "array", "items": {}}, "VARCHAR[]"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}, "BIGINT[][]"),
        ({"type": "array", "items": [{"type": "integer"}, {"type": "integer"}]}, "BIGINT[]"),
        (
            {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "boolean"}}}},
            'STRUCT("a" BOOLEAN)[]',
        ),
        ({"oneOf": [{"type": "null"}, {"type": "number"}]}, "DOUBLE"),
        ({"anyOf": [NULLABLE_TEXT, {"type": "string"}]}, "VARCHAR"),
        (
            {"oneOf": [{"type": "null"}, {"type": "number"}, {"type": "string"}]},
            'STRUCT("type" VARCHAR, "number" DOUBLE, "string" VARCHAR)',
        ),
        (
            {"type": ["null", "string", "integer", "boolean"]},
            'STRUCT("type" VARCHAR, "string" VARCHAR, "integer" BIGINT, "boolean" BOOLEAN)',
        ),
        (
            {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string"}, {"type": "null"}]},
            'STRUCT("type" VARCHAR, "timestamp_with_timezone" TIMESTAMP, "string" VARCHAR)',
        ),
        (
            {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "string"}}]},
            'STRUCT("type" VARCHAR, "object" VARCHAR, "array" VARCHAR[])',
        ),
        (
            {
                "oneOf": [
                    {"type": "object", "properties": {"a": {"type": "integer"}}},
                    {"type": "object", "properties": {"b": {"type": "string"}}},
                ]
            },
            'STRUCT("a" BIGINT, "b" VARCHAR)',
        ),
        (
            {"oneOf": [{"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"type": "integer"}]},
            'STRUCT("type" VARCHAR, "string" VARCHAR, "integer" BIGINT)',
        ),
    ],
)
def test_landing_type(schema: dict[str, Any], expected: str) -> None:
    assert str(column_type(schema)) == expected


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({}, "has no type"),
        ({"description": "what?"}, "has no type"),
        ({"type": "strnig"}, "unknown type 'strnig'; did you mean 'string'?"),
        ({"type": 5}, "unknown type 5"),
        ({"type": "null"}, "nothing but null"),
        ({"type": []}, "nothing but null"),
        ({"type": "string", "fromat": "date"}, "unknown key 'fromat'; did you mean 'format'?"),
        ({"type": "string", "format": "date_time"}, "unknown format 'date_time'; did you mean 'date-time'?"),
        ({"type": "string", "airbyte_type": "timestamp_tz"}, "unknown airbyte_type 'timestamp_tz'"),
        ({"type": "object", "properties": ["a"]}, "properties must map names to schemas"),
        ({"type": "object", "properties": {"a": "string"}}, "a must be a JSON schema such as {type: string}"),
        ({"type": "object", "properties": {"a-b": NULLABLE_TEXT, "A_B": NULLABLE_TEXT}}, "both land as 'a_b'"),
        ({"type": "object", "properties": {"": NULLABLE_TEXT}}, "property without a name"),
        ({"type": "array", "items": {"type": "text"}}, "items has the unknown type 'text'"),
        ({"oneOf": []}, "oneOf must be a list of schemas"),
        (
            {"oneOf": [{"type": "object"}, {"type": "object", "properties": {"a": NULLABLE_TEXT}}]},
            "two kinds of object",
        ),
        (nested(100), "nested deeper than 32 levels"),
    ],
)
def test_a_wrong_schema_says_what_is_wrong(schema: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldSchemaError) as raised:
        column_type(schema)
    assert message in str(raised.value)


def test_a_wrong_schema_is_named_by_its_path() -> None:
    item = {"type": "object", "properties": {"price": {"type": "money"}}}
    with pytest.raises(FieldSchemaError, match=r"^items\.price has the unknown type 'money'"):
        column_type({"type": "array", "items": item})


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("flow-triggers", "flow_triggers"),
        ("$message", "_message"),
        ("1st", "_1st"),
        ("Größe", "Große".replace("ß", "_")),
        ("a  b", "a_b"),
        ("id", "id"),
        ("ﬁeld", "field"),
    ],
)
def test_names_are_sanitised_as_airbyte_does(name: str, column: str) -> None:
    assert sanitize_name(name) == column


@given(st.text(min_size=1))
def test_a_sanitised_name_is_an_identifier_and_stays(name: str) -> None:
    column = sanitize_name(name)
    assert column == "" or (column.isascii() and column.isidentifier())
    assert sanitize_name(column) == column
