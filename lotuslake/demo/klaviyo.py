"""Klaviyo's metrics, lists, flows, campaigns and profiles as the connector's records."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from lotuslake.demo.clock import utc_time
from lotuslake.demo.entity import Entity
from lotuslake.demo.klaviyo_audience import FLOW_NAMES, Message, Profile, start_of
from lotuslake.demo.money import Json

_API = "https://a.klaviyo.com/api"
METRIC_NAMES = (
    "Placed Order",
    "Received Email",
    "Opened Email",
    "Clicked Email",
    "Received SMS",
    "Clicked SMS",
    "Subscribed to List",
)


def klaviyo_entities(
    metrics: dict[str, str], campaigns: list[Message], flows: list[Message], profiles: list[Profile], now: datetime
) -> dict[str, list[Entity]]:
    """What the Klaviyo streams show, events apart."""
    start = start_of(now)
    flow_changes = (start + timedelta(hours=3), start + timedelta(days=200), now - timedelta(days=45))
    lists = (("NEWS01", "Newsletter"), ("SMS001", "SMS subscribers"), ("VIP001", "VIP"))
    list_changes = tuple(start + timedelta(hours=2, days=91 * n) for n in range(8))
    return {
        "klaviyo/metrics": [
            Entity(id_, (start + timedelta(hours=1),), partial(_metric, id_, name, start))
            for name, id_ in metrics.items()
        ],
        "klaviyo/lists": [Entity(id_, list_changes, partial(_list, id_, name, list_changes)) for id_, name in lists],
        "klaviyo/flows": [
            Entity(flow.id, flow_changes, partial(_flow, flow, trigger, flow_changes))
            for flow, (_, trigger) in zip(flows, FLOW_NAMES, strict=True)
        ],
        "klaviyo/campaigns": [
            Entity(campaign.id, _campaign_changes(campaign), partial(_campaign, campaign)) for campaign in campaigns
        ],
        "klaviyo/profiles": [Entity(profile.id, profile.changes(), partial(_profile, profile)) for profile in profiles],
    }


def _last(changes: tuple[datetime, ...], at: datetime) -> str:
    return utc_time(max(moment for moment in changes if moment <= at))


def _links(kind: str, id_: str) -> Json:
    return {"self": f"{_API}/{kind}/{id_}/"}


def _metric(id_: str, name: str, start: datetime, at: datetime) -> Json:
    del at
    seen = utc_time(start + timedelta(hours=1))
    integration = {"object": "integration", "name": "Shopify" if name == "Placed Order" else "Klaviyo"}
    return {
        "type": "metric",
        "id": id_,
        "updated": seen,
        "attributes": {"name": name, "created": seen, "updated": seen, "integration": integration},
        "links": _links("metrics", id_),
        "relationships": {"flow-triggers": {"data": None, "links": _links("metrics", id_)}},
    }


def _list(id_: str, name: str, changes: tuple[datetime, ...], at: datetime) -> Json:
    updated = _last(changes, at)
    opt_in = "double_opt_in" if name == "Newsletter" else "single_opt_in"
    return {
        "type": "list",
        "id": id_,
        "updated": updated,
        "attributes": {"name": name, "created": utc_time(changes[0]), "updated": updated, "opt_in_process": opt_in},
        "links": _links("lists", id_),
    }


def _flow(flow: Message, trigger: str, changes: tuple[datetime, ...], at: datetime) -> Json:
    updated = _last(changes, at)
    return {
        "type": "flow",
        "id": flow.id,
        "updated": updated,
        "attributes": {
            "name": flow.name,
            "status": "live",
            "archived": False,
            "created": utc_time(changes[0]),
            "updated": updated,
            "trigger_type": trigger,
        },
        "links": _links("flows", flow.id),
        "relationships": {"flow-actions": {"data": [{"type": "flow-action", "id": flow.message_id}]}},
    }


def _campaign_changes(campaign: Message) -> tuple[datetime, ...]:
    sent_at = campaign.planned_at
    return (sent_at - timedelta(days=2), sent_at + timedelta(minutes=20))


def _campaign(campaign: Message, at: datetime) -> Json:
    changes = _campaign_changes(campaign)
    is_sent = changes[1] <= at
    sent_at = utc_time(changes[1] - timedelta(minutes=20))
    updated = _last(changes, at)
    return {
        "type": "campaign",
        "id": campaign.id,
        "updated_at": updated,
        "attributes": {
            "name": campaign.name,
            "status": "Sent" if is_sent else "Scheduled",
            "archived": False,
            "channel": campaign.channel,
            "audiences": {"included": ["SMS001" if campaign.channel == "sms" else "NEWS01"], "excluded": []},
            "message": campaign.message_id,
            "created_at": utc_time(changes[0]),
            "scheduled_at": utc_time(changes[0]),
            "updated_at": updated,
            "send_time": sent_at,
        },
        "links": _links("campaigns", campaign.id),
        "relationships": {"campaign-messages": {"data": [{"type": "campaign-message", "id": campaign.message_id}]}},
    }


def _profile(profile: Profile, at: datetime) -> Json:
    updated = _last(profile.changes(), at)
    place = profile.customer.place if profile.customer else None
    created = utc_time(profile.created_at)
    location = {"city": place.city, "country": place.country, "zip": place.zip} if place else None
    email = {"can_receive_email_marketing": True, "consent": "SUBSCRIBED", "consent_timestamp": created}
    sms = {"can_receive_sms_marketing": profile.takes_sms, "consent": "SUBSCRIBED" if profile.takes_sms else "NEVER"}
    return {
        "type": "profile",
        "id": profile.id,
        "updated": updated,
        "attributes": {
            "email": profile.email,
            "first_name": profile.first_name,
            "created": created,
            "updated": updated,
            "last_event_date": updated,
            "location": location,
            "properties": {"$consent": ["email"]},
            "subscriptions": {"email": {"marketing": email}, "sms": {"marketing": sms}},
        },
        "links": _links("profiles", profile.id),
    }
