"""The nine processed models and fct_sales, built by dbt from what Airbyte lands."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lotuslake.config.streams import Streams
from lotuslake.core.field_types import BOOLEAN, DOUBLE, VARCHAR, ColumnType, ListOf, Struct
from tests.functional.dbt.conftest import ROOT, build_all
from tests.functional.dbt.lake import Lake, bookkeeping, outcomes

ANN = "ann@example.com"


def naive(*parts: int) -> datetime:
    """Instants in processed tables are TIMESTAMP in UTC."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


PROCESSED: list[tuple[str, Any, dict[str, Any]]] = [
    (
        "shopify__orders",
        1,
        {
            "name": "#1001",
            "updated_at": naive(2026, 3, 2, 10),
            "customer_id": 7,
            "customer_email": ANN,
            "email": ANN,
            "total_price": Decimal("130.00"),
            "presentment_total_price": Decimal("143.00"),
            "total_tax": Decimal("19.95"),
            "original_total_duties": Decimal("1.05"),
            "total_tip_received": Decimal("2.50"),
            "is_deleted": False,
            "_airbyte_raw_id": "raw-0",
            "_airbyte_extracted_at": naive(2026, 11, 1),
        },
    ),
    (
        "shopify__orders",
        3,
        {
            "name": "#1003",
            "customer_id": 7,
            "is_deleted": True,
            "deleted_at": naive(2026, 3, 5),
            "deleted_message": "Ann deleted it",
            "_airbyte_raw_id": "raw-3",
        },
    ),
    ("shopify__orders", 4, {"email": None, "original_total_duties": None}),
    ("shopify__order_refunds", 41, {"order_id": 4, "return_id": 99, "total_duties": Decimal("0.00")}),
    (
        "shopify__customers",
        7,
        {"email": ANN, "total_spent": Decimal("130.10"), "email_marketing_state": "subscribed", "country_code": "DE"},
    ),
    (
        "klaviyo__profiles",
        "P1",
        {
            "email": ANN,
            "first_name": "Ann",
            "city": "Berlin",
            "latitude": 52.5,
            "longitude": 13.4,
            "email_consent": "SUBSCRIBED",
            "is_email_suppressed": True,
            "total_clv": Decimal("119.90"),
            "expected_next_order_at": naive(2026, 12, 24),
            "properties": '{"shoe size": 41}',
        },
    ),
    (
        "klaviyo__profiles",
        "P2",
        {
            "email": None,
            "latitude": None,
            "is_email_suppressed": False,
            "expected_next_order_at": None,
            "properties": None,
        },
    ),
    (
        "klaviyo__events",
        "E1",
        {
            "profile_id": "P1",
            "metric_id": "M1",
            "attribution_ids": ["A1"],
            "message_id": "C1M",
            "flow_id": None,
            "value": Decimal("130.00"),
            "is_bot_click": False,
        },
    ),
    ("klaviyo__events", "E2", {"profile_id": None, "message_id": None, "value": None, "event_properties": None}),
    (
        "klaviyo__campaigns",
        "C1",
        {"name": "Spring", "channel": "email", "message_ids": ["C1M"], "send_method": "immediate"},
    ),
    ("klaviyo__flows", "F1", {"name": "Welcome", "trigger_type": "Added to List", "action_ids": ["1", "2"]}),
    ("klaviyo__metrics", "M1", {"name": "Placed Order", "integration_id": "0eK", "integration_name": "Shopify"}),
    ("klaviyo__lists", "L1", {"name": "Newsletter", "opt_in_process": "double_opt_in", "tag_ids": ["T1"]}),
]


@pytest.mark.parametrize(
    ("table", "key", "values"), PROCESSED, ids=lambda value: "" if isinstance(value, dict) else str(value)
)
def test_processed_row(lake: Lake, table: str, key: object, values: dict[str, Any]) -> None:
    (row,) = lake.records(f"select * from lakehouse.processed.int_{table} where id = '{key}'")
    assert {name: row[name] for name in values} == values


def test_every_stream_has_its_model_and_every_model_its_rows(lake: Lake, streams: Streams) -> None:
    models = {node.name for node in lake.manifest.nodes.values() if node.name.startswith("int_")}
    assert models == {stream.processed_model for stream in streams.all}
    counts = {model: lake.row(f"select count(*) from lakehouse.processed.{model}")[0] for model in models}
    assert counts == dict.fromkeys(models, 1) | {
        "int_shopify__orders": 4,
        "int_klaviyo__profiles": 2,
        "int_klaviyo__events": 2,
    }


def test_sales(lake: Lake) -> None:
    first, second = lake.records("from lakehouse.enriched.fct_sales order by order_id")
    assert first == {
        "order_id": 1,
        "order_name": "#1001",
        "sale_date": date(2026, 3, 1),
        "processed_at": first["processed_at"],
        "customer_id": 7,
        "email": ANN,
        "currency": "USD",
        "financial_status": "partially_refunded",
        "is_cancelled": False,
        "gross_sales": Decimal("114.00"),
        "discounts": Decimal("10.00"),
        "returns": Decimal("52.00"),
        "net_sales": Decimal("52.00"),
        "shipping": Decimal("5.00"),
        "taxes": Decimal("10.45"),
        "duties": Decimal("1.05"),
        "total_sales": Decimal("68.50"),
        "tips": Decimal("2.50"),
        "gift_cards_sold": Decimal("0.00"),
        "units": 2,
        "refunded_shipping": Decimal("0.00"),
        "is_first_order": True,
    }
    assert (second["order_id"], second["email"], second["is_first_order"]) == (4, None, None)
    assert (second["gross_sales"], second["returns"], second["total_sales"]) == (
        Decimal("59.97"),
        Decimal("19.99"),
        Decimal("39.98"),
    )


def test_sales_have_the_documented_types(lake: Lake) -> None:
    types = {row["column_name"]: row["column_type"] for row in lake.records("describe lakehouse.enriched.fct_sales")}
    others = {
        "order_id": "BIGINT",
        "order_name": "VARCHAR",
        "sale_date": "DATE",
        "processed_at": "TIMESTAMP WITH TIME ZONE",
        "customer_id": "BIGINT",
        "email": "VARCHAR",
        "currency": "VARCHAR",
        "financial_status": "VARCHAR",
        "is_cancelled": "BOOLEAN",
        "units": "BIGINT",
        "is_first_order": "BOOLEAN",
    }
    assert types == dict.fromkeys(types, "DECIMAL(18,2)") | others


def test_all_data_and_unit_tests_run_and_pass(lake: Lake) -> None:
    result = lake.invoke("test", "--no-populate-cache")
    found = outcomes(result)
    manifest = lake.manifest
    data_tests = [node for node in manifest.nodes.values() if node.resource_type == "test"]
    assert len(manifest.unit_tests) >= 15
    assert len(result.result.results) == len(data_tests) + len(manifest.unit_tests)
    # An event and a profile hold text that is no JSON: that is for a person to look at.
    troubles = ("klaviyo__events_event_properties_trouble", "klaviyo__profiles_properties_trouble")
    assert {name: status.split(":")[0] for name, status in found.items() if status != "pass"} == {
        f"accepted_values_int_{trouble}__mended": "fail" for trouble in troubles
    }


def test_hostile_values_fail_no_batch(tmp_path: Path, streams: Streams) -> None:
    """Text that is neither number nor JSON nor date, and numbers beyond every DECIMAL, in every field at once."""
    with Lake(tmp_path, ROOT / "models") as lake:
        for stream in streams.all:
            columns = {field.name: field.type for field in stream.fields} | bookkeeping(stream)
            rows = [
                {name: _hostile(type_, text) for name, type_ in columns.items()} for text in ("{[", "9" * 16 + ".99")
            ]
            lake.lay_out(stream.landing_table, columns, [row | {"_deleted_raw_id": None} for row in rows])
        build_all(lake, streams)
        assert lake.row("select count(*) from lakehouse.enriched.fct_sales") == (1,)


def _hostile(type_: ColumnType, text: str) -> Any:
    match type_:
        case ListOf(element):
            return [_hostile(element, text), _hostile(element, text)]
        case Struct(fields):
            return {name: _hostile(field, text) for name, field in fields}
    if type_ == VARCHAR:
        return text
    if type_ == DOUBLE:
        return 1e300 if text == "{[" else 9e15
    if type_ == BOOLEAN:
        return False
    return 2**63 - 1 if str(type_) == "BIGINT" else "2026-03-01"
