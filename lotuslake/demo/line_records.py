"""Lines of an order as the Shopify connector's records: goods, shipping and their taxes."""

from __future__ import annotations

from datetime import datetime

from lotuslake.demo.model import Line, Order, TaxLine
from lotuslake.demo.money import Exchange, Json, number, text


def _allocations(cents: int, exchange: Exchange) -> list[Json]:
    if not cents:
        return []
    return [{"amount": text(cents), "amount_set": exchange.texts(cents), "discount_application_index": 0}]


def _tax_line(tax: TaxLine, exchange: Exchange) -> Json:
    return {
        "title": tax.title,
        "rate": tax.rate / 10_000,
        "price": number(tax.cents),
        "price_set": exchange.numbers(tax.cents),
        "channel_liable": False,
    }


def _shipping_tax_line(tax: TaxLine, exchange: Exchange) -> Json:
    """The connector's schema leaves these untyped, so that money stays the text that the API sends."""
    return _tax_line(tax, exchange) | {"price": text(tax.cents), "price_set": exchange.texts(tax.cents)}


def order_taxes(order: Order) -> list[Json]:
    """Taxes of lines and shipping together, one entry for each tax."""
    sums: dict[tuple[str, int], int] = {}
    for tax in [*(tax for line in order.lines for tax in line.taxes), *order.shipping_taxes]:
        sums[tax.title, tax.rate] = sums.get((tax.title, tax.rate), 0) + tax.cents
    return [_tax_line(TaxLine(title, rate, cents), order.place.exchange) for (title, rate), cents in sums.items()]


def line_item(order: Order, line: Line, at: datetime) -> Json:
    """An item of `line_items`."""
    variant, exchange = line.variant, order.place.exchange
    is_fulfilled = order.fulfilled_at is not None and order.fulfilled_at <= at
    return {
        "id": line.id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}",
        "title": variant.title,
        "variant_title": variant.variant_title,
        "name": variant.title if variant.variant_title is None else f"{variant.title} - {variant.variant_title}",
        "product_id": variant.product_id,
        "variant_id": variant.id,
        "sku": variant.sku,
        "vendor": "Lotus & Luna",
        "gift_card": variant.gift_card,
        "grams": variant.grams,
        "quantity": line.quantity,
        "fulfillable_quantity": 0 if is_fulfilled else line.quantity,
        "fulfillment_service": "gift_card" if variant.gift_card else "manual",
        "fulfillment_status": "fulfilled" if is_fulfilled else None,
        "price": number(variant.price),
        "price_set": exchange.numbers(variant.price),
        "pre_tax_price": number(line.net),
        "pre_tax_price_set": exchange.numbers(line.net),
        "product_exists": True,
        "properties": [],
        "requires_shipping": not variant.gift_card,
        "taxable": not variant.gift_card,
        "total_discount": 0.0,
        "total_discount_set": exchange.numbers(0),
        "tax_lines": [_tax_line(tax, exchange) for tax in line.taxes],
        "discount_allocations": _allocations(line.allocated, exchange),
        "duties": [],
    }


def shipping_lines(order: Order) -> list[Json]:
    """The items of `shipping_lines`: one, or none for what needs no parcel."""
    if order.shipping_title == "No shipping":
        return []
    exchange = order.place.exchange
    return [
        {
            "id": order.id + 2,
            "title": order.shipping_title,
            "code": order.shipping_title,
            "source": "shopify",
            "price": number(order.shipping),
            "price_set": exchange.numbers(order.shipping),
            "discounted_price": number(order.shipping),
            "discounted_price_set": exchange.numbers(order.shipping),
            "tax_lines": [_shipping_tax_line(tax, exchange) for tax in order.shipping_taxes],
            "discount_allocations": _allocations(order.shipping_discount, exchange),
        }
    ]
