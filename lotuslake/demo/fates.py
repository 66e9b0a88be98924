"""What becomes of an order: payment, parcel, cancellation, refunds."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from lotuslake.demo.model import Adjustment, Line, Order, Refund, RefundLine, RefundStatus
from lotuslake.demo.money import share

_FIRST_REFUND_ID = 900_000_000_000
_STATUS_OF: dict[str, RefundStatus] = {"full": "success", "pending": "pending", "failed": "failure"}
_RESTOCK_TYPES = ("return", "return", "no_restock", "cancel")


@dataclass(slots=True)
class Fates:
    """Decides, with chance from ``rng``, what happens to each order up to ``now``."""

    rng: random.Random
    now: datetime
    ids_given: int = 0

    def decide(self, order: Order) -> None:
        """Pay, ship, cancel and refund one order."""
        rng = self.rng
        luck = rng.random()
        if luck < 0.02:
            return  # stays unpaid
        if luck < 0.045:
            self._cancel_unpaid(order)
            return
        slow = rng.random() < 0.04
        order.paid_at = self._later(order.created_at, hours=rng.uniform(10, 90) if slow else 0.02)
        if order.paid_at is None:
            return
        if luck < 0.065:
            self._cancel_paid(order)
            return
        order.fulfilled_at = self._later(order.paid_at, hours=rng.uniform(6, 80))
        if luck < 0.165:
            self._refund_sometime(order)

    def _later(self, at: datetime, *, hours: float) -> datetime | None:
        """That long after ``at`` in whole seconds, unless it has not come yet."""
        moment = at + timedelta(seconds=round(hours * 3600))
        return moment if moment < self.now else None

    def _next_id(self) -> int:
        self.ids_given += 1
        return _FIRST_REFUND_ID + self.ids_given * 128

    def _cancel_unpaid(self, order: Order) -> None:
        """Voided before payment: half of these leave a refund record without money, half leave none."""
        order.cancelled_at = self._later(order.created_at, hours=self.rng.uniform(5, 100))
        if order.cancelled_at is not None and self.rng.random() < 0.5 and not order.shipping_with_tax:
            lines = self._take_back(order, {line.id: line.quantity for line in order.lines}, "cancel")
            self._book(order, order.cancelled_at, lines, shipping=0, cash=None)

    def _cancel_paid(self, order: Order) -> None:
        order.cancelled_at = self._later(order.paid_at or order.created_at, hours=self.rng.uniform(1, 30))
        if order.cancelled_at is not None:
            self.refund_all(order, order.cancelled_at, restock_type="cancel")

    def _refund_sometime(self, order: Order) -> None:
        """A refund days after the parcel; a few come many months later."""
        rng = self.rng
        days = rng.uniform(150, 500) if rng.random() < 0.12 else rng.uniform(3, 40)
        at = self._later(order.fulfilled_at or order.created_at, hours=days * 24)
        if at is None:
            return
        kind = rng.choices(("full", "partial", "shipping", "fee", "goodwill", "pending", "failed"),
                           (26, 40, 7, 10, 9, 5, 3))[0]  # fmt: skip
        if kind in ("full", "pending", "failed"):
            status = _STATUS_OF[kind]
            settles = self._later(at, hours=rng.uniform(30, 120)) if kind == "pending" else None
            self.refund_all(order, at, status=status, settled_at=settles)
        elif kind == "goodwill":
            amount = min(rng.choice((500, 750, 1_000)), order.subtotal)
            self._book(order, at, (), shipping=0, discrepancy=-amount, note="sorry for the delay")
        elif kind == "shipping":
            self._book(order, at, (), shipping=order.shipping_with_tax)
        else:
            self._refund_part(order, at, fee=rng.choice((300, 500)) if kind == "fee" else 0)

    def _refund_part(self, order: Order, at: datetime, *, fee: int) -> None:
        """One line, not always all of it; a fee is kept back. Sometimes the rest follows later."""
        line = self.rng.choice(order.lines)
        quantity = self.rng.randint(1, line.quantity)
        lines = self._take_back(order, {line.id: quantity}, self.rng.choice(_RESTOCK_TYPES))
        worth = sum(part.subtotal for part in lines)
        self._book(order, at, lines, shipping=0, discrepancy=min(fee, worth))
        again = self._later(at, hours=self.rng.uniform(24, 400))
        if again is not None and self.rng.random() < 0.2:
            self.refund_all(order, again)

    def refund_all(
        self,
        order: Order,
        at: datetime,
        *,
        status: RefundStatus = "success",
        settled_at: datetime | None = None,
        restock_type: str = "return",
    ) -> Refund:
        """Give back all that is left: lines, shipping, duties; not the tip."""
        left = {line.id: line.quantity - _returned(order, line) for line in order.lines}
        lines = self._take_back(order, left, restock_type)
        kept_shipping = order.shipping_with_tax - sum(refund.shipping for refund in order.refunds)
        return self._book(
            order, at, lines, shipping=kept_shipping, duties=order.duties, status=status, settled_at=settled_at
        )

    def _take_back(self, order: Order, quantities: dict[int, int], restock_type: str) -> tuple[RefundLine, ...]:
        """Units of lines, worth their part of what was paid; all parts of a line add up to the line."""
        parts = []
        for line in order.lines:
            if quantity := quantities.get(line.id, 0):
                before = _returned(order, line)
                after = before + quantity
                subtotal = share(line.net, after, line.quantity) - share(line.net, before, line.quantity)
                tax = share(line.tax, after, line.quantity) - share(line.tax, before, line.quantity)
                parts.append(RefundLine(self._next_id(), line, quantity, subtotal, tax, restock_type))
        return tuple(parts)

    def _book(  # noqa: PLR0913 - one argument for each part of a refund
        self,
        order: Order,
        at: datetime,
        lines: tuple[RefundLine, ...],
        *,
        shipping: int,
        duties: int = 0,
        discrepancy: int = 0,
        cash: int | None = 0,
        status: RefundStatus = "success",
        settled_at: datetime | None = None,
        note: str | None = None,
    ) -> Refund:
        """Record a refund. Whatever is not paid back (yet) stands as a discrepancy, as Shopify does it."""
        calculated = sum(part.subtotal + part.tax for part in lines) + shipping + duties
        adjustments = []
        if discrepancy:
            adjustments.append(Adjustment(self._next_id(), discrepancy, "Refund discrepancy", at))
        if status != "success":
            adjustments.append(Adjustment(self._next_id(), calculated, "Refund discrepancy", at))
        if settled_at is not None:
            adjustments.append(Adjustment(self._next_id(), -calculated, "Pending refund discrepancy", settled_at))
        refund = Refund(
            id=self._next_id(),
            order_id=order.id,
            created_at=at,
            lines=lines,
            shipping=shipping,
            shipping_tax=share(order.shipping_tax, shipping, order.shipping_with_tax),
            duties=duties,
            adjustments=tuple(adjustments),
            cash=None if cash is None else calculated - discrepancy,
            status=status,
            settled_at=settled_at,
            note=note,
        )
        order.refunds.append(refund)
        return refund


def _returned(order: Order, line: Line) -> int:
    """Units of a line that earlier refunds took back."""
    return sum(part.quantity for refund in order.refunds for part in refund.lines if part.line.id == line.id)
