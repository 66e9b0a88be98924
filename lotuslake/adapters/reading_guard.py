"""Lets through what only reads the lake, by DuckDB's own parse tree of a statement.

That the lake is attached for reading only does not suffice: with DuckDB 1.5.5 `ducklake_cleanup_old_files` deletes files of
such a lake before it fails, and `ducklake_merge_adjacent_files` leaves new ones behind.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping

import duckdb

from lotuslake.core.errors import ConfigError
from lotuslake.core.reading import STATEMENT, Uses, find_uses, fold, refusals
from lotuslake.sql import load_sql

_EXPLAIN = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*EXPLAIN\b\s*(?P<how>ANALYZE\b|\(\s*(?:ANALYZE|FORMAT)\b[\w\s,]*\))?(?P<statement>.*)",
    re.IGNORECASE | re.DOTALL,
)
# DuckDB's own shows those of the schema `main`, of which a lake has none.
_SHOW_TABLES = re.compile(r"\s*SHOW\s+TABLES\s*;?\s*", re.IGNORECASE)
Definitions = Mapping[str, list[str]]


def reading_only(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The statement to run.

    Raises:
        ConfigError: it is none, or may do more than read; the message names what.
    """
    if _SHOW_TABLES.fullmatch(sql):
        return load_sql("reading")["tables"]
    explained = _EXPLAIN.fullmatch(sql)
    statement = explained["statement"] if explained else sql
    for refusal in refusals(_follow(connection, _uses(connection, statement))):
        raise ConfigError(refusal)
    # Put together anew: what runs is what was judged, whatever else might be taken for an EXPLAIN.
    return f"EXPLAIN {explained['how'] or ''} {statement}" if explained else sql


def _uses(connection: duckdb.DuckDBPyConnection, statement: str) -> Uses:
    row = connection.execute("SELECT json_serialize_sql($statement)", {"statement": statement}).fetchone()
    try:
        tree = json.loads(row[0]) if row else {}
    except RecursionError:
        raise ConfigError("the statement is nested too deeply to be looked at: write it in smaller parts") from None
    if tree.get("error_type") == "parser":
        raise ConfigError(f"the query does not run: {tree['error_message']}")
    if tree.get("error") or len(tree["statements"]) != 1:
        raise ConfigError(STATEMENT + _hint(statement))
    return find_uses(tree)


def _hint(statement: str) -> str:
    """What else may be written for a statement that is refused although it is meant to read."""
    if re.match(r"\s*PIVOT\b", statement, re.IGNORECASE):
        return "; PIVOT has to name its columns: PIVOT … ON column IN (…)"
    if re.match(r"\s*(PRAGMA|CALL)\b", statement, re.IGNORECASE):
        return "; instead of PRAGMA or CALL write FROM function(…), SHOW or DESCRIBE"
    return ""


def _follow(connection: duckdb.DuckDBPyConnection, uses: Uses) -> Uses:
    """With what the views that it names stand for, and macros, which may hide a function of the same name."""
    if not uses.names:
        return uses
    definitions = _load_definitions(connection)
    followed: set[str] = set()
    while waiting := (uses.names & definitions.keys()) - followed:
        followed |= waiting
        for statement in (one for name in waiting for one in definitions[name]):
            found = _uses(connection, statement)
            uses = Uses(
                uses.functions | found.functions,
                uses.table_functions | found.table_functions,
                uses.relations | found.relations,
            )
    return uses


def _load_definitions(connection: duckdb.DuckDBPyConnection) -> Definitions:
    definitions = defaultdict(list)
    for name, statement in connection.execute(load_sql("reading")["definitions"]).fetchall():
        definitions[fold(name)].append(statement)
    return definitions
