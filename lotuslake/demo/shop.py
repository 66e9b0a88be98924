"""The invented shop and its two deliveries: a history of two years, then an increment with every awkward case."""

from __future__ import annotations

import gc
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from lotuslake.core.stream import Stream
from lotuslake.demo.books import Books, shopify_entities, write_books
from lotuslake.demo.clock import SHOP_TIMEZONE
from lotuslake.demo.entity import Entity
from lotuslake.demo.klaviyo import METRIC_NAMES, klaviyo_entities
from lotuslake.demo.klaviyo_audience import make_messages, make_profiles, new_id
from lotuslake.demo.klaviyo_events import Happenings, make_events
from lotuslake.demo.landing import Landed, Stamp, Sync, history_syncs, increment_sync, land_changes, late_sync
from lotuslake.demo.oddities import EVENTS, ORDERS, Picks, deletions, late_records, pick, reread, tombstone
from lotuslake.demo.parquet import LandedRecord, to_parquet_bytes

DeliveryName = Literal["history", "increment"]
DELIVERIES: tuple[DeliveryName, DeliveryName] = ("history", "increment")
ROWS_PER_FILE = 1_000


@dataclass(frozen=True, slots=True)
class DemoFile:
    """One data file, ready to be put under the landing root."""

    path: str
    body: bytes
    stream: str
    rows: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """What arrives in the landing root at one time: records by stream id, in the order of their files."""

    name: DeliveryName
    landed: Mapping[str, Sequence[LandedRecord]]


@dataclass(frozen=True, slots=True)
class Shop:
    """All that was generated. ``special_orders`` names the order id of each awkward case."""

    seed: int
    scale: float
    now: datetime
    timezone: str
    syncs: tuple[Delivery, Delivery]
    started_at: Mapping[int, datetime]
    special_orders: Mapping[str, int]

    @property
    def landed(self) -> dict[DeliveryName, Mapping[str, Sequence[LandedRecord]]]:
        """Records by delivery and stream id."""
        return {delivery.name: delivery.landed for delivery in self.syncs}

    def delivered(self, stream_id: str, *names: DeliveryName) -> list[LandedRecord]:
        """All records of a stream in the named deliveries, in both when none is named."""
        return [
            record
            for delivery in self.syncs
            if delivery.name in (names or DELIVERIES)
            for record in delivery.landed.get(stream_id, ())
        ]


def build_shop(seed: int, scale: float, now: datetime) -> Shop:
    """The same shop for the same arguments; ``now`` is an aware instant, ``scale`` 1 gives about 3,000 orders."""
    if now.tzinfo is None:
        raise ValueError("now must be an aware instant")
    if not scale > 0:
        raise ValueError("scale must be greater than 0")
    with _without_collector():
        return _build(seed, scale, now.astimezone(UTC).replace(microsecond=0))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Half of the time would go into the cyclic collector, walking a million dicts that all stay."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _build(seed: int, scale: float, now: datetime) -> Shop:
    rng = random.Random(seed)  # noqa: S311 - an invented shop, no secret
    books = write_books(rng, scale, now)
    picks = pick(rng, books.orders, now)
    entities = shopify_entities(books) | _klaviyo(rng, books, scale, now)
    stamp = Stamp(rng)
    past = history_syncs(now)
    newest = increment_sync(now, past)
    late = late_sync(picks.late_at, past)
    history = _history(entities, picks, past, stamp)
    not_reread = {refund.id for refund in books.settling_refund.refunds}
    increment = _increment(entities, picks, not_reread, (past[-1], late, newest), stamp)
    increment[ORDERS] += deletions(picks, late, newest, stamp, now)
    return Shop(
        seed=seed,
        scale=scale,
        now=now,
        timezone=SHOP_TIMEZONE,
        syncs=(Delivery("history", history), Delivery("increment", increment)),
        started_at={sync.id: sync.started_at for sync in [*past, late, newest]},
        special_orders=_special_orders(picks, books),
    )


def _klaviyo(rng: random.Random, books: Books, scale: float, now: datetime) -> dict[str, list[Entity]]:
    metrics = {name: new_id(rng, 6) for name in METRIC_NAMES}
    campaigns, flows = make_messages(rng, now)
    profiles = make_profiles(rng, books.customers, now)
    events = make_events(Happenings(rng, now, metrics), books.orders, profiles, campaigns, flows, scale)
    return klaviyo_entities(metrics, campaigns, flows, profiles, now) | {EVENTS: events}


def _withheld_event(entities: dict[str, list[Entity]], picks: Picks) -> Entity:
    """The last event before the late sync: it, too, comes with the late file only."""
    return max(
        (event for event in entities[EVENTS] if event.changes[0] <= picks.late_at), key=lambda event: event.changes[0]
    )


def _history(entities: dict[str, list[Entity]], picks: Picks, syncs: list[Sync], stamp: Stamp) -> Landed:
    withheld = {picks.withheld.id, _withheld_event(entities, picks).key}
    landed = {
        stream: land_changes([entity for entity in found if entity.key not in withheld], syncs, stamp, None)
        for stream, found in entities.items()
    }
    deleted = picks.deleted_in_history
    deleted_at = deleted.changes()[-1] + timedelta(days=30)
    sync = next(sync for sync in syncs if sync.started_at >= deleted_at)
    landed[ORDERS].append(stamp.land(sync, tombstone(deleted, deleted_at)))
    return landed


def _increment(
    entities: dict[str, list[Entity]],
    picks: Picks,
    not_reread: set[int],
    syncs: tuple[Sync, Sync, Sync],
    stamp: Stamp,
) -> Landed:
    """``syncs``: the last one of the history, the late one, the newest one."""
    last, late, newest = syncs
    skip = {picks.deleted_in_history.id, *not_reread}
    landed: Landed = {}
    for stream, found in entities.items():
        records = reread(found, skip, last, newest, stamp)
        records += land_changes(found, [newest], stamp, last.started_at)
        if stream in (ORDERS, EVENTS):
            records += late_records(found, late, stamp)
        landed[stream] = records
    return landed


def _special_orders(picks: Picks, books: Books) -> dict[str, int]:
    return {
        "withheld": picks.withheld.id,
        "deleted_in_history": picks.deleted_in_history.id,
        "deleted": picks.deleted.id,
        "deleted_then_reread": picks.deleted_then_reread.id,
        "reborn": picks.reborn.id,
        "old_refund": books.old_refund.id,
        "settling_refund": books.settling_refund.id,
    }


def write_files(shop: Shop, streams: Sequence[Stream], delivery: DeliveryName) -> Iterator[DemoFile]:
    """The data files of a delivery, stream by stream and day by day; streams that the shop lacks give none."""
    for stream in streams:
        by_sync: dict[int, list[LandedRecord]] = defaultdict(list)
        for record in shop.landed[delivery].get(stream.id, ()):
            by_sync[record.sync_id].append(record)
        for sync_id in sorted(by_sync):
            yield from _sync_files(stream, sync_id, shop.started_at[sync_id], by_sync[sync_id])


def _sync_files(
    stream: Stream, sync_id: int, started_at: datetime, records: Sequence[LandedRecord]
) -> Iterator[DemoFile]:
    folder = f"{stream.landing_path.strip('/')}/year={started_at:%Y}/month={started_at:%m}/day={started_at:%d}"
    for part, first in enumerate(range(0, len(records), ROWS_PER_FILE)):
        rows = records[first : first + ROWS_PER_FILE]
        path = f"{folder}/{sync_id}_{part}.parquet"
        yield DemoFile(path, to_parquet_bytes(stream, rows), stream.id, len(rows))
