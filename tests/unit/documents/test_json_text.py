"""JSON text: the same value, whatever its shape, and lines that a person can read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.core.json_text import WIDTH, render_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=40,
)


@given(VALUES)
def test_the_text_holds_the_value_and_nothing_else(value: Any) -> None:
    text = render_json(value)
    assert json.loads(text) == value
    assert text.endswith("\n")
    assert text == render_json(json.loads(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}\n"),
        ([], "[]\n"),
        ({"a": {"type": "integer"}, "b": []}, '{\n  "a": {"type": "integer"},\n  "b": []\n}\n'),
        ({"a": ["x" * 60, "y" * 60]}, '{\n  "a": [\n    "' + "x" * 60 + '",\n    "' + "y" * 60 + '"\n  ]\n}\n'),
        ({"é": "ß"}, '{\n  "é": "ß"\n}\n'),
    ],
)
def test_short_values_stand_on_one_line(value: Any, text: str) -> None:
    assert render_json(value) == text


def test_lines_stay_within_the_width() -> None:
    value = {"streams": [{"name": f"stream {number}", "fields": list(range(number))} for number in range(60)]}
    assert max(len(line) for line in render_json(value).splitlines()) <= WIDTH
