"""Takes the lake's own files away, as a broken disk or a wrong hand does."""

from __future__ import annotations

from typing import Literal

from tests.support.fault_lake import EmbeddedLake, FaultLake, ServiceLake

Which = Literal["all", "newest"]


def own_files(lake: FaultLake, table: str) -> list[str]:
    """Keys below the data root of `schema/table`, those of its newest snapshot, oldest first."""
    schema, _, name = table.partition("/")
    with lake.stock() as connection:
        rows = connection.execute(
            "SELECT data_file FROM ducklake_list_files('lakehouse', $name, schema => $schema) ORDER BY ALL",
            {"schema": schema, "name": name},
        ).fetchall()
    root = lake.data.rstrip("/") + "/"
    return [path.removeprefix(root) for (path,) in rows if path.startswith(root)]


def lose(lake: FaultLake, table: str, which: Which) -> list[str]:
    """Delete all files of a table, or its newest one; the names that went."""
    found = own_files(lake, table)
    going = found if which == "all" else found[-1:]
    for key in going:
        if isinstance(lake, ServiceLake):
            lake.storage.client().delete_object(Bucket=lake.bucket, Key=f"data/{key}")
        else:
            assert isinstance(lake, EmbeddedLake)
            (lake.root / ".lotuslake" / "data" / key).unlink()
    return [key.rpartition("/")[2] for key in going]
