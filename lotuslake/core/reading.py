"""What a SQL statement calls and reads, by DuckDB's own parse tree, and whether all of it only reads.

The tree is what `json_serialize_sql` gives. It is judged by lists of what is known to be harmless: a kind of node, or a
function, that no list holds is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from lotuslake.core.errors import ConfigError
from lotuslake.core.reading_functions import (
    COLLATIONS,
    EXPRESSIONS,
    METADATA,
    METADATA_SCHEMAS,
    METADATA_TABLES,
    REFUSED,
    TABLES,
    TABLES_OF_THE_LAKE,
    words,
)

STATEMENT = "a query is one statement that only reads: SELECT, FROM, VALUES, WITH, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN"
# DuckDB's QueryNodeType, TableReferenceType and ResultModifierType.
QUERIES = words("""
    SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE
    BASE_TABLE COLUMN_DATA EMPTY EXPRESSION_LIST JOIN PIVOT SHOW_REF SUBQUERY TABLE_FUNCTION
    DISTINCT_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER ORDER_MODIFIER
    ASCENDING DESCENDING ORDER_DEFAULT
""")
# DuckDB's ExpressionClass.
EXPRESSION_CLASSES = words("""
    BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT DEFAULT FUNCTION LAMBDA OPERATOR PARAMETER
    POSITIONAL_REFERENCE STAR SUBQUERY TYPE WINDOW
""")


@dataclass(frozen=True, slots=True)
class Uses:
    """Lower-case names without their schemas: functions called in expressions, those in FROM, and tables or views."""

    functions: frozenset[str]
    table_functions: frozenset[str]
    relations: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.functions | self.table_functions | self.relations


def find_uses(tree: Mapping[str, Any]) -> Uses:
    """All that a parse tree names, however deep.

    Raises:
        ConfigError: it has a node of a kind that is not known to read only.
    """
    functions, table_functions, relations = set(), set(), set()
    for node in _nodes(tree):
        _require_known(node)
        _require_ducklakes_own(node.get("function") or node)
        if node.get("type") == "TABLE_FUNCTION":
            table_functions.add(fold(node["function"]["function_name"]))
        elif "function_name" in node:
            functions.add(fold(node["function_name"]))
        elif node.get("type") == "BASE_TABLE":
            relations.add(fold(node["table_name"]))
    return Uses(frozenset(functions), frozenset(table_functions), frozenset(relations))


def refusals(uses: Uses) -> Iterator[str]:
    """Why a statement with these uses does not only read, a line for each function; nothing where it does."""
    for name in sorted(uses.functions - EXPRESSIONS):
        if not name.startswith(COLLATIONS):
            yield _refusal(name, EXPRESSIONS, "it stands in FROM" if name in TABLES else None)
    for name in sorted(uses.table_functions - TABLES - TABLES_OF_THE_LAKE):
        yield _refusal(name, TABLES | TABLES_OF_THE_LAKE, "it gives no table" if name in EXPRESSIONS else None)


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    # A stack and no recursion: a statement may be deeper than Python's own.
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            yield node
            waiting += (value for name, value in node.items() if name != "function")
            # The function that stands in FROM is named with its node; what it is given are expressions like any other.
            waiting += node.get("function", {}).values()
        elif isinstance(node, list):
            waiting += node


def _require_known(node: Mapping[str, Any]) -> None:
    kind = node.get("class", node.get("type"))
    known = EXPRESSION_CLASSES if "class" in node else QUERIES
    # The type of a value is an object, or a _TYPE_INFO; a node of the tree says its kind in a word.
    if isinstance(kind, str) and fold(kind) not in known and not kind.endswith("_TYPE_INFO"):
        raise ConfigError(f"{STATEMENT}; {kind} was not looked at")


def _require_ducklakes_own(node: Mapping[str, Any]) -> None:
    """Refuse, in the catalog's own database, all but DuckLake's tables: what a view or macro there stands for is hidden."""
    schema = fold(node.get("schema_name") or node.get("schema") or "")
    places = {schema, fold(node.get("catalog_name") or node.get("catalog") or "")}
    if not any(place.startswith(METADATA) for place in places):
        return
    name = fold(node.get("table_name") or node.get("function_name") or "")
    if name not in METADATA_TABLES or not (schema in METADATA_SCHEMAS or schema.startswith(METADATA)):
        raise ConfigError(f"lotuslake query reads DuckLake's own tables in the catalog's database, and {name} is none")


def fold(name: str) -> str:
    """A name as it is compared: DuckDB takes no heed of case."""
    return name.casefold()


def _refusal(name: str, allowed: frozenset[str], elsewhere: str | None) -> str:
    reason = REFUSED.get(name) or elsewhere
    if reason is None:
        nearest = get_close_matches(name, allowed, n=1, cutoff=0.75)
        reason = "it is not on the list of functions that only read"
        reason += f"; did you mean {nearest[0]}?" if nearest else ""
    return f"lotuslake query does not call {name}: {reason}"
