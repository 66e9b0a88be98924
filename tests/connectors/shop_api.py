"""An imitation of a shop's REST Admin API (2026-10) that serves the demo's records, as airbyte-source-shopify asks.

For orders, customers and order_refunds version 4.3.0 of the connector calls REST alone: no bulk operation, no GraphQL.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from lotuslake.demo.clock import shop_time
from tests.connectors.api_imitation import Answer, Asked, Json
from tests.connectors.demo_shop import DemoShop

SHOP = "lotus-and-luna"
HOST = f"{SHOP}.myshopify.com"
VERSION = "2026-10"
LARGEST_PAGE = 60
# All that the connector's streams ask for, so that it offers every one of them.
SCOPES = (
    *("read_content", "read_customers", "read_discounts", "read_draft_orders", "read_inventory", "read_locations"),
    *("read_markets", "read_merchant_managed_fulfillment_orders", "read_online_store_pages", "read_orders"),
    *("read_price_rules", "read_products", "read_publications", "read_shipping", "read_shopify_payments_payouts"),
)
# Fields that the connector adds to a record.
_ADDED = ("shop_url", "deleted_at", "deleted_message", "deleted_description", "customer_id", "customer_email")
_ADDED_TO_ORDERS = ("customer_first_name", "customer_last_name")


class ShopApi:
    """Shows the shop as of ``now``."""

    def __init__(self, shop: DemoShop, password: str) -> None:
        self.shop = shop
        self.now = shop.first_at
        self.problems: list[str] = []
        self.asked: list[Asked] = []
        self._password = password

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if asked.headers.get("x-shopify-access-token") != self._password:
            return Answer({"errors": "[API] Invalid API key or access token"}, 401)
        if asked.host != HOST:
            raise ValueError(f"unknown host {asked.host}")
        if asked.path == "/admin/oauth/access_scopes.json":
            return Answer({"access_scopes": [{"handle": scope} for scope in SCOPES]})
        found = re.fullmatch(rf"/admin/api/{VERSION}/(\w+)\.json", asked.path)
        match found and found[1]:
            case "shop":
                return Answer({"shop": {"id": 70_001, "name": "Lotus & Luna", "myshopify_domain": HOST}})
            case "orders" | "customers" as kind:
                return self._page(asked, kind, self._changed(kind, asked.query))
            case "events":
                return self._page(asked, "events", self._events(asked.query))
        raise ValueError("no such resource")

    def _changed(self, kind: str, query: dict[str, str]) -> list[Json]:
        records = [_as_sent(record) for record in self.shop.shown(f"shopify/{kind}", self.now)]
        since = query.get("updated_at_min")
        return [record for record in records if not since or _instant(record["updated_at"]) >= _instant(since)]

    def _events(self, query: dict[str, str]) -> list[Json]:
        since = query.get("created_at_min")
        return [
            {
                "id": order_id + 9,
                "subject_id": order_id,
                "subject_type": "Order",
                "verb": "destroy",
                "created_at": shop_time(deleted_at),
                "message": f"Lotus deleted order #{self.shop.orders[order_id].number}.",
                "description": "Order deleted.",
            }
            for order_id, deleted_at in self.shop.deleted.items()
            if deleted_at <= self.now and (not since or deleted_at >= _instant(since))
        ]

    def _page(self, asked: Asked, kind: str, records: list[Json]) -> Answer:
        """Pages by `page_info`, which holds all that was asked, so that no filter comes with it."""
        if "page_info" in asked.query:
            first, since = asked.query["page_info"].split("~")
            if set(asked.query) - {"page_info", "limit"}:
                raise ValueError(f"Shopify refuses filters beside page_info: {asked.query}")
            records = self._changed(kind, {"updated_at_min": since} if since else {})
        else:
            first, since = "0", asked.query.get("updated_at_min", "")
            if kind == "orders" and asked.query.get("status") != "any":
                raise ValueError("only open orders are asked for")
        begin, size = int(first), min(int(asked.query.get("limit", "50")), LARGEST_PAGE)
        headers = {"X-Shopify-Shop-Api-Call-Limit": "1/400"}
        if begin + size < len(records):
            query = urlencode({"limit": size, "page_info": f"{begin + size}~{since}"})
            headers["Link"] = f'<https://{HOST}{asked.path}?{query}>; rel="next"'
        return Answer({kind: records[begin : begin + size]}, headers=headers)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.astimezone()


def _as_sent(record: Json) -> Json:
    """The API writes amounts of money as texts; the connector makes numbers of them where its schema says so."""
    added = (*_ADDED, *(_ADDED_TO_ORDERS if "line_items" in record else ()))
    sent = {name: _money_as_text(value) for name, value in record.items() if name not in added}
    assert isinstance(sent, dict)
    return sent


def _money_as_text(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {inner: _money_as_text(item, inner) for inner, item in value.items()}
        case list():
            return [_money_as_text(item) for item in value]
        case float() if name != "rate":
            return f"{value:.2f}"
    return value
