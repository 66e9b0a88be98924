"""The special cases of the increment: re-read records, a late file, deleted orders."""

from __future__ import annotations

import random
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from lotuslake.demo.clock import shop_time
from lotuslake.demo.entity import Entity
from lotuslake.demo.landing import Stamp, Sync
from lotuslake.demo.model import Order
from lotuslake.demo.money import Json
from lotuslake.demo.order_records import order_record
from lotuslake.demo.parquet import LandedRecord
from lotuslake.demo.refund_records import SHOP_URL

ORDERS = "shopify/orders"
EVENTS = "klaviyo/events"
_LATE_WINDOW = timedelta(days=5)
_REREAD = 5


@dataclass(frozen=True, slots=True)
class Picks:
    """Orders chosen for the special cases; none of them has a refund.

    ``withheld`` first lands with the late file. ``deleted_in_history`` and ``deleted`` get a tombstone. That of
    ``deleted_then_reread`` was extracted after the full record behind it in the same file: it stays deleted.
    ``reborn`` has its tombstone in the late file, and a full record in the newest sync: it is not deleted.
    """

    withheld: Order
    deleted_in_history: Order
    deleted: Order
    deleted_then_reread: Order
    reborn: Order

    @property
    def late_at(self) -> datetime:
        """Start of the sync whose file comes late: just after the withheld order's last change."""
        return self.withheld.changes()[-1] + timedelta(hours=1)


def pick(rng: random.Random, orders: list[Order], now: datetime) -> Picks:
    """Choose five different orders; the shop is always large enough for that."""
    quiet = [order for order in orders if order.fulfilled_at and not order.refunds and not order.is_test]
    in_window = [order for order in quiet if timedelta(days=25) < now - order.changes()[-1] < timedelta(days=75)]
    withheld = rng.choice(in_window)
    long_ago = [order for order in quiet if now - order.changes()[-1] > timedelta(days=120) and order is not withheld]
    first, second, third, fourth = rng.sample(long_ago, 4)
    return Picks(withheld, first, second, third, fourth)


def tombstone(order: Order, deleted_at: datetime) -> Json:
    """What the connector sends for a deleted order: no `updated_at`, nothing of the order."""
    return {
        "id": order.id,
        "deleted_at": shop_time(deleted_at),
        "deleted_message": f"Lotus deleted order #{order.number}.",
        "deleted_description": "Order deleted.",
        "shop_url": SHOP_URL,
    }


def reread(
    entities: list[Entity], skip: AbstractSet[int | str], last: Sync, newest: Sync, stamp: Stamp
) -> list[LandedRecord]:
    """What the last history sync had reached, once more under new raw ids: cursor windows are inclusive."""
    unchanged = [entity for entity in entities if entity.changes[-1] <= last.started_at and entity.key not in skip]
    unchanged.sort(key=lambda entity: (entity.changes[-1], str(entity.key)))
    return [stamp.land(newest, entity.render(newest.started_at)) for entity in unchanged[-_REREAD:]]


def late_records(entities: list[Entity], sync: Sync, stamp: Stamp) -> list[LandedRecord]:
    """What a sync of that old day read: the versions of then, long overtaken for some."""
    seen = []
    for entity in entities:
        past = [change for change in entity.changes if change <= sync.started_at]
        if past and past[-1] > sync.started_at - _LATE_WINDOW:
            seen.append((past[-1], str(entity.key), entity))
    seen.sort(key=lambda version: version[:2])
    return [stamp.land(sync, entity.render(sync.started_at)) for _, _, entity in seen]


def deletions(picks: Picks, late: Sync, newest: Sync, stamp: Stamp, now: datetime) -> list[LandedRecord]:
    """Tombstones and full re-reads, in orders that tempt a careless merge."""
    gone_at = now - timedelta(hours=6)
    reborn = stamp.land(late, tombstone(picks.reborn, late.started_at - timedelta(hours=2)))
    full = stamp.land(newest, order_record(picks.deleted_then_reread, newest.started_at))
    after = stamp.land(newest, tombstone(picks.deleted_then_reread, gone_at))
    gone = stamp.land(newest, tombstone(picks.deleted, gone_at))
    again = stamp.land(newest, order_record(picks.reborn, newest.started_at))
    return [reborn, after, full, gone, again]
