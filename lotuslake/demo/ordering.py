"""Customers come and buy: makes the shop's orders, priced to the cent."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lotuslake.demo.catalogue import (
    FIRST_NAMES,
    GIFT_CARDS,
    GOODS,
    LAST_NAMES,
    PLACE_WEIGHTS,
    PLACES,
    Place,
    Variant,
)
from lotuslake.demo.model import Customer, Discount, Line, Order, TaxLine
from lotuslake.demo.money import share

_FIRST_CUSTOMER_ID = 6_200_000_000_000
_FIRST_ORDER_ID = 5_300_000_000_000
_FIRST_LINE_ID = 13_400_000_000_000
_FIRST_ORDER_NUMBER = 1001
_NEW_CUSTOMER_SHARE = 0.4
_DOMAINS = ("example.com", "example.org", "example.net")
_CODES = (
    Discount("LUNA10", "percentage", 10),
    Discount("WELCOME15", "percentage", 15),
    Discount("BLOOM7", "fixed_amount", 700),
    Discount("FREESHIP", "shipping", 100),
    Discount("GIFTED", "percentage", 100),
)
_CODE_WEIGHTS = (40, 30, 16, 12, 2)
_FREE_SHIPPING_FROM = 9_000


def _taxed(base: int, place: Place) -> tuple[TaxLine, ...]:
    """Taxes on an amount; an included tax is the part of the amount that is tax."""
    if place.taxes_included:
        return tuple(TaxLine(title, rate, share(base, rate, 10_000 + rate)) for title, rate in place.taxes)
    return tuple(TaxLine(title, rate, share(base, rate, 10_000)) for title, rate in place.taxes)


@dataclass(slots=True)
class Shopfront:
    """Takes one order after the other; all chance comes from ``rng``."""

    rng: random.Random
    customers: list[Customer] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    lines_made: int = 0

    def take_order(self, at: datetime) -> Order:
        """An order placed at ``at``, with the customer it belongs to."""
        rng = self.rng
        customer = self._customer(at)
        place = customer.place if customer else rng.choices(PLACES, PLACE_WEIGHTS)[0]
        discount = rng.choices(_CODES, _CODE_WEIGHTS)[0] if rng.random() < 0.3 else None
        lines = self._lines(place, discount)
        title, shipping = self._shipping(place, sum(line.paid for line in lines), lines)
        free = shipping if discount and discount.kind == "shipping" else 0
        n = len(self.orders)
        order = Order(
            id=_FIRST_ORDER_ID + n * 4_096,
            number=_FIRST_ORDER_NUMBER + n,
            customer=customer,
            email=self._typed_email(customer),
            place=place,
            created_at=at,
            lines=lines,
            discount=discount,
            shipping_title=title,
            shipping=shipping,
            shipping_discount=free,
            shipping_taxes=_taxed(shipping - free, place) if place.shipping_taxed and shipping else (),
            duties=1_250 if place.country_code == "CA" and rng.random() < 0.4 else 0,
            tip=rng.choice((200, 300, 500)) if rng.random() < 0.05 else 0,
            is_test=rng.random() < 0.008,
        )
        self.orders.append(order)
        if customer:
            customer.orders.append(order)
        return order

    def _customer(self, at: datetime) -> Customer | None:
        """Mostly somebody who bought before, else somebody new; now and then a guest."""
        rng = self.rng
        if rng.random() < 0.03:
            return None
        if self.customers and rng.random() > _NEW_CUSTOMER_SHARE:
            recent = self.customers[-600:] if rng.random() < 0.8 else self.customers
            return recent[int(len(recent) * rng.random() ** 1.5)]
        n = len(self.customers)
        first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
        local = f"{first}.{last}{n}".lower().replace("'", "").replace(" ", "")
        local = local.translate(str.maketrans("éü", "eu"))
        customer = Customer(
            id=_FIRST_CUSTOMER_ID + n * 512,
            first_name=first,
            last_name=last,
            email=f"{local}@{rng.choice(_DOMAINS)}",
            place=rng.choices(PLACES, PLACE_WEIGHTS)[0],
            created_at=at - timedelta(minutes=rng.randrange(2, 90)),
            accepts_marketing=rng.random() < 0.7,
        )
        self.customers.append(customer)
        return customer

    def _typed_email(self, customer: Customer | None) -> str:
        """The address as typed at the checkout: sometimes with capitals or a stray blank."""
        if customer is None:
            return f"guest{len(self.orders)}@example.com"
        typing = self.rng.random()
        if typing < 0.03:
            return customer.email.title()
        return f" {customer.email} " if typing < 0.045 else customer.email

    def _lines(self, place: Place, discount: Discount | None) -> tuple[Line, ...]:
        rng = self.rng
        if rng.random() < 0.03:
            basket: list[tuple[Variant, int]] = [(rng.choice(GIFT_CARDS), 1)]
            if rng.random() < 0.5:
                basket.append((rng.choice(GOODS), 1))
        else:
            kinds = rng.choices((1, 2, 3, 4), (48, 30, 15, 7))[0]
            basket = [(variant, rng.choices((1, 2, 3), (82, 14, 4))[0]) for variant in rng.sample(GOODS, kinds)]
        allocations = _allocate(basket, discount)
        lines = []
        for (variant, quantity), allocated in zip(basket, allocations, strict=True):
            base = variant.price * quantity - allocated
            taxes = () if variant.gift_card else _taxed(base, place)
            tax = sum(line.cents for line in taxes)
            self.lines_made += 1
            line_id = _FIRST_LINE_ID + self.lines_made * 64
            lines.append(
                Line(line_id, variant, quantity, allocated, taxes, base - tax if place.taxes_included else base)
            )
        return tuple(lines)

    def _shipping(self, place: Place, basket: int, lines: tuple[Line, ...]) -> tuple[str, int]:
        if all(line.variant.gift_card for line in lines):
            return "No shipping", 0
        if not place.is_domestic:
            return "International", 1_495
        if self.rng.random() < 0.08:
            return "Express", 1_795
        return ("Free standard", 0) if basket >= _FREE_SHIPPING_FROM else ("Standard", 595)


def _allocate(basket: list[tuple[Variant, int]], discount: Discount | None) -> list[int]:
    """What the code takes off each line, in cents; gift cards are never discounted."""
    amounts = [0 if variant.gift_card else variant.price * quantity for variant, quantity in basket]
    if discount is None or discount.kind == "shipping":
        return [0] * len(basket)
    if discount.kind == "percentage":
        return [share(amount, discount.value, 100) for amount in amounts]
    whole = sum(amounts)
    off = min(discount.value, whole)
    shares = [amount * off // whole if whole else 0 for amount in amounts]
    largest = max(range(len(shares)), key=amounts.__getitem__)
    shares[largest] += off - sum(shares)
    return shares
