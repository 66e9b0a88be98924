"""Data files of the lake's own that its catalog names and the store does not hold.

A store loses them, or a person; and when Postgres commits and its reply is lost, DuckLake takes the commit for failed and
deletes the Parquet files that it wrote for it, while the catalog names them from then on. Either way the table cannot be read
any more. Raw objects are not the lake's own; a landing table's converted copies are.
"""

from __future__ import annotations

from dataclasses import dataclass

from lotuslake.adapters.duckdb_errors import translated
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.ducklake_ledger import DuckLakeLedger
from lotuslake.adapters.parquet_footers import escape_glob
from lotuslake.core.lost import LostTable
from lotuslake.sql import load_sql

OF_MODELS = ("processed", "enriched")


@dataclass(frozen=True, slots=True)
class DamagedTable:
    """A model's table with lost files; ``whole_at`` is the newest snapshot before the loss, None where there is none."""

    schema: str
    name: str
    files: int
    whole_at: int | None


@dataclass(frozen=True, slots=True)
class _Lost:
    schema: str
    table: str
    path: str
    rows: int
    begin_snapshot: int


class DuckLakeLostFiles:
    """See the port for what the method promises."""

    def __init__(self, instance: DuckDbInstance, ledger: DuckLakeLedger) -> None:
        self._instance = instance
        self._ledger = ledger

    def find(self) -> list[LostTable]:
        if not self._ledger.exists():
            return []
        grouped: dict[tuple[str, str], list[_Lost]] = {}
        for lost in _find_lost(self._instance, ()):
            grouped.setdefault((lost.schema, lost.table), []).append(lost)
        return [
            LostTable(schema, table, len(group), sum(one.rows for one in group), min(_name(one.path) for one in group))
            for (schema, table), group in sorted(grouped.items())
        ]


def find_damaged_tables(instance: DuckDbInstance) -> list[DamagedTable]:
    """Tables of models whose present files are not all there: one query and one listing of their folders."""
    grouped: dict[tuple[str, str], list[_Lost]] = {}
    for lost in _find_lost(instance, OF_MODELS):
        grouped.setdefault((lost.schema, lost.table), []).append(lost)
    return [
        DamagedTable(
            schema,
            table,
            len(group),
            _snapshot_before(instance, schema, table, min(one.begin_snapshot for one in group)),
        )
        for (schema, table), group in sorted(grouped.items())
    ]


def _find_lost(instance: DuckDbInstance, schemas: tuple[str, ...]) -> list[_Lost]:
    """Lost files of these schemas; of all, converted copies included, where none is named."""
    root = instance.options.data_url.rstrip("/") + "/"
    folder = escape_glob(root)
    patterns = [f"{folder}{schema}/**" for schema in schemas] or [f"{folder}**"]
    parameters = {"data_root": root, "schemas": list(schemas)}
    with translated("looking for lost files"):
        # The catalog first: a file that it names by now is there before the listing begins.
        named = instance.connection.execute(load_sql("lost_files")["named"], parameters).fetchall()
        if not named:
            return []
        with instance.globbing() as connection:
            found = connection.execute(load_sql("lost_files")["there"], {"patterns": patterns}).fetchall()
    there = {path for (path,) in found}
    return [_Lost(*facts) for facts in named if facts[2] not in there]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _snapshot_before(instance: DuckDbInstance, schema: str, name: str, begin_snapshot: int) -> int | None:
    parameters = {"schema": schema, "name": name, "begin_snapshot": begin_snapshot}
    row = instance.connection.execute(load_sql("lost_files")["snapshot_before"], parameters).fetchone()
    return row[0] if row else None


def can_follow(instance: DuckDbInstance, model: str, cursor: str, position: int, whole_at: int) -> bool:
    """Whether the table as it was in a snapshot can be brought up to ``position`` again: all that it read since stands.

    ``cursor`` is a quoted name.
    """
    at = f"AT (VERSION => {int(whole_at)})"
    connection = instance.connection
    was = connection.execute(f"SELECT position FROM {cursor} {at}").fetchone()
    if was is None:
        return False
    parameters = {"model": model, "after": was[0] or 0, "until": position}
    gone = connection.execute(load_sql("lost_files")["read_between"], parameters).fetchone()
    return gone == (0,)


def put_back(instance: DuckDbInstance, table: str, cursor: str, version: int, whole_at: int) -> None:
    """Table and cursor as they were in a snapshot, in one commit; the cursor's version grows all the same.

    The caller has opened a transaction. ``table`` and ``cursor`` are quoted names.
    """
    connection = instance.connection
    at = f"AT (VERSION => {int(whole_at)})"
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS FROM {table} {at}")
    connection.execute(
        f"UPDATE {cursor} SET version = $version, position = was.position, epoch = was.epoch, "
        "generation_id = was.generation_id, model_hash = was.model_hash, upstreams = was.upstreams, "
        # A snapshot from before the lake was upgraded has no such columns.
        "built_by = was.built_by, null_keys = was.null_keys, updated_at = now() FROM ("
        "SELECT NULL::VARCHAR AS built_by, NULL::BIGINT AS null_keys WHERE false "
        f"UNION ALL BY NAME FROM {cursor} {at}) AS was",
        {"version": version},
    )
