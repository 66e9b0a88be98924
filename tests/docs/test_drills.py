"""The table of drills in docs/reliability.md is what the drills say of themselves."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.drills.table import HEADING, row, told

ROOT = Path(__file__).parents[2]


def marked() -> list[str]:
    """The rows of all drills, file by file."""
    trees = [
        ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "tests" / "drills").glob("test_*.py"))
    ]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "drill"]
    return [row([ast.literal_eval(argument) for argument in call.args]) for call in named]


def test_the_page_shows_every_drill_as_it_is_told() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert HEADING in page
    shown = page.partition(HEADING)[2].partition("\n\n")[0].strip().splitlines()[1:]
    assert shown == marked()
    assert told([("drill", one) for one in [*shown, shown[0]]])[2:] == shown
