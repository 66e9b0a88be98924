"""Adding a stream takes one YAML file and one model file, nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from lotuslake.config.starter import copy_starter
from tests.functional.program import Project, write
from tests.functional.things import parquet

STREAM = "shopify/products"
STREAM_FILE = """
description: Products of the shop, one record per version.
sync_mode: incremental
destination_sync_mode: append
primary_key: [id]
cursor_field: updated_at
fields:
  id: {type: integer, description: Shopify's product id}
  updated_at: {type: string, format: date-time, description: the cursor}
  title: {type: string}
  vendor: {type: string}
"""
MODEL = """
select id, updated_at, trim(title) as title, vendor, {{ airbyte_columns() }}
from {{ landing() }}
"""
ENRICHED = """
select vendor, count(*) as products from {{ ref('int_shopify__products') }} group by vendor
"""


def products(titles: dict[int, str], day: datetime, *, vendor: str = "Lotus") -> bytes:
    ids = list(titles)
    stamp = pa.timestamp("ms", tz="UTC")
    return parquet(
        {
            "_airbyte_raw_id": pa.array([f"{day:%j}-{key}" for key in ids], pa.string()),
            "_airbyte_extracted_at": pa.array([day for _ in ids], stamp),
            "_airbyte_generation_id": pa.array([0 for _ in ids], pa.int64()),
            "id": pa.array(ids, pa.int64()),
            "updated_at": pa.array([day for _ in ids], pa.timestamp("us", tz="UTC")),
            "title": pa.array(list(titles.values()), pa.string()),
            "vendor": pa.array([vendor for _ in ids], pa.string()),
        }
    )


def test_a_tenth_stream_takes_one_yaml_file_and_one_model_file(tmp_path: Path) -> None:
    assert copy_starter(tmp_path)
    project = Project(tmp_path)
    write(tmp_path / "streams" / f"{STREAM}.yml", STREAM_FILE)
    write(tmp_path / "models" / "processed" / "int_shopify__products.sql", MODEL)
    write(tmp_path / "models" / "enriched" / "agg_vendors.sql", ENRICHED)
    first = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    second = first + timedelta(hours=20)
    folder = f"{STREAM}/year={first:%Y}/month={first:%m}/day={first:%d}"
    project.put(f"{folder}/1_0.parquet", products({1: " Ring ", 2: "Mala"}, first))
    project.put(f"{folder}/1_1.parquet", products({3: "Candle"}, first, vendor="Luna"))

    check = project.json("ingest-check", STREAM, "--detailed-exitcode", expect=10).stream(STREAM)
    assert (check["pending_files"], check["freshness"]) == (2, "pass")
    assert project.json("register", STREAM).stream(STREAM)["rows"] == 3
    built = project.json("transform", STREAM).stream(STREAM)
    assert built["models"] == ["int_shopify__products", "agg_vendors"]
    assert project.rows("SELECT id, title FROM processed.int_shopify__products ORDER BY id") == [
        *((1, "Ring"), (2, "Mala"), (3, "Candle"))
    ]

    folder = f"{STREAM}/year={second:%Y}/month={second:%m}/day={second:%d}"
    project.put(f"{folder}/2_0.parquet", products({2: "Mala of wood", 4: "Wrap"}, second))
    assert project.json("register", "shopify").stream(STREAM)["registered_files"] == 1
    assert project.json("transform", STREAM).stream(STREAM)["models"] == ["int_shopify__products", "agg_vendors"]
    assert project.rows("SELECT id, title FROM processed.int_shopify__products ORDER BY id") == [
        *((1, "Ring"), (2, "Mala of wood"), (3, "Candle"), (4, "Wrap"))
    ]
    assert project.rows("SELECT * FROM enriched.agg_vendors ORDER BY vendor") == [("Lotus", 3), ("Luna", 1)]


def test_a_stream_without_a_model_is_registered_and_the_missing_file_named(tmp_path: Path) -> None:
    assert copy_starter(tmp_path)
    project = Project(tmp_path)
    write(tmp_path / "streams" / f"{STREAM}.yml", STREAM_FILE)
    day = datetime.now(UTC)
    project.put(f"{STREAM}/year={day:%Y}/month={day:%m}/day={day:%d}/1.parquet", products({1: "Ring"}, day))
    assert project.json("register", STREAM).stream(STREAM)["rows"] == 1
    outcome = project.json("transform", STREAM)
    assert "models/processed/int_shopify__products.sql" in outcome.stderr
    assert outcome.stream(STREAM)["models"] == []
