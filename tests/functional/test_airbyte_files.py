"""Files exactly as Airbyte's destination writes them: what docs/airbyte-files.md says, and that all of it comes in."""

from __future__ import annotations

import re
import tempfile
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.functional.program import Project, make_project
from tests.functional.things import key_of
from tests.support.airbyte_parquet import Codec, airbyte_file

PAGE = Path(__file__).parents[2] / "docs" / "airbyte-files.md"
TEXT: dict[str, Any] = {"type": "string"}
DECLARED: dict[str, dict[str, Any]] = {
    "id": {"type": "integer"},
    "updated_at": {"type": "string", "format": "date-time"},
    "price": {"type": "number"},
    "active": {"type": "boolean"},
    "name": TEXT,
    "day": {"type": "string", "format": "date"},
    "opens": {"type": "string", "format": "time"},
    "raw": {"type": "object"},
    "tags": {"type": "array"},
    "address": {"type": "object", "properties": {"city": TEXT, "opens": {"type": "string", "format": "time"}}},
    "parts": {"type": "array", "items": {"type": "object", "properties": {"sku": TEXT, "amount": {"type": "integer"}}}},
    "either": {"oneOf": [TEXT, {"type": "number"}]},
}
IN_THE_PAGE = {
    "`integer`": "id",
    "`number`": "price",
    "`boolean`": "active",
    "`string`": "name",
    "`string`, `format: date`": "day",
    "`string`, `format: time`": "opens",
    "`string`, `format: date-time`": "updated_at",
    "`object` without properties": "raw",
    "`array` without items": "tags",
    "`_airbyte_raw_id`": "_airbyte_raw_id",
    "`_airbyte_extracted_at`": "_airbyte_extracted_at",
    "`_airbyte_meta.sync_id`": "sync_id",
    "`_airbyte_generation_id`": "_airbyte_generation_id",
}
RECORD: dict[str, Any] = {
    "updated_at": "2026-11-01T10:11:12.345678+02:00",
    "price": 1.5,
    "active": True,
    "name": "thing",
    "day": "2026-11-01",
    "opens": "09:30:15.250000",
    "raw": {"a": 1},
    "tags": ["x"],
    "address": {"city": "Berlin", "opens": "23:59:59.999999"},
    "parts": [{"sku": "a", "amount": 1}, None],
    "either": 2.5,
}
STREAM_FILE = """
description: Everything that can be declared.
sync_mode: incremental
destination_sync_mode: append
primary_key: [id]
cursor_field: updated_at
fields:
  id: {type: integer}
  updated_at: {type: string, format: date-time}
  price: {type: number}
  active: {type: boolean}
  name: {type: string}
  day: {type: string, format: date}
  opens: {type: string, format: time}
  raw: {type: object}
  tags: {type: array}
  address: {type: object, properties: {city: {type: string}, opens: {type: string, format: time}}}
  parts: {type: array, items: {type: object, properties: {sku: {type: string}, amount: {type: integer}}}}
  either: {oneOf: [{type: string}, {type: number}]}
"""
MODEL = f"select {', '.join(DECLARED)}, {{{{ airbyte_columns() }}}} from {{{{ landing() }}}}"
PHYSICAL = {"INT32", "INT64", "DOUBLE", "BOOLEAN", "BYTE_ARRAY"}
COLUMNS = 4
CODECS: tuple[Codec, ...] = ("none", "snappy", "gzip", "brotli", "zstd")


def rows_of_the_page() -> dict[str, tuple[str, str, str]]:
    """The table rows with a physical type: declared type → physical, logical and converted type."""
    tables = PAGE.read_text(encoding="utf-8").partition("### Where it is said")[0]
    rows = (re.findall(r"(?<=\| )[^|]+(?= \|)", line) for line in tables.splitlines())
    return {row[0]: (row[1], row[2], row[3]) for row in rows if len(row) == COLUMNS and row[1] in PHYSICAL}


def in_words(logical: str | None) -> str:
    """DuckDB's text for a logical type in the page's words."""
    if logical is None:
        return "–"
    unit = re.search(r"(MILLIS|MICROS|NANOS)=\w+Seconds", logical)
    zone = ", UTC" if "isAdjustedToUTC=1" in logical else ""
    return logical.partition("Type(")[0] + (f", {unit[1]}{zone}" if unit else "")


def test_the_writer_writes_what_the_page_says() -> None:
    body = airbyte_file(DECLARED, [{"id": 1, **RECORD}])
    with duckdb.connect() as connection:
        found = _schema(connection, body)
    said = rows_of_the_page()
    assert said.keys() == IN_THE_PAGE.keys()
    for words, name in IN_THE_PAGE.items():
        physical, logical, converted, repetition = found[name]
        assert (physical, in_words(logical), converted or "–") == said[words], name
        assert repetition == ("REQUIRED" if name.startswith("_") or name == "sync_id" else "OPTIONAL")
    for name in ("field", "change", "reason", "type"):
        assert found[name][3] == "REQUIRED"
    for name in ("city", "sku", "number"):
        assert found[name][3] == "OPTIONAL"


def _schema(connection: duckdb.DuckDBPyConnection, body: bytes) -> dict[str, tuple[str, str | None, str | None, str]]:
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(body)
        file.flush()
        rows = connection.execute(
            "SELECT name, type, logical_type, converted_type, repetition_type FROM parquet_schema($file)",
            {"file": file.name},
        ).fetchall()
    # Of a name that comes twice, as `opens` in a struct, the first: that is the column.
    return {
        name: (type_, logical, converted, repetition) for name, type_, logical, converted, repetition in reversed(rows)
    }


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path, {"test/things": STREAM_FILE}, {"processed/int_test__things.sql": MODEL})


def test_everything_that_airbyte_writes_stands_by_reference(project: Project) -> None:
    for number, codec in enumerate(CODECS):
        records = [{"id": 2 * number, **RECORD}, {"id": 2 * number + 1}]
        project.put(
            key_of(f"{codec}.parquet"), airbyte_file(DECLARED, records, codec=codec, dictionary=bool(number % 2))
        )
    long_text = "x" * 3000
    project.put(
        key_of("long.parquet"), airbyte_file(DECLARED, [{"id": 90, "name": long_text}, {"id": 91, "name": "y" * 3000}])
    )
    nothing = {name: schema for name, schema in DECLARED.items() if name in {"id", "updated_at"}}
    project.put(key_of("null only.parquet"), airbyte_file(nothing, [{"id": 92, "updated_at": RECORD["updated_at"]}]))
    item = project.json("register").stream("test/things")
    assert (item["registered_files"], item["copied_files"], item["quarantined_files"]) == (len(CODECS) + 2, 0, 0)
    project.json("transform")
    shown = {row[0]: row[1:] for row in project.rows(f"SELECT {', '.join(DECLARED)} FROM processed.int_test__things")}
    assert sorted(shown) == [*range(2 * len(CODECS)), 90, 91, 92]
    at = datetime(2026, 11, 1, 8, 11, 12, 345678, tzinfo=UTC).replace(tzinfo=None)
    whole = (
        *(at, 1.5, True, "thing", date(2026, 11, 1), time(9, 30, 15, 250000), '{"a": 1}', '["x"]'),
        {"city": "Berlin", "opens": time(23, 59, 59, 999999)},
        [{"sku": "a", "amount": 1}, None],
        {"type": "number", "string": None, "number": 2.5},
    )
    for number in range(len(CODECS)):
        assert shown[2 * number] == whole
        assert shown[2 * number + 1] == (None,) * len(whole)
    assert shown[90][3] == long_text
    assert shown[92][0] == at
    told = project.rows("SELECT DISTINCT generation_id, sync_id, newest_extracted_at FROM meta.current_files")
    assert told == [(0, 1, datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None))]
