"""What the invented shop sells, to whom, and what tax they pay: plain tables."""

from __future__ import annotations

from dataclasses import dataclass

from lotuslake.demo.money import SHOP_CURRENCY, Exchange

_EUR = Exchange("EUR", 9_217)
_CAD = Exchange("CAD", 13_685)
_USD = Exchange(SHOP_CURRENCY)


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that can be put in the basket; the price is in cents."""

    product_id: int
    id: int
    title: str
    variant_title: str | None
    price: int
    sku: str
    grams: int
    gift_card: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a customer lives. Tax rates are in basis points; included ones are part of the price."""

    city: str
    province_code: str
    province: str
    country_code: str
    country: str
    zip: str
    taxes: tuple[tuple[str, int], ...]
    taxes_included: bool = False
    shipping_taxed: bool = False
    exchange: Exchange = _USD
    weight: int = 1

    @property
    def is_domestic(self) -> bool:
        """Whether parcels stay in the country."""
        return self.country_code == "US"


_PRODUCTS: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("Moonstone Bracelet", 3400, ("6 inch", "7 inch")),
    ("Lotus Mala Necklace", 6800, ("Rosewood", "Lava", "Amethyst")),
    ("Chakra Stone Set", 2950, ()),
    ("Luna Pendant", 4800, ("Silver", "Gold", "Rose gold")),
    ("Healing Crystal Ring", 3900, ("6", "7", "8", "9")),
    ("Tiger Eye Bracelet", 3200, ("6 inch", "7 inch")),
    ("Zodiac Charm", 1850, ("Aries", "Leo", "Libra", "Pisces")),
    ("Meditation Cushion", 5400, ("Sage", "Plum")),
    ("Palo Santo Bundle", 1499, ()),
    ("Turquoise Earrings", 2799, ("Drop", "Stud")),
    ("Sacred Cotton Wrap", 4250, ("Sand", "Indigo")),
    ("Intention Candle", 2299, ("Calm", "Love", "Abundance")),
    ("Evil Eye Anklet", 2100, ()),
    ("Birthstone Necklace", 5595, ("Opal", "Ruby", "Garnet", "Topaz")),
)
_GIFT_CARDS = (2500, 5000, 10000)
_FIRST_PRODUCT_ID = 7_100_000_000_001
_FIRST_VARIANT_ID = 42_000_000_000_001


def _goods() -> tuple[Variant, ...]:
    variants: list[Variant] = []
    for n, (title, price, options) in enumerate(_PRODUCTS):
        for option in options or (None,):
            sku = "LL-" + "".join(word[0] for word in title.split()) + f"{n:02d}-{len(variants):03d}"
            variant_id = _FIRST_VARIANT_ID + len(variants)
            variants.append(Variant(_FIRST_PRODUCT_ID + n, variant_id, title, option, price, sku, 40 + 15 * n))
    return tuple(variants)


GOODS = _goods()
GIFT_CARDS = tuple(
    Variant(
        _FIRST_PRODUCT_ID + len(_PRODUCTS),
        _FIRST_VARIANT_ID + len(GOODS) + n,
        "Lotus & Luna Gift Card",
        f"${cents // 100}",
        cents,
        f"LL-GIFT-{cents // 100}",
        0,
        gift_card=True,
    )
    for n, cents in enumerate(_GIFT_CARDS)
)


# Included rates are chosen so that no price divided by (1 + rate) is exactly half a cent: 20 % would allow it.
PLACES = (
    Place("San Diego", "CA", "California", "US", "United States", "92101", (("CA State Tax", 600), ("County", 175)),
          weight=26),
    Place("Los Angeles", "CA", "California", "US", "United States", "90012", (("CA State Tax", 600), ("County", 350)),
          weight=20),
    Place("New York", "NY", "New York", "US", "United States", "10001", (("NY State Tax", 400), ("NYC Tax", 450)),
          shipping_taxed=True, weight=14),
    Place("Austin", "TX", "Texas", "US", "United States", "78701", (("TX State Tax", 625), ("Austin City Tax", 200)),
          shipping_taxed=True, weight=12),
    Place("Portland", "OR", "Oregon", "US", "United States", "97201", (), weight=8),
    Place("Denver", "CO", "Colorado", "US", "United States", "80202", (("CO State Tax", 290),), weight=6),
    Place("Toronto", "ON", "Ontario", "CA", "Canada", "M5H 2N2", (("HST", 1300),), shipping_taxed=True, exchange=_CAD,
          weight=4),
    Place("Berlin", "BE", "Berlin", "DE", "Germany", "10115", (("DE VAT", 1900),), taxes_included=True,
          shipping_taxed=True, exchange=_EUR, weight=5),
    Place("Amsterdam", "NH", "Noord-Holland", "NL", "Netherlands", "1012", (("NL VAT", 2100),), taxes_included=True,
          shipping_taxed=True, exchange=_EUR, weight=3),
    Place("Dublin", "D", "Dublin", "IE", "Ireland", "D01", (("IE VAT", 2300),), taxes_included=True,
          shipping_taxed=True, exchange=_USD, weight=2),
)  # fmt: skip
PLACE_WEIGHTS = tuple(place.weight for place in PLACES)

FIRST_NAMES = (
    "Ava", "Mia", "Luna", "Chloe", "Zoe", "Ella", "Ivy", "Nora", "Ruby", "Maya", "Isla", "Leah", "Anna", "Sofia",
    "Elena", "Grace", "Hazel", "Willow", "Daisy", "Freya", "Noah", "Leo", "Liam", "Ezra", "Owen", "Kai", "Jonas",
    "Mateo", "José", "Renée",
)  # fmt: skip
LAST_NAMES = (
    "Lopez", "Nguyen", "Smith", "Garcia", "Kim", "Patel", "Brown", "Müller", "Rossi", "Jones", "Silva", "Cohen",
    "Ito", "Khan", "Moore", "Clark", "Young", "Reyes", "Walsh", "de Vries", "O'Neill", "Becker", "Martin", "Flores",
    "Bennett",
)  # fmt: skip
