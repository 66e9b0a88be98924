"""Orders as the Shopify connector's records, as they look at any instant."""

from __future__ import annotations

import json
from datetime import datetime

from lotuslake.demo.clock import shop_time
from lotuslake.demo.line_records import line_item, order_taxes, shipping_lines
from lotuslake.demo.model import Order
from lotuslake.demo.money import SHOP_CURRENCY, Json, number, text
from lotuslake.demo.refund_records import LOCATION_ID, SHOP_URL, nested_record


def order_record(order: Order, at: datetime) -> Json:
    """A record of stream `orders` as the API shows it at ``at``."""
    return {
        **_head(order, at),
        **_totals(order),
        **_current_totals(order, at),
        **_customer_part(order),
        **_discounts(order),
        "tax_lines": order_taxes(order),
        "line_items": [line_item(order, line, at) for line in order.lines],
        "shipping_lines": shipping_lines(order),
        "fulfillments": _fulfillments(order, at),
        "refunds": [nested_record(order, refund, at) for refund in order.refunds if refund.created_at <= at],
        "shipping_address": _address(order),
        "billing_address": _address(order),
    }


def _seen(moment: datetime | None, at: datetime) -> str | None:
    """An instant as text once it has come."""
    return shop_time(moment) if moment is not None and moment <= at else None


def _head(order: Order, at: datetime) -> Json:
    created_at = shop_time(order.created_at)
    cancelled_at = _seen(order.cancelled_at, at)
    return {
        "id": order.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
        "name": f"#{order.number}",
        "number": order.number - 1_000,
        "order_number": order.number,
        "created_at": created_at,
        "processed_at": created_at,
        "updated_at": shop_time(max(moment for moment in order.changes() if moment <= at)),
        "closed_at": _seen(order.fulfilled_at, at),
        "cancelled_at": cancelled_at,
        "cancel_reason": "customer" if cancelled_at else None,
        "confirmed": True,
        "test": order.is_test,
        "email": order.email,
        "contact_email": order.email,
        "financial_status": financial_status(order, at),
        "fulfillment_status": "fulfilled" if _seen(order.fulfilled_at, at) else None,
        "currency": SHOP_CURRENCY,
        "presentment_currency": order.place.exchange.currency,
        "taxes_included": order.place.taxes_included,
        "payment_gateway_names": ["shopify_payments"],
        "source_name": "web",
        "buyer_accepts_marketing": order.customer is not None and order.customer.accepts_marketing,
        "tags": "",
        "shop_url": SHOP_URL,
        "deleted_at": None,
        "deleted_message": None,
        "deleted_description": None,
    }


def financial_status(order: Order, at: datetime) -> str:
    """Shopify's word for how much was paid and paid back."""
    if order.paid_at is None or order.paid_at > at:
        return "voided" if order.cancelled_at is not None and order.cancelled_at <= at else "pending"
    paid_back = sum(refund.cash_at(at) for refund in order.refunds if refund.created_at <= at)
    if paid_back >= order.total - order.tip > 0:
        return "refunded"
    return "partially_refunded" if paid_back > 0 else "paid"


def _totals(order: Order) -> Json:
    sets = order.place.exchange.numbers
    discounts = sum(line.allocated for line in order.lines) + order.shipping_discount
    lines = sum(line.paid for line in order.lines)
    duties = json.dumps(sets(order.duties), separators=(",", ":")) if order.duties else None
    return {
        "subtotal_price": number(order.subtotal),
        "subtotal_price_set": sets(order.subtotal),
        "total_price": number(order.total),
        "total_price_set": sets(order.total),
        "total_tax": number(order.tax),
        "total_tax_set": sets(order.tax),
        "total_discounts": number(discounts),
        "total_discounts_set": sets(discounts),
        "total_line_items_price": number(lines),
        "total_line_items_price_set": sets(lines),
        "total_shipping_price_set": sets(order.shipping_paid),
        "total_tip_received": number(order.tip),
        "total_weight": sum(line.variant.grams * line.quantity for line in order.lines),
        "original_total_duties_set": duties,
        "current_total_duties_set": duties,
    }


def _current_totals(order: Order, at: datetime) -> Json:
    """Totals less what refunds took back up to ``at``."""
    refunds = [refund for refund in order.refunds if refund.created_at <= at]
    parts = [part for refund in refunds for part in refund.lines]
    tax = sum(part.tax for part in parts)
    subtotal = sum(part.subtotal for part in parts) + (tax if order.place.taxes_included else 0)
    whole = sum(part.subtotal + part.tax for part in parts) + sum(refund.shipping + refund.duties for refund in refunds)
    tax += sum(refund.shipping_tax for refund in refunds)
    sets = order.place.exchange.numbers
    paid = order.paid_at is not None and order.paid_at <= at
    return {
        "current_subtotal_price": number(order.subtotal - subtotal),
        "current_subtotal_price_set": sets(order.subtotal - subtotal),
        "current_total_price": number(order.total - whole),
        "current_total_price_set": sets(order.total - whole),
        "current_total_tax": number(order.tax - tax),
        "current_total_tax_set": sets(order.tax - tax),
        "total_outstanding": number(0 if paid else order.total - whole),
    }


def _customer_part(order: Order) -> Json:
    customer = order.customer
    if customer is None:
        return {"customer": None, "customer_id": None, "customer_email": None}
    return {
        "customer": {
            "id": customer.id,
            "email": customer.email,
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "created_at": shop_time(customer.created_at),
            "state": "enabled",
            "accepts_marketing": customer.accepts_marketing,
            "currency": SHOP_CURRENCY,
            "admin_graphql_api_id": f"gid://shopify/Customer/{customer.id}",
        },
        "customer_id": customer.id,
        "customer_email": customer.email,
        "customer_first_name": customer.first_name,
        "customer_last_name": customer.last_name,
    }


def _discounts(order: Order) -> Json:
    discount = order.discount
    if discount is None:
        return {"discount_applications": [], "discount_codes": []}
    on_shipping = discount.kind == "shipping"
    off = order.shipping_discount if on_shipping else sum(line.allocated for line in order.lines)
    is_fixed = discount.kind == "fixed_amount"
    return {
        "discount_codes": [{"code": discount.code, "amount": text(off), "type": discount.kind}],
        "discount_applications": [
            {
                "type": "discount_code",
                "title": discount.code,
                "value": text(discount.value) if is_fixed else f"{discount.value}.0",
                "value_type": "fixed_amount" if is_fixed else "percentage",
                "allocation_method": "across",
                "target_selection": "all",
                "target_type": "shipping_line" if on_shipping else "line_item",
            }
        ],
    }


def _fulfillments(order: Order, at: datetime) -> list[Json]:
    if order.fulfilled_at is None or order.fulfilled_at > at:
        return []
    fulfilled_at = shop_time(order.fulfilled_at)
    return [
        {
            "id": order.id + 3,
            "order_id": order.id,
            "name": f"#{order.number}.1",
            "status": "success",
            "service": "manual",
            "location_id": LOCATION_ID,
            "created_at": fulfilled_at,
            "updated_at": fulfilled_at,
            "tracking_company": "USPS",
        }
    ]


def _address(order: Order) -> Json:
    place, customer = order.place, order.customer
    first, last = (customer.first_name, customer.last_name) if customer else ("Guest", "Buyer")
    return {
        "first_name": first,
        "last_name": last,
        "name": f"{first} {last}",
        "address1": f"{order.number % 300 + 1} Lotus Street",
        "city": place.city,
        "zip": place.zip,
        "province": place.province,
        "province_code": place.province_code,
        "country": place.country,
        "country_code": place.country_code,
    }
