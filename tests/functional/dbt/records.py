"""One small shop as Airbyte lands it, with the bad values that sources send."""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]


def money(amount: float | str, buyers: float | str | None = None) -> Record:
    """A money set; `buyers` is the amount in the buyer's currency where it differs."""
    return {"shop_money": {"amount": amount}, "presentment_money": {"amount": amount if buyers is None else buyers}}


def taxed_line(price: float, quantity: int, tax: float, **more: Any) -> Record:
    tax_lines = [{"rate": 0.19, "price_set": money(tax)}]
    return {"id": 1, "quantity": quantity, "price_set": money(price), "tax_lines": tax_lines, **more}


_CODE = [{"amount_set": money("10.00")}]

_ORDERS: list[Record] = [
    {
        "id": 1,
        "name": "#1001",
        "updated_at": "2026-03-02T10:00:00Z",
        "processed_at": "2026-03-01T23:30:00Z",
        "email": " Ann@Example.com ",
        "customer": {"id": 7, "email": "ANN@example.com"},
        "currency": "USD",
        "financial_status": "partially_refunded",
        "total_price_set": money(130.00, 143.00),
        "total_tax_set": money(19.95),
        "original_total_duties_set": '{"shop_money": {"amount": "1.05", "currency_code": "USD"}}',
        "total_tip_received": 2.50,
        "line_items": [taxed_line(57.00, 2, 19.00, discount_allocations=_CODE)],
        "shipping_lines": [{"price_set": money(5.00)}],
        "refunds": [
            {
                "id": 11,
                "refund_line_items": [{"subtotal_set": money("52.00"), "total_tax_set": money("9.50")}],
                "transactions": [{"amount": "61.50", "currency": "USD", "kind": "refund", "status": "success"}],
            }
        ],
    },
    # An older version of the same order that comes later.
    {"id": 1, "name": "#old", "updated_at": "2026-03-01T10:00:00Z", "_at": "2026-10-01 00:00:00"},
    {"id": 2, "name": "#1002", "updated_at": "2026-03-01T10:00:00Z", "test": True},
    {"id": 3, "name": "#1003", "updated_at": "2026-03-01T10:00:00Z", "customer": {"id": 7}},
    {"id": 3, "deleted_at": "2026-03-05T00:00:00Z", "deleted_message": "Ann deleted it"},
    {
        "id": 4,
        "name": "#1004",
        "updated_at": "2026-03-03T10:00:00Z",
        "processed_at": "2026-03-02T10:00:00Z",
        "email": "  ",
        "currency": "USD",
        "original_total_duties_set": '{"shop_money": {"amount":',
        "line_items": [
            {"quantity": 3, "price_set": money(19.99), "discount_allocations": [{"amount_set": money("n/a")}]}
        ],
    },
]

_REFUNDS: list[Record] = [
    {
        "id": 41,
        "order_id": 4,
        "created_at": "2026-03-04T10:00:00Z",
        "total_duties_set": money(0.00),
        "refund_line_items": [{"subtotal_set": money(19.99), "line_item": {"gift_card": False}}],
        "order_adjustments": [{"kind": "refund_discrepancy", "amount": "free"}],
        "transactions": [{"amount": "19.99", "currency": "USD", "kind": "refund", "status": "success"}],
        "return": {"id": 99},
    },
]

_PROFILES: list[Record] = [
    {
        "id": "P1",
        "updated": "2026-03-01T10:00:00Z",
        "attributes": {
            "email": " ANN@example.com",
            "first_name": "Ann",
            "location": {"latitude": {"number": 52.5}, "longitude": {"string": "13.4"}, "city": "Berlin"},
            "subscriptions": {
                "email": {"marketing": {"consent": "SUBSCRIBED", "suppressions": [{"reason": "bounce"}]}}
            },
            "predictive_analytics": {"total_clv": 119.9, "expected_date_of_next_order": "2026-12-24T00:00:00"},
            "properties": '{"shoe size": 41}',
        },
    },
    {
        "id": "P2",
        "updated": "2026-03-01T10:00:00Z",
        "attributes": {
            "email": "",
            "location": {"latitude": {"string": "north"}},
            "predictive_analytics": {"expected_date_of_next_order": "soon"},
            "properties": "{shoe size",
        },
    },
]

RECORDS: dict[str, list[Record]] = {
    "shopify/orders": _ORDERS,
    "shopify/order_refunds": _REFUNDS,
    "shopify/customers": [
        {
            "id": 7,
            "updated_at": "2026-03-01T10:00:00Z",
            "email": " ANN@Example.com",
            "total_spent": 130.1,
            "email_marketing_consent": {"state": "subscribed"},
            "default_address": {"country_code": "DE"},
        }
    ],
    "klaviyo/profiles": _PROFILES,
    "klaviyo/events": [
        {
            "id": "E1",
            "datetime": "2026-03-01T10:00:00Z",
            "attributes": {"event_properties": '{"$message": "C1M", "$value": 130, "Bot Click": false}'},
            "relationships": {
                "profile": {"data": {"id": "P1"}},
                "metric": {"data": {"id": "M1"}},
                "attributions": {"data": [{"id": "A1"}]},
            },
        },
        {"id": "E2", "datetime": "2026-03-01T10:00:00Z", "attributes": {"event_properties": "no JSON"}},
    ],
    "klaviyo/campaigns": [
        {
            "id": "C1",
            "updated_at": "2026-03-01T10:00:00Z",
            "attributes": {"name": " Spring", "channel": "email", "send_strategy": {"method": "immediate"}},
            "relationships": {"campaign_messages": {"data": [{"id": "C1M"}]}},
        }
    ],
    "klaviyo/flows": [
        {
            "id": "F1",
            "updated": "2026-03-01T10:00:00Z",
            "attributes": {"name": "Welcome", "trigger_type": "Added to List"},
            "relationships": {"flow_actions": {"data": [{"id": "1"}, {"id": "2"}]}},
        }
    ],
    "klaviyo/metrics": [
        {
            "id": "M1",
            "updated": "2026-03-01T10:00:00Z",
            "attributes": {"name": "Placed Order", "integration": '{"id": "0eK", "name": "Shopify"}'},
        }
    ],
    "klaviyo/lists": [
        {
            "id": "L1",
            "updated": "2026-03-01T10:00:00Z",
            "attributes": {"name": "Newsletter", "opt_in_process": "double_opt_in"},
            "relationships": {"tags": {"data": [{"id": "T1"}]}},
        }
    ],
}
