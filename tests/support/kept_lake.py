"""Lakes that released programs have left, one archive a release in tests/lakes: today's program must take each of them up.

An archive holds what lay below `.lotuslake/`: the embedded catalog, the lake's own files and the landing root. A catalog
names folders absolutely, in `ducklake_metadata` and, for files added by reference, in `ducklake_data_file`: packing puts
`/kept` in their place, unpacking the new folder, both by UPDATEs of a stock DuckDB on the catalog's own tables. Nothing
else in an archive is changed, and the program has no part in either.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from tests.support.fault_lake import STREAM, EmbeddedLake, Item, ServiceLake, items, make_items_project

ARCHIVES = Path(__file__).parents[1] / "lakes"
PLACE = "/kept"
KEPT = ("catalog.ducklake", "data", "landing")
LANDED_AT = datetime(2026, 1, 10, 3, tzinfo=UTC)
PATHS = (
    ("ducklake_metadata", "value"),
    ("ducklake_data_file", "path"),
    ("ducklake_delete_file", "path"),
    ("ducklake_files_scheduled_for_deletion", "path"),
)

# What the landing root came to hold; names of files are said in `live`.
FIRST = items(1, 5)
CONVERTED = items(3, 5, version=2)
DELETED = [Item(2, 3, is_tombstone=True), *items(8, 2, version=3)]
VANISHED = items(20, 2)
OVERWRITTEN = items(30, 3)
REWRITTEN = items(30, 2, version=5)
LATER = items(5, 3, version=6)


@dataclass
class SteadyLake(EmbeddedLake):
    """Its files are written a second apart, at whole seconds, which every archive format keeps."""

    written: int = 0

    def put_body(self, path: str, body: bytes) -> None:
        super().put_body(path, body)
        self.written += 1
        at = int(LANDED_AT.timestamp()) + self.written
        os.utime(self.landing / path, (at, at))


def path(name: str) -> str:
    """A key in the folder of the day on which all of it landed."""
    return f"{STREAM}/year=2026/month=01/day=10/{name}.parquet"


def live(lake: SteadyLake) -> None:
    """What happens to a lake: files of every kind, upkeep in between, and a divided backfill half done."""
    lake.put(path("first"), FIRST)
    lake.put(path("text"), CONVERTED, amount_type=pa.string())
    lake.put(path("tombstone"), DELETED)
    lake.put(path("vanishes"), VANISHED)
    lake.put(path("overwritten"), OVERWRITTEN)
    lake.put(path("empty"), [])
    lake.put_bad(path("bad"))
    lake.settle()
    # What the catalog held inlined lies in files from now on, and what comes now is inlined again.
    lake.run("maintain")
    lake.put(path("overwritten"), REWRITTEN)
    lake.put(path("later"), LATER)
    lake.settle()
    lake.vanish(path("vanishes"))
    lake.settle()
    lake.run("backfill", STREAM, "--shards", "2", "--shard-index", "0")


def expected_files(lake: EmbeddedLake) -> EmbeddedLake:
    """Tell a lake that was unpacked what its landing root holds, as `live` left it."""
    standing: dict[str, Sequence[Item]] = {
        "first": FIRST,
        "text": CONVERTED,
        "tombstone": DELETED,
        "overwritten": REWRITTEN,
        "later": LATER,
        "empty": [],
    }
    lake.files = {path(name): list(rows) for name, rows in standing.items()}
    lake.bad = {path("bad")}
    return lake


def pack(lake: EmbeddedLake, archive: Path) -> None:
    """Keep the lake of a project, with another name for its folder."""
    state = lake.root / ".lotuslake"
    _move(state / KEPT[0], str(state), PLACE)
    with tarfile.open(archive, "w:xz", preset=9) as bundle:
        for name in KEPT:
            bundle.add(state / name, name, filter=_nobody)


def unpack(archive: Path, root: Path) -> EmbeddedLake:
    """The lake of an archive in a project of today's, in a folder of its own."""
    state = root / ".lotuslake"
    make_items_project(root)
    with tarfile.open(archive) as bundle:
        bundle.extractall(state, filter="data")
    _move(state / KEPT[0], PLACE, str(state))
    return expected_files(EmbeddedLake(root))


def archives() -> list[Path]:
    """One a release, the oldest first."""
    return sorted(ARCHIVES.glob("*.tar.xz"))


def _move(catalog: Path, before: str, after: str) -> None:
    """Let a catalog name other folders. Nothing that it holds may name the old ones then."""
    with duckdb.connect(str(catalog)) as connection:
        for table, column in PATHS:
            connection.execute(
                f"UPDATE {table} SET {column} = $after || {column}[length($before) + 1:] "
                f"WHERE starts_with({column}, $before || '/')",
                {"before": before, "after": after},
            )
        for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            left = connection.execute(
                f"SELECT count(*) FROM \"{table}\" AS t WHERE contains(replace(t::VARCHAR, $after, ''), $before || '/')",
                {"before": before, "after": f"{after}/"},
            ).fetchone()
            assert left == (0,), f"{table} of {catalog} names {before}"


def _nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def carry_over(kept: EmbeddedLake, lake: ServiceLake) -> ServiceLake:
    """The kept lake on SeaweedFS and Postgres, by a stock DuckDB: the same objects, tables, columns, rows and views.

    The tables of `meta` lie inlined in Postgres, as there they always do.
    """
    for file in kept.landing.rglob("*.parquet"):
        lake.put_body(str(file.relative_to(kept.landing)), file.read_bytes())
    for file in Path(kept.data, "copied").rglob("*.parquet"):
        lake.put_own(str(file.relative_to(kept.data)), file.read_bytes())
    # Without a lake it attaches none.
    with lake.stock() as connection:
        connection.execute(f"ATTACH 'ducklake:{kept.root}/.lotuslake/catalog.ducklake' AS kept (READ_ONLY)")
        connection.execute(
            f"ATTACH 'ducklake:postgres:{lake.url}' AS lakehouse (DATA_PATH '{lake.data}/', DATA_INLINING_ROW_LIMIT 0)"
        )
        for schema in ("landing", "processed", "enriched", "meta"):
            connection.execute(f"CREATE SCHEMA lakehouse.{schema}")
        connection.execute("CALL lakehouse.set_option('data_inlining_row_limit', 100000000, schema => 'meta')")
        connection.execute("BEGIN")
        _carry_tables(connection)
        _add_files(connection, kept, lake)
        connection.execute("COMMIT")
        _carry_views(connection)
    lake.files, lake.bad = kept.files, kept.bad
    return lake


def _carry_tables(connection: duckdb.DuckDBPyConnection) -> None:
    tables = connection.execute(
        "SELECT concat(schema_name, '.', table_name), schema_name FROM duckdb_tables() WHERE database_name = 'kept'"
    ).fetchall()
    for table, schema in tables:
        rows = "LIMIT 0" if schema == "landing" else ""
        connection.execute(f"CREATE TABLE lakehouse.{table} AS FROM kept.{table} {rows}")


def _carry_views(connection: duckdb.DuckDBPyConnection) -> None:
    views = connection.execute(
        "SELECT sql FROM duckdb_views() WHERE database_name = 'kept' AND schema_name = 'meta' "
        "ORDER BY view_name <> 'current_files'"
    ).fetchall()
    connection.execute("USE lakehouse.meta")
    for (sql,) in views:
        connection.execute(sql)


def _add_files(connection: duckdb.DuckDBPyConnection, kept: EmbeddedLake, lake: ServiceLake) -> None:
    """The landing table reads the same files where they lie now, under the etags and instants of their store."""
    rows = connection.execute("SELECT DISTINCT filename FROM kept.landing.stg_shop__items").fetchall()
    state = f"{kept.root}/.lotuslake/"
    urls = [name.replace(state, f"s3://{lake.bucket}/") for (name,) in rows]
    connection.execute(
        "CALL ducklake_add_data_files('lakehouse', 'stg_shop__items', $urls, schema => 'landing', "
        "allow_missing => true, ignore_extra_columns => true, hive_partitioning => false)",
        {"urls": urls},
    )
    listed = lake.storage.client().list_objects_v2(Bucket=lake.bucket, Prefix="landing/")["Contents"]
    now = [(item["Key"].removeprefix("landing/"), item["ETag"].strip('"'), item["LastModified"]) for item in listed]
    paths, etags, instants = zip(*now, strict=True)
    connection.execute(
        "UPDATE lakehouse.meta.files SET etag = now.etag, last_modified = now.at FROM ("
        "SELECT unnest($paths) AS path, unnest($etags) AS etag, unnest($instants::TIMESTAMPTZ[]) AS at"
        ") AS now WHERE files.path = now.path",
        {"paths": paths, "etags": etags, "instants": instants},
    )
