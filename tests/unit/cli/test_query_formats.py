"""An answer as text: every form gives back what DuckDB holds, read by readers that no one here wrote."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import pytest

from lotuslake.cli.query_formats import TEXT_FORMATS
from lotuslake.cli.query_table import Shown, draw, fit
from lotuslake.cli.query_values import json_of, one_line, text_of, unique

ODD = ["", "a,b", 'say "x"', "two\nlines", "tab\there", "back\\slash", "\r", " padded ", "ümlaut 😀", "\\N", "NULL"]


def written(form: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
    to = io.StringIO()
    TEXT_FORMATS[form](columns, iter(rows), to)
    return to.getvalue()


@pytest.mark.parametrize(
    ("value", "text", "document"),
    [
        (None, "", None),
        (True, "true", True),
        (2**70, str(2**70), 2**70),
        (1.5, "1.5", 1.5),
        (float("nan"), "NaN", "NaN"),
        (float("-inf"), "-Infinity", "-Infinity"),
        (Decimal("1234.50"), "1234.50", "1234.50"),
        (date(2026, 11, 20), "2026-11-20", "2026-11-20"),
        (time(8, 30), "08:30:00", "08:30:00"),
        (datetime(2026, 11, 20, 8, tzinfo=UTC), "2026-11-20 08:00:00+00:00", "2026-11-20T08:00:00+00:00"),
        (timedelta(days=1), "1 day, 0:00:00", "1 day, 0:00:00"),
        (b"a\xff\\", "a\\xFF\\x5C", "a\\xFF\\x5C"),
        (UUID(int=1), str(UUID(int=1)), str(UUID(int=1))),
        ({"city": "Bonn", "n": [1, None, float("nan")]}, '{"city": "Bonn", "n": [1, null, "NaN"]}', None),
        ({date(2026, 1, 1): 1}, '{"2026-01-01": 1}', {"2026-01-01": 1}),
    ],
)
def test_values(value: object, text: str, document: object) -> None:
    assert text_of(value) == text
    if document is not None or value is None:
        assert json_of(value) == document
    json.dumps(json_of(value), allow_nan=False)


def test_csv_is_read_back_by_duckdb(tmp_path: Any) -> None:
    path = tmp_path / "x.csv"
    path.write_text(written("csv", ["id", "text"], [*enumerate(ODD), (99, None)]), encoding="utf-8", newline="")
    # As RFC 4180 has it, and nothing guessed: a lone carriage return would make DuckDB guess otherwise.
    form = """delim=',', quote='"', escape='"', header=true, auto_detect=false, allow_quoted_nulls=false"""
    columns = "columns={'id': 'VARCHAR', 'text': 'VARCHAR'}, new_line='\\n'"
    found = duckdb.sql(f"FROM read_csv('{path}', {form}, {columns})").fetchall()
    assert found == [(str(at), text) for at, text in enumerate(ODD)] + [("99", None)]


def test_csv_is_read_back_by_pythons_reader() -> None:
    found = list(csv.reader(io.StringIO(written("csv", ["id", "text"], list(enumerate(ODD))), newline="")))
    assert found == [["id", "text"], *([str(at), text] for at, text in enumerate(ODD))]


def test_tsv_has_a_line_for_each_row_and_a_field_for_each_column() -> None:
    lines = written("tsv", ["id", "text"], list(enumerate(ODD))).removesuffix("\n").split("\n")
    assert [line.count("\t") for line in lines] == [1] * (len(ODD) + 1)
    assert lines[4] == "3\ttwo\\nlines"


@pytest.mark.parametrize("rows", [[], [(1, 2, "x")], [(1, 2, "x"), (None, float("nan"), "y\n")]])
def test_json_is_a_list_of_objects(rows: list[tuple[Any, ...]]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(written("json", ["a", "a", "b"], rows), parse_constant=refuse)
    assert [list(one) for one in found] == [["a", "a_1", "b"]] * len(rows)
    assert [one["b"] for one in found] == [row[2] for row in rows]


def test_vertical_shows_every_column_whole() -> None:
    text = written("vertical", ["id", "long name"], [(1, "x" * 300), (2, "two\nlines")])
    assert (
        text == f"row 1\n  id         1\n  long name  {'x' * 300}\n\nrow 2\n  id         2\n  long name  two\\nlines\n"
    )


def test_names_that_come_twice() -> None:
    assert unique(["a", "a", "a_1", "b", "a"]) == ["a", "a_1", "a_1_1", "b", "a_2"]


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert one_line("\x1b[31mred\x07\n\u202eabc") == "\\x1b[31mred\\x07\\n\\u202eabc"


@pytest.mark.parametrize(
    ("widths", "room", "expected"),
    [
        ([5, 5], 80, Shown(2, 0, 0)),
        ([200], 80, Shown(1, 0, 0)),
        ([200, 200], 80, Shown(2, 0, 0)),
        ([30] * 10, 80, Shown(1, 1, 8)),
        ([30] * 10, 10, Shown(1, 0, 9)),
        ([], 80, Shown(0, 0, 0)),
    ],
)
def test_columns_that_do_not_fit_are_left_out_in_the_middle(widths: list[int], room: int, expected: Shown) -> None:
    assert fit(widths, room) == expected


@pytest.mark.parametrize("width", [20, 40, 80, 120])
@pytest.mark.parametrize("columns", [1, 3, 50])
def test_a_table_is_never_folded(width: int, columns: int) -> None:
    to = io.StringIO()
    rows = [tuple(f"{'long value ' * 20}{at}" for at in range(columns)) for _ in range(3)]
    shown = draw([f"column {at}" for at in range(columns)], rows, to, width)
    lines = to.getvalue().rstrip().splitlines()
    assert len([line for line in lines if line.strip()]) == 5
    assert max(map(len, lines)) <= width
    assert shown.left + shown.right + shown.hidden == columns
