"""Names that a field may have and that a statement of the program has a use of its own for.

Those of aliases, of lambdas' parameters and of common table expressions are read from the statements themselves: a new one
has its case at once.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What builds statements in which users' columns stand.
STATEMENTS = (
    *("lotuslake/adapters/landing_view.py", "lotuslake/adapters/parquet_copies.py"),
    *("lotuslake/adapters/ducklake_landing.py", "lotuslake/adapters/ducklake_files.py"),
    *("lotuslake/core/conversion.py", "lotuslake/core/version_columns.py"),
)
_GIVEN = (
    r"\bas\s+\"?([a-z_]\w*)",
    r"\blambda\s+([a-z_]\w*)",
    r"\bfor\s+([a-z_]\w*)\s+in\b",
    r"\bwith\s+([a-z_]\w*)",
    r"\bset\s+([a-z_]\w*)",
)
_WORD = re.compile(r"[a-z_]\w*")
# fmt: off
FURTHER = (
    # DuckDB's and DuckLake's own columns, and Hive's from paths.
    "rowid", "row_id", "filename", "file_name", "file_row_number", "file_index", "snapshot_id", "year", "month", "day",
    "_ducklake_internal_row_id", "_ducklake_internal_snapshot_id", "row_number", "begin_snapshot", "end_snapshot",
    # The lake's columns, and near them.
    "_cursor", "__cursor", "is_deleted", "source_is_deleted", "_deleted_extracted_at", "_deleted_raw_id", "_deleted_x",
    "deleted_by", "c_id", "c__cursor", "null_keys", "raw_id", "extracted_at", "generation_id",
    # Aliases that were, and that the next one may take.
    "r", "s", "t", "e0", "e1", "x", "k", "v", "states", "known", "deleted", "full_rowid", "tombstone_rowid", "newest",
    # Databases, schemas, tables, models.
    "memory", "main", "lakehouse", "landing", "processed", "meta", "step", "stg_test__words", "int_test__words",
    "incoming_int_test__words", "int_test__words__rebuild", "cursor_int_test__words", "words",
    # Words of SQL, of functions, of dbt, of Jinja, of YAML.
    "select", "order", "group", "from", "where", "columns", "column", "all", "null", "true", "default", "values", "table",
    "struct", "map", "list", "row", "interval", "timestamp", "current_date", "user", "count", "hash", "max_by", "unnest",
    "model", "this", "target", "source", "ref", "config", "loop", "name", "position", "version", "on", "no", "y",
    "unique_field", "n_records", "dbt_internal_test", "failures",
    # Of other programs.
    "__index_level_0__", "_dlt_id", "_dlt_load_id", "_sdc_batched_at", "_fivetran_deleted",
    # The same in other letters, and what DuckDB makes of a namesake.
    "Id_1", "ROW", "_CURSOR_1", "A_B", "a_b_1", "_1", "_", "__",
)
# fmt: on


@cache
def names_in_statements() -> frozenset[str]:
    """Every name that the macros and the adapters give to something of their own."""
    found: set[str] = set()
    for path in sorted((ROOT / "models" / "macros").glob("*.sql")):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        # Jinja's variables are no columns, and harmless as cases.
        found |= _given_in(text)
    for name in STATEMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        for literal in re.findall(r'"(?:[^"\\\n]|\\.)*"', re.sub(r'""".*?"""', "", text, flags=re.DOTALL)):
            found |= _given_in(literal)
            # A name alone in quotes, such as "_cursor", goes into a statement by another way.
            found |= {literal.strip('"')} if _WORD.fullmatch(literal.strip('"')) else set()
    return frozenset(found)


def _given_in(text: str) -> set[str]:
    return {name.lower() for pattern in _GIVEN for name in re.findall(pattern, text, re.IGNORECASE)}


def hostile_names() -> list[str]:
    """All of them, none twice but for upper and lower case, and none that Airbyte keeps for itself."""
    seen: dict[str, str] = {}
    for name in (*FURTHER, *sorted(names_in_statements())):
        if not name.startswith("_airbyte_"):
            seen.setdefault(name.lower(), name)
    return list(seen.values())
