"""Money of the invented shop: whole cents inside, Shopify's numbers, strings and money sets outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
JsonView = Mapping[str, Any]

SHOP_CURRENCY = "USD"


def number(cents: int) -> float:
    """Cents as the number that the connector sends where its schema says `number`."""
    return cents / 100


def text(cents: int) -> str:
    """Cents as the string that the connector sends where its schema says `string`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def share(total: int, part: int, whole: int) -> int:
    """``total × part / whole`` in whole cents, rounded half up; 0 when ``whole`` is 0."""
    return (2 * total * part + whole) // (2 * whole) if whole else 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """The buyer's (presentment) currency: how many of its units 10,000 of the shop's units buy."""

    currency: str = SHOP_CURRENCY
    per_10000: int = 10_000

    def convert(self, cents: int) -> int:
        """Shop cents in the buyer's cents."""
        return cents if self.currency == SHOP_CURRENCY else share(cents, self.per_10000, 10_000)

    def numbers(self, cents: int) -> Json:
        """A money set with number amounts."""
        return {
            "shop_money": {"amount": number(cents), "currency_code": SHOP_CURRENCY},
            "presentment_money": {"amount": number(self.convert(cents)), "currency_code": self.currency},
        }

    def texts(self, cents: int) -> Json:
        """A money set with string amounts."""
        return {
            "shop_money": {"amount": text(cents), "currency_code": SHOP_CURRENCY},
            "presentment_money": {"amount": text(self.convert(cents)), "currency_code": self.currency},
        }
