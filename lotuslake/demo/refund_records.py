"""Refunds in Shopify's two shapes: a record of `order_refunds`, and an item of `orders.refunds`.

They differ as the connector's schemas do: numbers in one, strings in the other, money sets of the adjustments in the
second only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from lotuslake.demo.clock import shop_time
from lotuslake.demo.model import Line, Order, Refund, RefundLine
from lotuslake.demo.money import Json, number, text

# What the connector writes there is the name before .myshopify.com, not a URL.
SHOP_URL = "lotus-and-luna"
LOCATION_ID = 68_001_000_001

_Money = Callable[[int], float | str]
_MoneySet = Callable[[int], Json]


def stream_record(order: Order, refund: Refund, at: datetime) -> Json:
    """A record of stream `order_refunds` as the API shows it at ``at``."""
    sets = order.place.exchange.numbers
    return {
        **_common(order, refund, at, number, sets),
        "order_adjustments": [_adjustment(order, refund, part) for part in _adjustments(refund, at)],
        "return": None,
        "duties": "[]",
        "shop_url": SHOP_URL,
    }


def nested_record(order: Order, refund: Refund, at: datetime) -> Json:
    """An item of `orders.refunds` as the API shows it at ``at``."""
    sets = order.place.exchange.texts
    adjustments = []
    for part in _adjustments(refund, at):
        money = {"amount_set": sets(part.cents), "tax_amount_set": sets(part.tax)}
        adjustments.append(_adjustment(order, refund, part) | money)
    return {**_common(order, refund, at, text, sets), "order_adjustments": adjustments, "duties": []}


def _common(order: Order, refund: Refund, at: datetime, money: _Money, sets: _MoneySet) -> Json:
    created_at = shop_time(refund.created_at)
    return {
        "id": refund.id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund.id}",
        "order_id": order.id,
        "created_at": created_at,
        "processed_at": created_at,
        "note": refund.note,
        "user_id": None,
        "restock": any(part.restock_type != "no_restock" for part in refund.lines),
        "refund_line_items": [_refund_line(part, money, sets) for part in refund.lines],
        "transactions": [] if refund.cash is None else [_transaction(order, refund, at)],
        "total_duties_set": order.place.exchange.numbers(refund.duties),
    }


class _Adjustment(NamedTuple):
    id: int
    kind: str
    cents: int
    tax: int
    reason: str


def _adjustments(refund: Refund, at: datetime) -> list[_Adjustment]:
    """Known by then. Shopify writes refunded shipping as a negative adjustment of its own kind."""
    found = [
        _Adjustment(adjustment.id, "refund_discrepancy", adjustment.cents, 0, adjustment.reason)
        for adjustment in refund.adjustments
        if adjustment.created_at <= at
    ]
    if refund.shipping:
        cents = refund.shipping_tax - refund.shipping
        found.insert(0, _Adjustment(refund.id + 1, "shipping_refund", cents, -refund.shipping_tax, "Shipping refund"))
    return found


def _adjustment(order: Order, refund: Refund, part: _Adjustment) -> Json:
    return {
        "id": part.id,
        "order_id": order.id,
        "refund_id": refund.id,
        "kind": part.kind,
        "amount": text(part.cents),
        "tax_amount": text(part.tax),
        "reason": part.reason,
    }


def _transaction(order: Order, refund: Refund, at: datetime) -> Json:
    """The payment back, in the currency that the buyer paid in."""
    exchange = order.place.exchange
    created_at = shop_time(refund.created_at)
    status = refund.status_at(at)
    return {
        "id": refund.id + 2,
        "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{refund.id + 2}",
        "order_id": order.id,
        "amount": text(exchange.convert(refund.cash or 0)),
        "currency": exchange.currency,
        "kind": "refund",
        "status": status,
        "gateway": "shopify_payments",
        "message": "Card was declined" if status == "failure" else None,
        "error_code": "card_declined" if status == "failure" else None,
        "created_at": created_at,
        "processed_at": created_at,
        "parent_id": order.id + 1,
        "source_name": "web",
        "test": order.is_test,
    }


def _refund_line(part: RefundLine, money: _Money, sets: _MoneySet) -> Json:
    return {
        "id": part.id,
        "line_item_id": part.line.id,
        "line_item": _line(part.line, money, sets),
        "location_id": LOCATION_ID if part.restock_type == "return" else None,
        "quantity": part.quantity,
        "restock_type": part.restock_type,
        "subtotal": number(part.subtotal),
        "subtotal_set": sets(part.subtotal),
        "total_tax": number(part.tax),
        "total_tax_set": sets(part.tax),
    }


def _line(line: Line, money: _Money, sets: _MoneySet) -> Json:
    """The refunded line, in the short form that refunds carry."""
    variant = line.variant
    return {
        "id": line.id,
        "title": variant.title,
        "variant_title": variant.variant_title,
        "name": variant.title if variant.variant_title is None else f"{variant.title} - {variant.variant_title}",
        "product_id": variant.product_id,
        "variant_id": variant.id,
        "sku": variant.sku,
        "gift_card": variant.gift_card,
        "quantity": line.quantity,
        "price": money(variant.price),
        "price_set": sets(variant.price),
        "total_discount": money(0),
        "total_discount_set": sets(0),
        "tax_lines": [
            {
                "title": tax.title,
                "rate": tax.rate / 10_000,
                "price": money(tax.cents),
                "price_set": sets(tax.cents),
                "channel_liable": False,
            }
            for tax in line.taxes
        ],
        "discount_allocations": [
            {"amount": money(line.allocated), "amount_set": sets(line.allocated), "discount_application_index": 0}
        ]
        if line.allocated
        else [],
    }
