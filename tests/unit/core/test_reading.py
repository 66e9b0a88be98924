"""Parse trees that this DuckDB does not make yet, and names."""

from __future__ import annotations

from typing import Any

import pytest

from lotuslake.core.errors import ConfigError
from lotuslake.core.reading import Uses, find_uses, refusals


def select(**more: Any) -> dict[str, Any]:
    return {"statements": [{"node": {"type": "SELECT_NODE", **more}}]}


@pytest.mark.parametrize(
    "node",
    [
        # Data-modifying CTEs are planned for DuckDB 2.
        {"type": "DELETE_NODE", "table": {"type": "BASE_TABLE", "table_name": "t"}},
        {"type": "SELECT_NODE", "from_table": {"type": "SOME_NEW_TABLE_REF"}},
        {"type": "SELECT_NODE", "select_list": [{"class": "SOME_NEW_EXPRESSION", "type": "X"}]},
    ],
)
def test_a_kind_of_node_that_nobody_has_looked_at_is_refused(node: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="was not looked at"):
        find_uses(select(cte_map={"map": [{"key": "c", "value": {"query": {"node": node}}}]}))


def test_the_type_of_a_value_is_no_node() -> None:
    value = {"type": {"id": "DECIMAL", "type_info": {"type": "DECIMAL_TYPE_INFO", "width": 9}}, "value": 1}
    tree = select(select_list=[{"class": "CONSTANT", "type": "VALUE_CONSTANT", "value": value}])
    assert find_uses(tree) == Uses(frozenset(), frozenset(), frozenset())


def test_a_function_in_from_is_told_from_one_in_an_expression() -> None:
    def call(name: str, *children: Any) -> dict[str, Any]:
        return {"class": "FUNCTION", "type": "FUNCTION", "function_name": name, "children": list(children)}

    table = {"type": "TABLE_FUNCTION", "function": call("Range", call("Length"))}
    base = {"type": "BASE_TABLE", "table_name": "Fct_Sales"}
    uses = find_uses(select(from_table={"type": "JOIN", "left": table, "right": base}))
    assert uses == Uses(frozenset({"length"}), frozenset({"range"}), frozenset({"fct_sales"}))


def test_each_function_is_refused_in_a_line_of_its_own() -> None:
    uses = Uses(frozenset({"sum", "nextval", "sums"}), frozenset({"range", "query", "sum"}), frozenset())
    assert list(refusals(uses)) == [
        "lotuslake query does not call nextval: it changes DuckDB's state or writes a file",
        "lotuslake query does not call sums: it is not on the list of functions that only read; did you mean sum?",
        "lotuslake query does not call query: it runs what it is given, unseen; write the statement itself",
        "lotuslake query does not call sum: it gives no table",
    ]


def test_a_tree_may_be_deeper_than_pythons_own_stack() -> None:
    tree: dict[str, Any] = {"class": "FUNCTION", "type": "FUNCTION", "function_name": "abs", "children": []}
    for _ in range(5_000):
        tree = {"class": "FUNCTION", "type": "FUNCTION", "function_name": "abs", "children": [tree]}
    assert find_uses(tree).functions == {"abs"}
