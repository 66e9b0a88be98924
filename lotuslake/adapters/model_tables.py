"""The tables of `meta` that tell where a model stands: their names, and the making of cursors."""

from __future__ import annotations

from lotuslake.adapters.duckdb_errors import translated
from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.core.field_types import quote_identifier
from lotuslake.sql import load_sql

# Name and type, as a new cursor's table is made with them.
_CURSOR_COLUMNS = {part.split()[0]: part.split()[1] for part in load_sql("models")["cursor_columns"].split(",")}


def cursor_table(model: str) -> str:
    """The one-row table that tells where a model stands."""
    return f"{LAKE}.meta.{quote_identifier(f'cursor_{model}')}"


def rebuild_name(model: str, part: str = "") -> str:
    """The one-row table that tells how far a rebuild, or a part of it, has come; there only while one is under way."""
    return f"rebuild_{model}_{part}" if part else f"rebuild_{model}"


def rebuild_table(model: str, part: str = "") -> str:
    """Its quoted name."""
    return f"{LAKE}.meta.{quote_identifier(rebuild_name(model, part))}"


def find_cursors(instance: DuckDbInstance) -> dict[str, list[str]]:
    """The models that have a cursor, each with the columns that its table lacks."""
    with translated("reading the catalog"):
        rows = instance.connection.execute(load_sql("models")["find_cursors"], {"lake": LAKE}).fetchall()
    return {
        table.removeprefix("cursor_"): [name for name in _CURSOR_COLUMNS if name not in columns]
        for table, columns in rows
    }


def make_cursor(instance: DuckDbInstance, model: str) -> None:
    """A model's cursor, unless it is there.

    Columns that it lacks are added: an older program that was at work while the lake was upgraded may have made it.
    """
    lacking = find_cursors(instance).get(model)
    table = cursor_table(model)
    with translated(f"preparing {model}"), instance.transaction() as connection:
        if lacking is None:
            connection.execute(f"CREATE TABLE {table} ({load_sql('models')['cursor_columns']})")
            connection.execute(f"INSERT INTO {table} (version) VALUES (0)")
        for name in lacking or ():
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {_CURSOR_COLUMNS[name]}")
