"""`lotuslake add-stream`: from what a real connector offers to rows in the lake, with no edit by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lotuslake.config.starter import copy_starter
from lotuslake.config.streams import load_streams
from lotuslake.demo.parquet import LandedRecord, to_parquet_bytes
from tests.functional.program import Project

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The starter project: its streams, models and what the two connectors offer."""
    assert copy_starter(tmp_path)
    return Project(tmp_path)


def land(project: Project, name: str, sync_id: int, records: list[dict[str, Any]], *, days_ago: float) -> None:
    """One data file of a sync, laid out as Airbyte's S3 destination does it."""
    (stream,) = load_streams(project.root).select([name])
    at = NOW - timedelta(days=days_ago)
    landed = [
        LandedRecord(record, at + timedelta(seconds=number), f"{sync_id}-{number}", sync_id, 0)
        for number, record in enumerate(records)
    ]
    project.put(f"{name}/year={at:%Y}/month={at:%m}/day={at:%d}/{sync_id}_0.parquet", to_parquet_bytes(stream, landed))


def product(key: int, title: str, updated_at: str, **more: Any) -> dict[str, Any]:
    variants = [{"id": key * 10, "price": 19.5}]
    return {"id": key, "title": title, "updated_at": updated_at, "variants": variants, "tags": "a, b"} | more


def test_a_stream_of_the_real_connector_flows_end_to_end(project: Project) -> None:
    added = project.json("add-stream", "shopify/products").envelope["data"]
    assert (added["sync_mode"], added["primary_key"], added["cursor_field"]) == ("incremental", ["id"], "updated_at")
    assert len(added["fields"]) > 30
    assert project.run("generate-catalog", "shopify", "--check").exit_code == 0

    first = [product(1, "Ring", "2026-03-01T10:00:00Z"), product(2, "Mala", "2026-03-01T10:00:00Z")]
    land(project, "shopify/products", 1, first, days_ago=2)
    assert project.json("register", "shopify/products").stream("shopify/products")["registered_files"] == 1
    built = project.json("transform", "shopify/products")
    assert built.stream("shopify/products")["models"] == ["int_shopify__products"]
    second = [
        product(2, "Mala of wood", "2026-03-02T10:00:00Z"),
        product(2, "Mala", "2026-03-01T10:00:00Z"),
        {"id": 1, "deleted_at": "2026-03-02T10:00:00Z", "deleted_message": "sold out"},
    ]
    land(project, "shopify/products", 2, second, days_ago=1)
    project.json("register", "shopify/products")
    project.json("transform", "shopify/products")
    rows = project.rows(
        "SELECT id, title, variants[1].price, is_deleted FROM processed.int_shopify__products ORDER BY id"
    )
    assert rows == [(1, "Ring", 19.5, True), (2, "Mala", 19.5, False)]
    assert project.json("ingest-check", "shopify/products").stream("shopify/products")["pending_files"] == 0


def test_a_key_of_two_columns_is_one_key_and_tested_as_one(project: Project) -> None:
    project.json("add-stream", "shopify/collection_products", "--fields", "shop_url")
    pair = {"collection_updated_at": "2026-03-01T10:00:00Z", "shop_url": "lotus"}
    records = [pair | {"collection_id": 1, "product_id": product} for product in (1, 2, 1)]
    land(project, "shopify/collection_products", 1, records, days_ago=1)
    project.json("register", "shopify/collection_products")
    built = project.json("transform", "shopify/collection_products")
    assert built.exit_code == 0
    rows = project.rows("SELECT collection_id, product_id FROM processed.int_shopify__collection_products ORDER BY ALL")
    assert rows == [(1, 1), (1, 2)]
    # Unique as a pair, and three columns that are never empty.
    assert built.envelope["data"]["tests"] == {"passed": 4, "warned": 0, "failed": 0}


def test_a_second_time_nothing_is_overwritten(project: Project) -> None:
    project.json("add-stream", "shopify/locations")
    before = {path: (project.root / path).read_bytes() for path in project.tree() if (project.root / path).is_file()}
    outcome = project.run("add-stream", "shopify/locations")
    assert outcome.exit_code == 2
    assert outcome.message == "streams/shopify/locations.yml: is there already; nothing was written"
    assert {path: (project.root / path).read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["shopify/prodcts"], "airbyte-source-shopify 4.3.0 has no stream 'prodcts'; did you mean"),
        (["amazon/orders"], "amazon: nothing is known of its connector; run lotuslake discover amazon first"),
        (["shopify"], "must be of a-z"),
        (["shopify/products", "--fields", "titel"], "did you mean 'title'?"),
        (
            ["shopify/products", "--sync-mode", "append"],
            "--sync-mode must be incremental or full_refresh, not 'append'",
        ),
        (["shopify/locations", "--sync-mode", "incremental"], "the source reads it by full_refresh alone"),
        (["shopify/products", "--cursor-field", "id"], "the source defines its own cursor 'updated_at'"),
    ],
)
def test_what_cannot_be_added_is_named(project: Project, arguments: list[str], told: str) -> None:
    before = project.tree()
    outcome = project.run("add-stream", *arguments)
    assert outcome.exit_code == 2
    assert told in outcome.message
    assert [path for path in project.tree() if path not in before and not path.startswith(".lotuslake")] == []


def test_a_project_that_is_wrong_elsewhere_is_left_as_it_was(project: Project) -> None:
    orders = project.root / "streams" / "shopify" / "orders.yml"
    orders.write_text(orders.read_text().replace("cursor_field: updated_at", "cursor_field: created_at"))
    outcome = project.run("add-stream", "shopify/products")
    assert outcome.exit_code == 2
    assert outcome.message.startswith("streams/shopify/orders.yml: key 'cursor_field'")
    assert not (project.root / "streams" / "shopify" / "products.yml").exists()
    assert not (project.root / "models" / "processed" / "int_shopify__products.sql").exists()
