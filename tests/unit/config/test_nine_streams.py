"""The stream library that ships: nine streams of Shopify and Klaviyo."""

from datetime import timedelta
from pathlib import Path

import pytest

from lotuslake.config.streams import Streams, load_streams
from lotuslake.core.field_types import ColumnType, ListOf, Struct

PROJECT = Path(__file__).parents[3]
CURSORS = {
    "klaviyo/campaigns": "updated_at",
    "klaviyo/events": "datetime",
    "klaviyo/flows": "updated",
    "klaviyo/lists": "updated",
    "klaviyo/metrics": "updated",
    "klaviyo/profiles": "updated",
    "shopify/customers": "updated_at",
    "shopify/order_refunds": "created_at",
    "shopify/orders": "updated_at",
}
MONEY = (
    'STRUCT("shop_money" STRUCT("amount" DOUBLE, "currency_code" VARCHAR), '
    '"presentment_money" STRUCT("amount" DOUBLE, "currency_code" VARCHAR))'
)
REFERENCES = 'STRUCT("id" VARCHAR, "type" VARCHAR)[]'

TYPES = {
    "shopify/orders": {
        "id": "BIGINT",
        "name": "VARCHAR",
        "order_number": "BIGINT",
        "created_at processed_at updated_at closed_at cancelled_at deleted_at": "TIMESTAMP",
        "deleted_message deleted_description cancel_reason currency email contact_email tags": "VARCHAR",
        "financial_status fulfillment_status source_name landing_site referring_site": "VARCHAR",
        "test taxes_included": "BOOLEAN",
        "total_price total_tax total_discounts total_line_items_price subtotal_price total_tip_received": "DOUBLE",
        "total_price_set total_tax_set total_discounts_set total_line_items_price_set": MONEY,
        "subtotal_price_set total_shipping_price_set": MONEY,
        "customer.id": "BIGINT",
        "customer.email": "VARCHAR",
        "billing_address.country billing_address.province billing_address.city billing_address.zip": "VARCHAR",
        "shipping_address.country shipping_address.province shipping_address.city shipping_address.zip": "VARCHAR",
        "line_items.id line_items.product_id line_items.variant_id line_items.quantity": "BIGINT",
        "line_items.sku line_items.title line_items.name line_items.vendor": "VARCHAR",
        "line_items.price line_items.total_discount": "DOUBLE",
        "line_items.gift_card line_items.taxable line_items.requires_shipping": "BOOLEAN",
        "line_items.price_set line_items.tax_lines.price_set": MONEY,
        "line_items.discount_allocations.amount": "VARCHAR",
        "shipping_lines.price shipping_lines.discounted_price": "DOUBLE",
        "shipping_lines.tax_lines shipping_lines.discount_allocations.amount": "VARCHAR",
        "tax_lines.price": "DOUBLE",
        "discount_codes.code discount_codes.amount discount_applications.value": "VARCHAR",
        "refunds.id": "BIGINT",
        "refunds.refund_line_items.subtotal": "DOUBLE",
    },
    "shopify/customers": {
        "id": "BIGINT",
        "email": "VARCHAR",
        "created_at updated_at": "TIMESTAMP",
        "default_address.country": "VARCHAR",
        "email_marketing_consent.state": "VARCHAR",
    },
    "shopify/order_refunds": {
        "id order_id": "BIGINT",
        "created_at processed_at": "TIMESTAMP",
        "note duties": "VARCHAR",
        "restock": "BOOLEAN",
        "refund_line_items.quantity refund_line_items.line_item_id refund_line_items.line_item.quantity": "BIGINT",
        "refund_line_items.subtotal refund_line_items.total_tax refund_line_items.line_item.price": "DOUBLE",
        "refund_line_items.line_item.gift_card transactions.test": "BOOLEAN",
        "refund_line_items.subtotal_set refund_line_items.total_tax_set total_duties_set": MONEY,
        "refund_line_items.restock_type order_adjustments.amount order_adjustments.tax_amount": "VARCHAR",
        "order_adjustments.kind order_adjustments.reason transactions.amount transactions.kind": "VARCHAR",
        "transactions.status transactions.gateway transactions.currency": "VARCHAR",
        "transactions.created_at": "TIMESTAMP",
    },
    "klaviyo/events": {
        "id type attributes.uuid attributes.event_properties": "VARCHAR",
        "datetime attributes.datetime": "TIMESTAMP",
        "attributes.timestamp": "BIGINT",
        "relationships.profile.data.id relationships.metric.data.id": "VARCHAR",
        "relationships.attributions.data": REFERENCES,
    },
    "klaviyo/profiles": {
        "id attributes.email attributes.phone_number attributes.external_id attributes.properties": "VARCHAR",
        "updated attributes.created": "TIMESTAMP",
        "attributes.location.latitude": 'STRUCT("type" VARCHAR, "number" DOUBLE, "string" VARCHAR)',
        "attributes.subscriptions.email.marketing.can_receive_email_marketing": "BOOLEAN",
        "attributes.predictive_analytics.predicted_clv": "DOUBLE",
    },
    "klaviyo/campaigns": {
        "id attributes.name attributes.status attributes.channel": "VARCHAR",
        "updated_at attributes.send_time attributes.send_strategy.options_static.datetime": "TIMESTAMP",
        "attributes.send_strategy.options_sto.date": "DATE",
        "relationships.campaign_messages.data": REFERENCES,
    },
    "klaviyo/flows": {
        "id attributes.name attributes.status attributes.trigger_type": "VARCHAR",
        "relationships.flow_actions.data": REFERENCES,
    },
    "klaviyo/metrics": {
        "id attributes.name attributes.integration relationships.flow_triggers.data.id": "VARCHAR",
        "updated": "TIMESTAMP",
    },
    "klaviyo/lists": {"id attributes.name relationships.flow_triggers.data.id": "VARCHAR", "updated": "TIMESTAMP"},
}


@pytest.fixture(scope="module")
def streams() -> Streams:
    return load_streams(PROJECT)


def part(type_: ColumnType, path: list[str]) -> ColumnType:
    """The type at a dotted path; lists are looked through."""
    for name in path:
        inner = type_.element if isinstance(type_, ListOf) else type_
        assert isinstance(inner, Struct)
        type_ = dict(inner.fields)[name]
    return type_


def test_all_nine_are_incremental_appends_by_id(streams: Streams) -> None:
    assert {stream.id: stream.cursor_field for stream in streams.all} == CURSORS
    for stream in streams.all:
        assert (stream.sync_mode, stream.destination_sync_mode) == ("incremental", "append")
        assert (stream.primary_key, stream.landing, stream.landing_path) == (("id",), "reference", stream.id)
        assert stream.description


@pytest.mark.parametrize(
    ("stream_id", "path", "expected"),
    [
        (stream_id, path, expected)
        for stream_id, types in TYPES.items()
        for paths, expected in types.items()
        for path in paths.split()
    ],
)
def test_important_fields(streams: Streams, stream_id: str, path: str, expected: str) -> None:
    (stream,) = streams.select([stream_id])
    name, *rest = path.split(".")
    types = {field.name: field.type for field in stream.fields}
    assert str(part(types[name], rest)) == expected


def test_only_orders_send_tombstones(streams: Streams) -> None:
    assert {stream.id for stream in streams.all if stream.tombstone_field} == {"shopify/orders"}


def test_busy_streams_must_be_fresh(streams: Streams) -> None:
    ages = {stream.id: (stream.freshness.warn_after, stream.freshness.error_after) for stream in streams.all}
    half_day, day_and_half, two_days = timedelta(hours=12), timedelta(hours=36), timedelta(days=2)
    for stream_id in ("shopify/orders", "shopify/customers", "shopify/order_refunds", "klaviyo/events"):
        assert ages[stream_id] == (half_day, day_and_half)
    assert ages["klaviyo/campaigns"] == (two_days, timedelta(days=7))
    assert ages["klaviyo/lists"] == (two_days, None)


def test_sources_name_their_connectors_and_secrets(streams: Streams) -> None:
    assert {name: source.definition_id for name, source in streams.sources.items()} == {
        "klaviyo": "95e8cffd-b8c4-4039-968e-d32fb4a69bde",
        "shopify": "9da77001-af33-4bcd-be46-6252bf9342b9",
    }
    assert streams.sources["klaviyo"].secrets == ("KLAVIYO_API_KEY",)
    assert all(secret.startswith("SHOPIFY_") for secret in streams.sources["shopify"].secrets)
