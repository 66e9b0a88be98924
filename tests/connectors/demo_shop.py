"""The demo's invented shop as an API sees it: each entity as it looks at an instant, in the connectors' record shape."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lotuslake.demo.books import shopify_entities, write_books
from lotuslake.demo.clock import HISTORY_DAYS
from lotuslake.demo.entity import Entity
from lotuslake.demo.model import Order
from lotuslake.demo.money import Json
from lotuslake.demo.shop import _klaviyo

SCALE = 0.05
SEED = 11


@dataclass(frozen=True)
class DemoShop:
    """``first_at`` and ``second_at`` are when the two syncs read; orders are deleted before each of them."""

    entities: Mapping[str, Sequence[Entity]]
    deleted: Mapping[int, datetime]
    orders: Mapping[int, Order]
    first_at: datetime
    second_at: datetime

    @property
    def opened_at(self) -> datetime:
        return self.second_at - timedelta(days=HISTORY_DAYS + 1)

    def shown(self, stream: str, at: datetime) -> list[Json]:
        """Every record that has come to be by then and is not deleted, in order of its last change."""
        living = [
            (max(change for change in entity.changes if change <= at), str(entity.key), entity)
            for entity in self.entities[stream]
            if entity.changes[0] <= at and not (stream == "shopify/orders" and self.is_deleted(int(entity.key), at))
        ]
        return [entity.render(at) for _, _, entity in sorted(living, key=lambda item: item[:2])]

    def is_deleted(self, order_id: int, at: datetime) -> bool:
        deleted_at = self.deleted.get(order_id)
        return deleted_at is not None and deleted_at <= at


def make_demo_shop() -> DemoShop:
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    rng = random.Random(SEED)
    books = write_books(rng, SCALE, now)
    first_at = now - timedelta(hours=20)
    quiet = [order for order in books.orders if order.fulfilled_at and not order.refunds]
    old = [order for order in quiet if order.changes()[-1] < first_at - timedelta(days=30)]
    gone_early, gone_late = rng.sample(old, 2)
    return DemoShop(
        entities=shopify_entities(books) | _klaviyo(rng, books, SCALE, now),
        deleted={gone_early.id: first_at - timedelta(days=2), gone_late.id: now - timedelta(hours=3)},
        orders={order.id: order for order in books.orders},
        first_at=first_at,
        second_at=now,
    )
