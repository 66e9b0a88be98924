"""The whole story of the shop up to `now`: who came, what they bought, what became of it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from lotuslake.demo.clock import buying_moments
from lotuslake.demo.customer_records import customer_changes, customer_record
from lotuslake.demo.entity import Entity
from lotuslake.demo.fates import Fates
from lotuslake.demo.model import Customer, Order
from lotuslake.demo.order_records import order_record
from lotuslake.demo.ordering import Shopfront
from lotuslake.demo.refund_records import stream_record

ORDERS_AT_SCALE_1 = 3_000
FEWEST_ORDERS = 150
_OLD = timedelta(days=300)


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that happened, and the orders picked for the special cases of the increment."""

    customers: list[Customer]
    orders: list[Order]
    old_refund: Order
    settling_refund: Order


def write_books(rng: random.Random, scale: float, now: datetime) -> Books:
    """Two years of trade ending at ``now``."""
    front = Shopfront(rng)
    fates = Fates(rng, now)
    for at in buying_moments(rng, now, max(FEWEST_ORDERS, round(ORDERS_AT_SCALE_1 * scale))):
        fates.decide(front.take_order(at))
    old, settling = _unrefunded(rng, front.orders, now)
    fates.refund_all(old, now - timedelta(hours=8))
    fates.refund_all(
        settling, now - timedelta(days=3), status="pending", settled_at=now - timedelta(hours=6)
    )  # fmt: skip
    return Books(front.customers, front.orders, old, settling)


def _unrefunded(rng: random.Random, orders: list[Order], now: datetime) -> tuple[Order, Order]:
    """A paid order from long ago and a fairly new one, both shipped and never refunded."""
    clean = [order for order in orders if order.fulfilled_at and not order.refunds and not order.is_test]
    old = [order for order in clean if now - 2 * _OLD < order.created_at < now - _OLD and order.total]
    new = [
        order
        for order in clean
        if now - timedelta(days=90) < order.created_at < now - timedelta(days=10) and order.total
    ]
    return rng.choice(old), rng.choice(new)


def shopify_entities(books: Books) -> dict[str, list[Entity]]:
    """What the three Shopify streams show."""
    refunds = [
        Entity(refund.id, (refund.created_at,), partial(stream_record, order, refund))
        for order in books.orders
        for refund in order.refunds
    ]
    return {
        "shopify/orders": [
            Entity(order.id, tuple(order.changes()), partial(order_record, order)) for order in books.orders
        ],
        "shopify/customers": [
            Entity(customer.id, tuple(customer_changes(customer)), partial(customer_record, customer))
            for customer in books.customers
        ],
        "shopify/order_refunds": refunds,
    }
