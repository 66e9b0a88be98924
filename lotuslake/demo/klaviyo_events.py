"""Klaviyo's events: orders placed, messages received, opened and clicked, by people and by machines."""

from __future__ import annotations

import bisect
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from lotuslake.demo.clock import utc_time
from lotuslake.demo.entity import Entity
from lotuslake.demo.klaviyo_audience import Message, Profile, new_id
from lotuslake.demo.model import Order
from lotuslake.demo.money import Json, number

_RECIPIENTS_AT_SCALE_1 = 75
_ATTRIBUTION_DAYS = 5


@dataclass(slots=True)
class Happenings:
    """Collects events up to ``now``; chance comes from ``rng``."""

    rng: random.Random
    now: datetime
    metrics: dict[str, str]
    events: list[Entity] = field(default_factory=list)

    def add(self, metric: str, profile: Profile, at: datetime, properties: Json) -> None:
        """One event, unless it has not happened yet."""
        at = at.replace(microsecond=0)
        if at < self.now - timedelta(minutes=30):
            id_ = new_id(self.rng, 11)
            render = partial(_event, id_, self.metrics[metric], profile.id, at, properties)
            self.events.append(Entity(id_, (at,), render))

    def send(self, message: Message, profile: Profile, at: datetime) -> None:
        """A message goes out; machines may open it, bots may click it, people do so now and then."""
        rng = self.rng
        if message.channel == "sms":
            self.add("Received SMS", profile, at, _properties(message))
            if rng.random() < 0.14:
                self.add("Clicked SMS", profile, self._after(at, 6), _properties(message) | {"Bot Click": False})
            return
        self.add("Received Email", profile, at, _properties(message))
        luck = rng.random()
        if luck < 0.16:
            self.open(message, profile, at + timedelta(seconds=rng.randrange(2, 90)), by_machine=True)
        elif luck < 0.42:
            opened_at = self._after(at, 60)
            self.open(message, profile, opened_at)
            if rng.random() < 0.2:
                self.click(message, profile, opened_at + timedelta(seconds=rng.randrange(5, 300)))
        if rng.random() < 0.04:
            self.click(message, profile, at + timedelta(seconds=rng.randrange(1, 20)), by_bot=True)

    def open(self, message: Message, profile: Profile, at: datetime, *, by_machine: bool = False) -> None:
        """An e-mail is opened, or fetched by a mail program on its own."""
        flags = {"machine_open": by_machine, "Apple Privacy Open": by_machine}
        self.add("Opened Email", profile, at, _properties(message) | flags)

    def click(self, message: Message, profile: Profile, at: datetime, *, by_bot: bool = False) -> None:
        """A link is followed, or tried by a scanner."""
        link = {"URL": "https://lotus-and-luna.example/new", "Bot Click": by_bot}
        self.add("Clicked Email", profile, at, _properties(message) | link)

    def _after(self, at: datetime, hours: float) -> datetime:
        return at + timedelta(seconds=round(hours * 3600 * self.rng.random() ** 2) + 60)


def make_events(
    happenings: Happenings,
    orders: list[Order],
    profiles: list[Profile],
    campaigns: list[Message],
    flows: list[Message],
    scale: float,
) -> list[Entity]:
    """Everything that happened, in order of time."""
    by_customer = {profile.customer.id: profile for profile in profiles if profile.customer}
    welcome, thanks = flows[0], flows[1]
    for profile in profiles:
        happenings.add("Subscribed to List", profile, profile.created_at, {"List": "Newsletter"})
        happenings.send(welcome, profile, profile.created_at + timedelta(minutes=5))
    _send_campaigns(happenings, campaigns, profiles, scale)
    sent = [campaign.planned_at for campaign in campaigns]
    for order in orders:
        profile_of_buyer = by_customer.get(order.customer.id) if order.customer and not order.is_test else None
        if profile_of_buyer is None:
            continue
        newest = bisect.bisect_right(sent, order.created_at) - 1
        if newest >= 0 and happenings.rng.random() < 0.35:
            _lead_to_order(happenings, campaigns[newest], profile_of_buyer, order.created_at)
        happenings.add("Placed Order", profile_of_buyer, order.created_at + timedelta(seconds=3), _placed(order))
        if profile_of_buyer.takes_sms and happenings.rng.random() < 0.6:
            happenings.send(thanks, profile_of_buyer, order.created_at + timedelta(hours=2))
    return sorted(happenings.events, key=lambda event: (event.changes[0], str(event.key)))


def _send_campaigns(happenings: Happenings, campaigns: list[Message], profiles: list[Profile], scale: float) -> None:
    """Each campaign reaches a part of those who had subscribed by then."""
    joined = [profile.created_at for profile in profiles]
    for campaign in campaigns:
        audience = profiles[: bisect.bisect_left(joined, campaign.planned_at)]
        if campaign.channel == "sms":
            audience = [profile for profile in audience if profile.takes_sms]
        wanted = max(5, round(_RECIPIENTS_AT_SCALE_1 * scale))
        for profile in happenings.rng.sample(audience, min(wanted, len(audience))):
            happenings.send(campaign, profile, campaign.planned_at + timedelta(seconds=happenings.rng.randrange(600)))


def _lead_to_order(happenings: Happenings, campaign: Message, profile: Profile, ordered_at: datetime) -> None:
    """A campaign is opened and clicked shortly before the order, mostly inside the attribution window."""
    rng = happenings.rng
    if ordered_at - campaign.planned_at > timedelta(days=_ATTRIBUTION_DAYS + 2):
        return
    at = campaign.planned_at + (ordered_at - campaign.planned_at) * rng.uniform(0.1, 0.9)
    if campaign.channel == "sms":
        happenings.add("Clicked SMS", profile, at, _properties(campaign) | {"Bot Click": False})
        return
    happenings.open(campaign, profile, at)
    if rng.random() < 0.6:
        happenings.click(campaign, profile, at + (ordered_at - at) * 0.2)


def _properties(message: Message) -> Json:
    """What a message event says of its sender: campaigns by message id, flows by message id and flow id."""
    if message.is_flow:
        return {"$message": message.message_id, "$flow": message.id, "Subject": message.name}
    return {"$message": message.message_id, "$flow": None, "Campaign Name": message.name, "Subject": message.name[11:]}


def _placed(order: Order) -> Json:
    return {
        "$event_id": str(order.id),
        "$value": number(order.total),
        "OrderId": str(order.id),
        "Items": [line.variant.title for line in order.lines],
        "Discount Codes": [order.discount.code] if order.discount else [],
    }


def _event(id_: str, metric_id: str, profile_id: str, happened_at: datetime, properties: Json, at: datetime) -> Json:
    """A record of stream `events`; it never changes."""
    del at
    happened = utc_time(happened_at)
    return {
        "type": "event",
        "id": id_,
        "datetime": happened,
        "attributes": {
            "timestamp": int(happened_at.timestamp()),
            "datetime": happened,
            "uuid": f"{id_}-uuid",
            "event_properties": properties,
        },
        "links": {"self": f"https://a.klaviyo.com/api/events/{id_}/"},
        "relationships": {
            "profile": {"data": {"type": "profile", "id": profile_id}},
            "metric": {"data": {"type": "metric", "id": metric_id}},
            "attributions": {"data": []},
        },
    }
