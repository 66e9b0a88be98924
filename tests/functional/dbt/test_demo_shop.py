"""The models on a whole invented shop, against the oracle that works without SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import yaml

from lotuslake.config.streams import Streams
from lotuslake.demo import DELIVERIES, Shop, build_shop
from tests.functional.dbt.conftest import ROOT, build_all
from tests.functional.dbt.lake import Lake
from tests.support.expected import Current, Key, expected_sales, newest_versions

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return build_shop(seed=7, scale=0.1, now=NOW)


@pytest.fixture(scope="module")
def shop_lake(tmp_path_factory: pytest.TempPathFactory, streams: Streams, shop: Shop) -> Iterator[Lake]:
    """The history built at once, the increment merged into it."""
    with Lake(tmp_path_factory.mktemp("shop"), ROOT / "models") as lake:
        for delivery, mode in zip(DELIVERIES, ("replace", "merge"), strict=True):
            for stream in streams.all:
                records = shop.delivered(stream.id, delivery)
                # Airbyte's milliseconds are UTC.
                marks = [
                    {"_at": f"{record.extracted_at:%Y-%m-%d %H:%M:%S.%f}", "_raw_id": record.raw_id}
                    for record in records
                ]
                lake.lay_out_stream(stream, [record.data | mark for record, mark in zip(records, marks, strict=True)])
            build_all(lake, streams, mode)
        yield lake


@pytest.fixture(scope="module")
def current(shop: Shop, streams: Streams) -> dict[str, dict[Key, Current]]:
    return {
        stream.id: newest_versions(shop.delivered(stream.id), str(stream.cursor_field), stream.tombstone_field)
        for stream in streams.all
    }


def test_processed_tables_show_the_newest_versions(
    shop_lake: Lake, streams: Streams, current: dict[str, dict[Key, Current]]
) -> None:
    for stream in streams.all:
        is_deleted = "is_deleted" if stream.tombstone_field else "false"
        found = shop_lake.records(
            f"select id, _airbyte_raw_id, {is_deleted} as is_deleted from lakehouse.processed.{stream.processed_model}"
        )
        shown = {row["id"]: (row["_airbyte_raw_id"], row["is_deleted"]) for row in found}
        assert shown == {key: (row.raw_id, row.is_deleted) for key, row in current[stream.id].items()}, stream.id


def test_sales_agree_with_the_oracle(shop_lake: Lake, current: dict[str, dict[Key, Current]]) -> None:
    project = yaml.safe_load((ROOT / "models" / "dbt_project.yml").read_text())
    zone = project["vars"]["shop_timezone"]
    expected = expected_sales(current["shopify/orders"], current["shopify/order_refunds"], zone)
    found = {row["order_id"]: row for row in shop_lake.records("from lakehouse.enriched.fct_sales")}
    assert found == {order_id: dataclasses.asdict(row) for order_id, row in expected.items()}
    assert len(found) > 100


def test_sales_of_the_shop_pass_their_data_tests(shop_lake: Lake) -> None:
    result = shop_lake.invoke("test", "--no-populate-cache", "--select", "fct_sales", "--exclude", "test_type:unit")
    assert result.success, result.exception
