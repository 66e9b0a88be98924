"""The records of a real test shop through chain and checks: orders, refunds and customers as the connector emitted them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.functional.program import Project
from tests.support.airbyte_parquet import airbyte_file

ROOT = Path(__file__).parents[2]
STREAMS = ("orders", "order_refunds", "customers")
EXTRACTED_AT = datetime(2026, 11, 1, tzinfo=UTC)
Json = dict[str, Any]


def declared(stream: str) -> Mapping[str, Json]:
    """The properties that the stream's file declares."""
    document = yaml.safe_load((ROOT / "streams" / "shopify" / f"{stream}.yml").read_text(encoding="utf-8"))
    fields: Mapping[str, Json] = document["fields"]
    return fields


@pytest.fixture(scope="session")
def records(outside_data: Path) -> dict[str, list[Json]]:
    """The records by stream, in the order of the file; test orders count here."""
    found: dict[str, list[Json]] = {stream: [] for stream in STREAMS}
    for line in (outside_data / "shopify-test-shop.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["stream"] in found:
            found[record["stream"]].append(record["data"] | ({"test": False} if record["stream"] == "orders" else {}))
    assert {stream: len(rows) for stream, rows in found.items()} == {"orders": 20, "order_refunds": 8, "customers": 7}
    return found


@pytest.fixture(scope="session")
def project(records: dict[str, list[Json]], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The repository's project with these records landed as Airbyte lands them; nothing of Klaviyo has come yet."""
    root = tmp_path_factory.mktemp("shop")
    for folder in ("streams", "models"):
        shutil.copytree(ROOT / folder, root / folder)
    project = Project(root)
    for stream, rows in records.items():
        body = airbyte_file(declared(stream), rows, extracted_at=EXTRACTED_AT, codec="snappy", name=f"shopify.{stream}")
        project.put(f"shopify/{stream}/year=2026/month=11/day=01/7_0.parquet", body)
    return project


def newest(rows: list[Json]) -> dict[int, Json]:
    """The newest version of each record, by `updated_at`, which has one offset throughout."""
    found: dict[int, Json] = {}
    for row in rows:
        before = found.get(row["id"])
        if before is None or datetime.fromisoformat(row["updated_at"]) >= datetime.fromisoformat(before["updated_at"]):
            found[row["id"]] = row
    return found


def test_the_records_go_through_chain_and_checks(project: Project, records: dict[str, list[Json]]) -> None:
    registered = project.json("register")
    for stream in STREAMS:
        item = registered.stream(f"shopify/{stream}")
        assert (item["registered_files"], item["copied_files"], item["quarantined_files"]) == (1, 0, 0)
        assert item["rows"] == len(records[stream])
    transformed = project.run("transform", "shopify", "--json")
    # A finding is for a person to look at; anything else would be an error of ours.
    assert transformed.exit_code in {0, 5}, transformed.stderr
    assert transformed.envelope["errors"] == []
    found = project.rows("SELECT id, total_price, current_total_price, created_at FROM processed.int_shopify__orders")
    assert {id_: (total, current) for id_, total, current, _ in found} == {
        id_: (Decimal(str(row["total_price"])), Decimal(str(row["current_total_price"])))
        for id_, row in newest(records["orders"]).items()
    }
    at = {id_: datetime.fromisoformat(row["created_at"]) for id_, row in newest(records["orders"]).items()}
    assert {id_: created.replace(tzinfo=UTC) for id_, *_, created in found} == at
    refunds = project.rows("SELECT id, order_id FROM processed.int_shopify__order_refunds")
    assert dict(refunds) == {row["id"]: row["order_id"] for row in records["order_refunds"]}
    customers = project.rows("SELECT id FROM processed.int_shopify__customers")
    assert {id_ for (id_,) in customers} == set(newest(records["customers"]))


def test_a_second_run_has_nothing_to_do(project: Project) -> None:
    again = project.run("register", "--json")
    assert all(item["batches"] == 0 for item in again.envelope["data"]["streams"])
    assert again.envelope["errors"] == []
