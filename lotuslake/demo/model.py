"""The invented shop's own books: customers, orders and refunds in whole cents, before any API shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from lotuslake.demo.catalogue import Place, Variant

RefundStatus = Literal["success", "pending", "failure"]


@dataclass(slots=True)
class Customer:
    """Somebody with an account; ``orders`` fills up in order of time."""

    id: int
    first_name: str
    last_name: str
    email: str
    place: Place
    created_at: datetime
    accepts_marketing: bool
    orders: list[Order] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One tax on one line; the rate is in basis points."""

    title: str
    rate: int
    cents: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order. ``net`` is what was paid for it before tax and after discounts."""

    id: int
    variant: Variant
    quantity: int
    allocated: int
    taxes: tuple[TaxLine, ...]
    net: int

    @property
    def paid(self) -> int:
        """Price times quantity."""
        return self.variant.price * self.quantity

    @property
    def tax(self) -> int:
        """All taxes on the line."""
        return sum(tax.cents for tax in self.taxes)


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount code: percent off, cents off, or free shipping."""

    code: str
    kind: Literal["percentage", "fixed_amount", "shipping"]
    value: int


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Units of an order's line taken back, before tax."""

    id: int
    line: Line
    quantity: int
    subtotal: int
    tax: int
    restock_type: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A refund discrepancy: calculated minus actual refund, known from ``created_at`` on."""

    id: int
    cents: int
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund. ``shipping`` is with its tax; ``cash`` is what its transaction says, None without a transaction."""

    id: int
    order_id: int
    created_at: datetime
    lines: tuple[RefundLine, ...]
    shipping: int
    shipping_tax: int
    duties: int
    adjustments: tuple[Adjustment, ...]
    cash: int | None
    status: RefundStatus = "success"
    settled_at: datetime | None = None
    note: str | None = None

    def status_at(self, at: datetime) -> RefundStatus:
        """The transaction's status as seen at an instant."""
        return "success" if self.settled_at is not None and self.settled_at <= at else self.status

    def cash_at(self, at: datetime) -> int:
        """What has really been paid back."""
        return (self.cash or 0) if self.status_at(at) == "success" else 0


@dataclass(slots=True)
class Order:
    """One order with everything that will happen to it."""

    id: int
    number: int
    customer: Customer | None
    email: str
    place: Place
    created_at: datetime
    lines: tuple[Line, ...]
    discount: Discount | None
    shipping_title: str
    shipping: int
    shipping_discount: int
    shipping_taxes: tuple[TaxLine, ...]
    duties: int
    tip: int
    is_test: bool
    paid_at: datetime | None = None
    fulfilled_at: datetime | None = None
    cancelled_at: datetime | None = None
    refunds: list[Refund] = field(default_factory=list)

    @property
    def shipping_paid(self) -> int:
        """Shipping after its discount, with tax where prices include it."""
        return self.shipping - self.shipping_discount

    @property
    def shipping_tax(self) -> int:
        """Tax on shipping."""
        return sum(tax.cents for tax in self.shipping_taxes)

    @property
    def tax(self) -> int:
        """All taxes of the order."""
        return sum(line.tax for line in self.lines) + self.shipping_tax

    @property
    def subtotal(self) -> int:
        """Lines after discounts, with tax where prices include it."""
        return sum(line.paid - line.allocated for line in self.lines)

    @property
    def total(self) -> int:
        """What the buyer is asked to pay."""
        tax = 0 if self.place.taxes_included else self.tax
        return self.subtotal + self.shipping_paid + tax + self.duties + self.tip

    @property
    def shipping_with_tax(self) -> int:
        """The most that can be refunded for shipping."""
        return self.shipping_paid + (0 if self.place.taxes_included else self.shipping_tax)

    def changes(self) -> list[datetime]:
        """Every instant at which Shopify moves `updated_at`."""
        moments = [self.created_at, self.paid_at, self.fulfilled_at, self.cancelled_at]
        for refund in self.refunds:
            moments += [refund.created_at, refund.settled_at]
        return sorted({moment for moment in moments if moment is not None})
