"""Whatever is dropped, replaced, merged, expired, cleaned up or called an orphan: every raw object stays, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

from tests.faults.conftest import MakeLake
from tests.support.fault_lake import FaultLake, Item, ServiceLake, items, path_of
from tools.services import ObjectStorage

NOW = "now() + INTERVAL 1 DAY"
EVERY_TABLE = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"


def fill(lake: FaultLake) -> dict[str, str]:
    import pyarrow as pa

    for number in range(4):
        lake.put(path_of(f"{number}"), [Item(1, number), *items(10 * number, 4)])
    lake.put(path_of("text"), items(100, 3), amount_type=pa.string())
    lake.put_bad(path_of("bad"))
    lake.settle()
    lake.put(path_of("0"), items(0, 2, 9))
    lake.put(path_of("late", days_ago=2), items(200, 2))
    lake.settle()
    lake.run("backfill", "shop/items", "--reregister")
    return lake.raw()


def expire_everything(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"CALL ducklake_expire_snapshots('lakehouse', older_than => {NOW})")


@pytest.mark.parametrize("kind", ["embedded", pytest.param("services", marks=pytest.mark.long)])
def test_everything_is_destroyed_but_the_raw_objects(make_lake: MakeLake, kind: str) -> None:
    lake = make_lake(kind)
    before = fill(lake)
    lake.run("maintain", "--keep-days", "1")
    with lake.stock(read_only=False) as connection:
        # A stranger merges everything, landing too, and gives up all history.
        connection.execute("CALL ducklake_flush_inlined_data('lakehouse')")
        connection.execute("CALL ducklake_merge_adjacent_files('lakehouse')")
        expire_everything(connection)
    lake.run("maintain", "--keep-days", "1")
    assert lake.raw() == before
    lake.settle()
    # Landing has forgotten which file a row came from; registering anew sets that right, from the raw objects.
    lake.run("backfill", "shop/items", "--reregister")
    lake.settle()
    lake.check()
    with lake.stock(read_only=False) as connection:
        connection.execute("CREATE OR REPLACE TABLE landing.stg_shop__items AS SELECT 1 AS nothing")
        for schema, table in connection.execute(EVERY_TABLE).fetchall():
            if schema in {"landing", "processed", "enriched"}:
                connection.execute(f"DROP TABLE {schema}.{table}")
        expire_everything(connection)
        scheduled = connection.execute(
            "SELECT count(*) FROM __ducklake_metadata_lakehouse.ducklake_files_scheduled_for_deletion"
        ).fetchall()
    assert scheduled > [(0,)]
    lake.run("maintain", "--keep-days", "1")
    with lake.stock(read_only=False) as connection:
        # What maintenance has spared, nobody deletes afterwards.
        connection.execute(f"CALL ducklake_cleanup_old_files('lakehouse', older_than => {NOW})")
    assert lake.raw() == before


def test_copies_that_are_read_are_no_orphans(embedded_lake: FaultLake) -> None:
    lake = embedded_lake
    fill(lake)
    copied = "SELECT count(*), sum(amount) FROM landing.stg_shop__items WHERE filename LIKE '%/copied/%'"
    before = lake.rows(copied)
    assert before[0][0] == 3
    with lake.stock(read_only=False) as connection:
        connection.execute(f"CALL ducklake_delete_orphaned_files('lakehouse', older_than => {NOW})")
    assert lake.rows(copied) == before


def test_copies_that_a_kill_has_orphaned_go_once_no_backup_can_name_them(embedded_lake: Any) -> None:
    import os
    import time

    import pyarrow as pa

    from tests.support.killing import Moment

    lake = embedded_lake
    lake.put(path_of("text"), items(100, 3), amount_type=pa.string())
    assert lake.kill("register", moment=Moment("before COMMIT", "^COMMIT", follows="ducklake_add_data_files"))
    lake.settle()
    folder = lake.root / ".lotuslake" / "data" / "copied"
    copies = list(folder.rglob("*.parquet"))
    assert len(copies) == 2
    for days_ago, left in ((29, 2), (32, 1)):
        for path in copies:
            os.utime(path, (time.time() - days_ago * 86400,) * 2)
        lake.run("maintain")
        assert len(list(folder.rglob("*.parquet"))) == left
    lake.check()


def test_credentials_that_only_read_landing_are_enough(
    service_lake: ServiceLake, seaweedfs: ObjectStorage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Landing and data are two buckets with two identities; that of landing may list and read, nothing else."""
    lake = service_lake
    data = seaweedfs.make_bucket()
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:PutObject", "s3:DeleteObject"],
                "Resource": [f"arn:aws:s3:::{lake.bucket}/*"],
            }
        ],
    }
    for number in range(3):
        lake.put(path_of(f"{number}"), items(10 * number, 4))
    before = lake.raw()
    seaweedfs.client().put_bucket_policy(Bucket=lake.bucket, Policy=json.dumps(policy))
    try:
        with pytest.raises(Exception, match=r"AccessDenied|Access Denied"):
            lake.put_body(path_of("refused"), b"x")
        lake.environment["LOTUSLAKE_DATA_URL"] = f"s3://{data}/data"
        lake.settle()
        lake.run("backfill", "shop/items", "--reregister")
        lake.run("maintain", "--keep-days", "1")
        lake.check()
        assert lake.raw() == before
    finally:
        seaweedfs.client().delete_bucket_policy(Bucket=lake.bucket)
