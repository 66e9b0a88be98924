"""The oracle: what the lake must show, worked out from the landed records in plain Python, without SQL.

Sales follow docs/sales-definitions.md word for word; `order_figures.py` holds their parts and the reading of a refund
discrepancy's sign.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from tests.support.order_figures import ZERO, Json, charged_by, money, paid_back_on, split_shipping

Key = int | str


class Landed(Protocol):
    """What the oracle reads of a landed record; `lotuslake.demo.LandedRecord` is one."""

    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def extracted_at(self) -> datetime: ...
    @property
    def raw_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Current:
    """The current row of a key: its newest full record (its tombstone when there is none), and whether it is gone."""

    data: Json
    extracted_at: datetime
    raw_id: str
    is_deleted: bool


Version = tuple[datetime, bool, Any, str]


def newest_versions(
    records: Iterable[Landed], cursor_field: str, tombstone_field: str | None = None, key_field: str = "id"
) -> dict[Key, Current]:
    """The current row of each key, promise 4 of DESIGN.md.

    A version is (extracted_at, cursor, raw_id), nulls first. A tombstone marks the row deleted and keeps what was
    known; a full record newer than the newest tombstone brings it back.
    """
    full: dict[Key, tuple[Version, Landed]] = {}
    gone: dict[Key, tuple[Version, Landed]] = {}
    for record in records:
        is_tombstone = tombstone_field is not None and record.data.get(tombstone_field) is not None
        kept = gone if is_tombstone else full
        version = _version(record, cursor_field)
        key = record.data[key_field]
        if key not in kept or kept[key][0] <= version:
            kept[key] = (version, record)
    current = {}
    for key in full.keys() | gone.keys():
        shown = full.get(key) or gone[key]
        is_deleted = key in gone and (key not in full or gone[key][0] > full[key][0])
        current[key] = Current(shown[1].data, shown[1].extracted_at, shown[1].raw_id, is_deleted)
    return current


def _version(record: Landed, cursor_field: str) -> Version:
    cursor = instant(record.data.get(cursor_field))
    return (record.extracted_at, cursor is not None, cursor or datetime.min.replace(tzinfo=UTC), record.raw_id)


def instant(text: str | None) -> datetime | None:
    """An ISO date-time as an aware instant; without an offset it is UTC."""
    if text is None:
        return None
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed


@dataclass(frozen=True, slots=True)
class Sales:
    """One row of `enriched.fct_sales`."""

    order_id: int
    order_name: str | None
    sale_date: date
    processed_at: datetime
    customer_id: int | None
    email: str | None
    currency: str | None
    financial_status: str | None
    is_cancelled: bool
    gross_sales: Decimal
    discounts: Decimal
    returns: Decimal
    net_sales: Decimal
    shipping: Decimal
    taxes: Decimal
    duties: Decimal
    total_sales: Decimal
    tips: Decimal
    gift_cards_sold: Decimal
    units: int
    refunded_shipping: Decimal
    is_first_order: bool | None


def expected_sales(orders: Mapping[Key, Current], refunds: Mapping[Key, Current], timezone: str) -> dict[int, Sales]:
    """Rows of `fct_sales` by order id, from the current rows of `orders` and `order_refunds`."""
    by_order = _refunds_by_order(orders, refunds)
    counted = {
        row.data["id"]: row.data
        for row in orders.values()
        if not row.is_deleted and not (row.data.get("test") or False)
    }
    firsts = _first_orders(counted.values())
    return {
        order_id: _row(order, by_order.get(order_id, []), ZoneInfo(timezone), firsts)
        for order_id, order in counted.items()
    }


def _refunds_by_order(orders: Mapping[Key, Current], refunds: Mapping[Key, Current]) -> dict[int, list[Json]]:
    """Each refund once: of its two sightings the one extracted later, the order's own on a tie."""
    seen: dict[int, tuple[datetime, int, int, Json]] = {}
    for row in refunds.values():
        if not row.is_deleted:
            seen[row.data["id"]] = (row.extracted_at, 0, row.data["order_id"], row.data)
    for row in orders.values():
        for refund in row.data.get("refunds") or []:
            known = seen.get(refund["id"])
            if known is None or known[:2] <= (row.extracted_at, 1):
                seen[refund["id"]] = (row.extracted_at, 1, row.data["id"], refund)
    by_order: dict[int, list[Json]] = defaultdict(list)
    for _, _, order_id, refund in seen.values():
        by_order[order_id].append(refund)
    return by_order


def _first_orders(orders: Iterable[Json]) -> set[int]:
    """Order ids that are the first of their customer."""
    first: dict[int, tuple[datetime, int]] = {}
    for order in orders:
        customer_id = _customer_id(order)
        at = instant(order["processed_at"])
        assert at is not None
        if customer_id is not None:
            first[customer_id] = min(first.get(customer_id, (at, order["id"])), (at, order["id"]))
    return {order_id for _, order_id in first.values()}


def _customer_id(order: Json) -> int | None:
    return (order.get("customer") or {}).get("id")


def _row(order: Json, refunds: Sequence[Json], zone: ZoneInfo, firsts: set[int]) -> Sales:
    charged, back = charged_by(order), paid_back_on(order, refunds)
    is_reversed = order.get("cancelled_at") is not None and not refunds
    shipping_back, shipping_tax_back = split_shipping(charged, back)
    if is_reversed:
        shipping_back = charged.shipping
    returns = charged.gross - charged.discounts if is_reversed else back.lines - back.discrepancy
    net = charged.gross - charged.discounts - returns
    shipping = charged.shipping - shipping_back
    taxes = ZERO if is_reversed else charged.tax - back.line_tax - shipping_tax_back
    duties = ZERO if is_reversed else charged.duties - back.duties
    processed_at = instant(order["processed_at"])
    assert processed_at is not None
    return Sales(
        order_id=order["id"],
        order_name=order.get("name"),
        sale_date=processed_at.astimezone(zone).date(),
        processed_at=processed_at,
        customer_id=_customer_id(order),
        email=(order.get("email") or "").strip().lower() or None,
        currency=order.get("currency"),
        financial_status=order.get("financial_status"),
        is_cancelled=order.get("cancelled_at") is not None,
        gross_sales=charged.gross,
        discounts=charged.discounts,
        returns=returns,
        net_sales=net,
        shipping=shipping,
        taxes=taxes,
        duties=duties,
        total_sales=net + shipping + taxes + duties,
        tips=money(order.get("total_tip_received")),
        gift_cards_sold=ZERO if is_reversed else charged.gift_cards - back.gift_cards,
        units=charged.units,
        refunded_shipping=shipping_back,
        is_first_order=None if _customer_id(order) is None else order["id"] in firsts,
    )
