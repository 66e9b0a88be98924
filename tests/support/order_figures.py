"""Parts of an order's sales: what it charged, what its refunds paid back, in exact decimals.

The formulas are those of docs/sales-definitions.md. Its one contested point is the sign of a refund discrepancy.
Shopify says that an order adjustment is "the difference between a calculated and actual refund amount"
(shopify.dev, REST `Refund.order_adjustments`, GraphQL `OrderAdjustment`). Read here as calculated minus actual:
positive = less was paid back, so returns shrink; negative = more was paid back, so returns grow. Two records
published elsewhere bear this out: lines of 245.67 + 31.94 tax whose transaction is still pending carry `277.61`;
and an adjustment of `15.00` is undone by one of `-15.00`, reason "Pending refund discrepancy", beside a shipping
refund of `-13.64` and `-1.36` tax.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Json = Mapping[str, Any]

CENT = Decimal("0.01")
NOISE = Decimal("0.02")
ZERO = Decimal(0)


def money(value: Any) -> Decimal:
    """An amount as sent, number or string, as exact cents; nothing is zero."""
    return ZERO if value is None else Decimal(str(value)).quantize(CENT, ROUND_HALF_UP)


def cents(value: Decimal) -> Decimal:
    """Rounded half away from zero to cents."""
    return value.quantize(CENT, ROUND_HALF_UP)


def shop(owner: Json, name: str) -> Decimal:
    """`name` in shop money: from its set, else the plain field."""
    pair = (owner.get(f"{name}_set") or {}).get("shop_money") or {}
    return money(pair.get("amount") if pair.get("amount") is not None else owner.get(name))


def _items(owner: Json, name: str) -> Sequence[Json]:
    return owner.get(name) or []


@dataclass(frozen=True, slots=True)
class Charged:
    """What the order says, before any refund."""

    gross: Decimal
    discounts: Decimal
    gift_cards: Decimal
    shipping: Decimal
    shipping_tax: Decimal
    tax: Decimal
    duties: Decimal
    units: int


def charged_by(order: Json) -> Charged:
    included = bool(order.get("taxes_included"))
    lines = _items(order, "line_items")
    goods = [_line(line, included=included) for line in lines if not line.get("gift_card")]
    gifts = [shop(line, "price") * line["quantity"] - _allocated(line) for line in lines if line.get("gift_card")]
    shipping_tax = shop(order, "total_tax") - sum((_tax(line) for line in lines), ZERO)
    shipping = sum((shop(line, "price") - _allocated(line) for line in _items(order, "shipping_lines")), ZERO)
    duties = order.get("original_total_duties_set")
    return Charged(
        gross=sum((gross for gross, _ in goods), ZERO),
        discounts=sum((discount for _, discount in goods), ZERO),
        gift_cards=sum(gifts, ZERO),
        shipping=shipping - shipping_tax if included else shipping,
        shipping_tax=shipping_tax,
        tax=shop(order, "total_tax"),
        duties=money(json.loads(duties)["shop_money"]["amount"]) if duties else ZERO,
        units=sum(line["quantity"] for line in lines if not line.get("gift_card")),
    )


def _allocated(line: Json) -> Decimal:
    return sum((shop(part, "amount") for part in _items(line, "discount_allocations")), ZERO)


def _tax(line: Json) -> Decimal:
    return sum((shop(tax, "price") for tax in _items(line, "tax_lines")), ZERO)


def _line(line: Json, *, included: bool) -> tuple[Decimal, Decimal]:
    """Gross and discount of a line, both before tax."""
    paid = shop(line, "price") * line["quantity"]
    allocated = _allocated(line)
    if not included:
        return paid, allocated
    rate = sum((Decimal(str(tax.get("rate") or 0)) for tax in _items(line, "tax_lines")), ZERO)
    discount = cents(allocated / (1 + rate))
    return paid - allocated - _tax(line) + discount, discount


@dataclass(frozen=True, slots=True)
class PaidBack:
    """What the refunds say, summed; shipping with its tax."""

    lines: Decimal
    gift_cards: Decimal
    line_tax: Decimal
    discrepancy: Decimal
    duties: Decimal
    shipping: Decimal
    is_converted: bool


def paid_back_on(order: Json, refunds: Sequence[Json]) -> PaidBack:
    parts = [part for refund in refunds for part in _items(refund, "refund_line_items")]
    return PaidBack(
        lines=sum((shop(part, "subtotal") for part in parts if not _is_gift(part)), ZERO),
        gift_cards=sum((shop(part, "subtotal") for part in parts if _is_gift(part)), ZERO),
        line_tax=sum((shop(part, "total_tax") for part in parts), ZERO),
        discrepancy=sum((_discrepancy(refund) for refund in refunds), ZERO),
        duties=sum((shop(refund, "total_duties") for refund in refunds), ZERO),
        shipping=sum((_shipping_back(order, refund) for refund in refunds), ZERO),
        is_converted=any(
            _is_cash(transaction) and _is_foreign(order, transaction)
            for refund in refunds
            for transaction in _items(refund, "transactions")
        ),
    )


def _is_gift(part: Json) -> bool:
    return bool((part.get("line_item") or {}).get("gift_card"))


def _discrepancies(refund: Json) -> Iterator[Decimal]:
    for adjustment in _items(refund, "order_adjustments"):
        if adjustment.get("kind") == "refund_discrepancy":
            yield money(adjustment.get("amount"))


def _discrepancy(refund: Json) -> Decimal:
    return sum(_discrepancies(refund), ZERO)


def _shipping_back(order: Json, refund: Json) -> Decimal:
    """Cash less what the lines and duties account for; nothing when no money was to move."""
    if not _items(refund, "transactions") and not any(True for _ in _discrepancies(refund)):
        return ZERO
    cash = sum((_cash(order, transaction) for transaction in _items(refund, "transactions")), ZERO)
    lines = sum(
        (shop(part, "subtotal") + shop(part, "total_tax") for part in _items(refund, "refund_line_items")), ZERO
    )
    return cash - lines - shop(refund, "total_duties") + _discrepancy(refund)


def _is_cash(transaction: Json) -> bool:
    return transaction.get("kind") == "refund" and transaction.get("status") == "success"


def _is_foreign(order: Json, transaction: Json) -> bool:
    return transaction.get("currency") not in (None, order.get("currency"))


def _cash(order: Json, transaction: Json) -> Decimal:
    if not _is_cash(transaction):
        return ZERO
    amount = money(transaction.get("amount"))
    if not _is_foreign(order, transaction):
        return amount
    paid = money(order["total_price_set"]["presentment_money"]["amount"])
    return cents(amount * shop(order, "total_price") / paid) if paid else amount


def split_shipping(charged: Charged, back: PaidBack) -> tuple[Decimal, Decimal]:
    """Shipping paid back, and its tax; what an exchange rate left over is removed first."""
    whole, paid_back = charged.shipping + charged.shipping_tax, back.shipping
    if back.is_converted and abs(paid_back) <= NOISE:
        paid_back = ZERO
    elif back.is_converted and abs(paid_back - whole) <= NOISE:
        paid_back = whole
    tax = cents(paid_back * charged.shipping_tax / whole) if whole else ZERO
    return paid_back - tax, tax
