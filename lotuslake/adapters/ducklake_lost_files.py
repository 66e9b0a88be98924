"""Data files that DuckLake wrote, committed, and deleted again.

When Postgres commits and its reply is lost, DuckLake takes the commit for failed and deletes the Parquet files that it
wrote for it, while the catalog names them from then on: the table cannot be read any more. Raw objects and converted
copies are not DuckLake's own and stay. An embedded catalog answers in this process, so nothing gets lost there.
"""

from __future__ import annotations

from dataclasses import dataclass

from lotuslake.adapters.duckdb_errors import translated
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.sql import load_sql


@dataclass(frozen=True, slots=True)
class DamagedTable:
    """A table with a lost file; ``whole_at`` is the newest snapshot before the loss, None where there is none."""

    schema: str
    name: str
    whole_at: int | None


def find_damaged_tables(instance: DuckDbInstance) -> list[DamagedTable]:
    """Tables of models whose present files are not all there: one query and one listing of their folders."""
    if instance.options.is_embedded:
        return []
    root = instance.options.data_url.rstrip("/") + "/"
    with translated("looking for lost files"):
        # The catalog first: a file that it names by now is there before the listing begins.
        named = instance.connection.execute(load_sql("lost_files")["named"], {"data_root": root}).fetchall()
        if not named:
            return []
        with instance.globbing() as connection:
            there = {
                row[0] for row in connection.execute(load_sql("lost_files")["there"], {"data_root": root}).fetchall()
            }
        lost: dict[tuple[str, str], int] = {}
        for schema, name, path, begin_snapshot in named:
            if path not in there:
                lost[schema, name] = min(begin_snapshot, lost.get((schema, name), begin_snapshot))
        return [
            DamagedTable(schema, name, _snapshot_before(instance, schema, name, begin_snapshot))
            for (schema, name), begin_snapshot in sorted(lost.items())
        ]


def _snapshot_before(instance: DuckDbInstance, schema: str, name: str, begin_snapshot: int) -> int | None:
    parameters = {"schema": schema, "name": name, "begin_snapshot": begin_snapshot}
    row = instance.connection.execute(load_sql("lost_files")["snapshot_before"], parameters).fetchone()
    return row[0] if row else None


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
