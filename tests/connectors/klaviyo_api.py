"""An imitation of Klaviyo's API (revision 2024-10-15) that serves the demo's records, as airbyte-source-klaviyo asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from tests.connectors.api_imitation import Answer, Asked, Json
from tests.connectors.demo_shop import DemoShop

HOST = "a.klaviyo.com"
REVISION = "2024-10-15"
# What the API gives at once, lowered so that every stream has a next page.
PAGE_SIZES = {"events": 40, "profiles": 100, "campaigns": 10, "flows": 2, "lists": 2, "metrics": 4}
# Fields that the connector adds to a record, on its top and in its attributes.
_ADDED = ("updated", "updated_at", "datetime")
_TERM = re.compile(r"(greater-than|greater-or-equal|less-or-equal|equals)\(([\w.]+),'?([^()']*)'?\)")
_COMPARE: dict[str, Callable[[datetime, datetime], bool]] = {
    "greater-than": lambda value, bound: value > bound,
    "greater-or-equal": lambda value, bound: value >= bound,
    "less-or-equal": lambda value, bound: value <= bound,
}


class KlaviyoApi:
    """Shows the shop as of ``now``."""

    def __init__(self, shop: DemoShop, api_key: str) -> None:
        self.shop = shop
        self.now = shop.first_at
        self.problems: list[str] = []
        self.asked: list[Asked] = []
        self._api_key = api_key

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if asked.headers.get("authorization") != f"Klaviyo-API-Key {self._api_key}":
            return Answer({"errors": [{"title": "Incorrect authentication credentials."}]}, 401)
        if (asked.host, asked.headers["revision"]) != (HOST, REVISION):
            raise ValueError(f"unknown host or revision: {asked.host} {asked.headers['revision']}")
        kind = re.fullmatch(r"/api/(\w+)/?", asked.path)
        if kind is None or kind[1] not in PAGE_SIZES:
            raise ValueError("no such resource")
        records = self._select(kind[1], asked.query.get("filter", ""))
        first = int(asked.query.get("page[cursor]", "0"))
        size = int(asked.query.get("page[size]", PAGE_SIZES[kind[1]]))
        page = [_as_sent(record) for record in records[first : first + size]]
        more = {**asked.query, "page[cursor]": str(first + size)}
        next_page = f"https://{HOST}{asked.path}?{urlencode(more)}" if first + size < len(records) else None
        return Answer({"data": page, "links": {"self": f"https://{HOST}{asked.path}", "next": next_page, "prev": None}})

    def _select(self, kind: str, filter_: str) -> list[Json]:
        terms = _TERM.findall(filter_)
        rest = _TERM.sub("", filter_).removeprefix("and(").removesuffix(")").strip(",")
        if rest:
            raise ValueError(f"a filter that is not known: {filter_!r}")
        records = self.shop.shown(f"klaviyo/{kind}", self.now)
        return [record for record in records if all(_holds(record, *term) for term in terms)]


def _holds(record: Json, operator: str, field: str, wanted: str) -> bool:
    attributes = record["attributes"]
    if operator == "equals":
        value = attributes["channel"] if field == "messages.channel" else str(attributes[field]).lower()
        return bool(value == wanted)
    return _COMPARE[operator](datetime.fromisoformat(attributes[field]), datetime.fromisoformat(wanted))


def _as_sent(record: Json) -> Json:
    sent = {name: value for name, value in record.items() if name not in _ADDED}
    if record["type"] == "campaign":
        sent["attributes"] = {name: value for name, value in record["attributes"].items() if name != "channel"}
    return sent
