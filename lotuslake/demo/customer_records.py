"""Customers as the Shopify connector's records, as they look at any instant."""

from __future__ import annotations

from datetime import datetime

from lotuslake.demo.clock import shop_time
from lotuslake.demo.model import Customer
from lotuslake.demo.money import SHOP_CURRENCY, Json, number
from lotuslake.demo.refund_records import SHOP_URL


def customer_changes(customer: Customer) -> list[datetime]:
    """Every instant at which the customer's `updated_at` moves: the account, then each order."""
    return sorted({customer.created_at, *(order.created_at for order in customer.orders)})


def _address(customer: Customer) -> Json:
    place = customer.place
    return {
        "id": customer.id + 1,
        "customer_id": customer.id,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "name": f"{customer.first_name} {customer.last_name}",
        "city": place.city,
        "zip": place.zip,
        "province": place.province,
        "province_code": place.province_code,
        "country": place.country,
        "country_code": place.country_code,
        "country_name": place.country,
        "default": True,
    }


def customer_record(customer: Customer, at: datetime) -> Json:
    """A record of stream `customers` as the API shows it at ``at``."""
    orders = [order for order in customer.orders if order.created_at <= at and not order.is_test]
    last = orders[-1] if orders else None
    created_at = shop_time(customer.created_at)
    address = _address(customer)
    consent = {
        "state": "subscribed" if customer.accepts_marketing else "not_subscribed",
        "opt_in_level": "single_opt_in",
        "consent_updated_at": created_at if customer.accepts_marketing else None,
    }
    return {
        "id": customer.id,
        "admin_graphql_api_id": f"gid://shopify/Customer/{customer.id}",
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "created_at": created_at,
        "updated_at": shop_time(max(moment for moment in customer_changes(customer) if moment <= at)),
        "orders_count": len(orders),
        "total_spent": number(sum(order.total for order in orders)),
        "last_order_id": last.id if last else None,
        "last_order_name": f"#{last.number}" if last else None,
        "state": "enabled",
        "verified_email": True,
        "accepts_marketing": customer.accepts_marketing,
        "accepts_marketing_updated_at": created_at,
        "email_marketing_consent": consent,
        "sms_marketing_consent": None,
        "currency": SHOP_CURRENCY,
        "default_address": address,
        "addresses": [address],
        "tags": "",
        "tax_exempt": False,
        "tax_exemptions": None,
        "shop_url": SHOP_URL,
    }
