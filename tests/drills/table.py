"""The table of drills: what each test has seen, told at the end of a run and kept in docs/reliability.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

HEADING = "| drill | comes back | by |"
PROPERTY = "drill"


def drill(what: str, comes_back: str, by: str) -> pytest.MarkDecorator:
    """Marks a drill with its row."""
    return pytest.mark.drill(what, comes_back, by)


def row(cells: Sequence[str]) -> str:
    """A row of the table in Markdown."""
    return f"| {' | '.join(cells)} |"


def told(properties: Iterable[tuple[str, object]]) -> list[str]:
    """The rows of the drills that passed, each once, under their heading; nothing where there was none."""
    rows = list(dict.fromkeys(str(text) for name, text in properties if name == PROPERTY))
    return [HEADING, "|---|---|---|", *rows] if rows else []
