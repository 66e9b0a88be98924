"""One bad character does not null a document: what can be read is kept, and what could not is told.

What is expected comes from Python's JSON reader, which takes lone surrogates, and from its UTF-16 codec.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

MACROS = Path(__file__).parents[2] / "models" / "macros" / "json.sql"
VALID, TROUBLE, TEXT = (
    jinja2.Environment(autoescape=False)  # noqa: S701  (it renders SQL)
    .from_string(f"{MACROS.read_text(encoding='utf-8')}{{{{ {call} }}}}")
    .render()
    for call in ("valid_json('t')", "json_trouble('t')", "json_text('t', 'key')")
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def read(connection: duckdb.DuckDBPyConnection, text: str | None) -> tuple[Any, Any, Any]:
    """The document, the trouble, and the text under `key`."""
    row = connection.execute(
        f"SELECT {VALID}, {TROUBLE}, {TEXT} FROM (SELECT $text::VARCHAR AS t)", {"text": text}
    ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def mended(value: str, lost: str = "replace") -> str:
    """The text with each half that stands alone replaced, or left out."""
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", lost)


# Letters, whole characters beyond the first plane, halves of them, and what has a meaning in JSON.
texts = st.text(
    st.one_of(st.characters(), st.characters(categories=["Cs"]), st.sampled_from('\\"u{}[]d83')), max_size=12
)


@given(value=texts, other=texts)
def test_every_text_is_read_and_lost_characters_are_told(
    connection: duckdb.DuckDBPyConnection, value: str, other: str
) -> None:
    value, other = value.replace("\0", ""), other.replace("\0", "")
    document, trouble, text = read(connection, json.dumps({"key": value, "other": [other]}))
    # Two halves that stand beside one another are one character to any reader of JSON.
    assert text == mended(value)
    assert json.loads(document) == {"key": mended(value), "other": [mended(other)]}
    is_whole = all(mended(part) == mended(part, "ignore") for part in (value, other))
    assert trouble == (None if is_whole else "mended")


@pytest.mark.parametrize("text", ["", "x", "{'a': 1}", '{"a": ', '{"a": "\\ud83d"', '"\\uZZZZ"', "\\ud83d"])
def test_what_is_no_json_is_told_as_such(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert read(connection, text) == (None, "unreadable", None)


@pytest.mark.parametrize("text", ["{}", '{"key": null}', "[]", "1", '"\\\\ud83d"', '{"other": "\\ud83d\\ude00"}'])
def test_what_is_whole_stays_as_it_is(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert read(connection, text) == (text, None, None)


def test_nothing_is_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    assert read(connection, None) == (None, None, None)


def test_an_escaped_backslash_before_the_half_is_left_alone(connection: duckdb.DuckDBPyConnection) -> None:
    text = r'{"key": "C:\\ud83d \\\ud83d \ud83d\ude00 \ude00\ud83d"}'
    document, trouble, found = read(connection, text)
    assert found == "C:\\ud83d \\\ufffd \U0001f600 \ufffd\ufffd"
    assert json.loads(document) == {"key": found}
    assert trouble == "mended"
