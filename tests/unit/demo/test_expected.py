"""The oracle itself, against figures worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.expected import Current, Key, Sales, expected_sales, newest_versions

AT = datetime(2026, 5, 1, tzinfo=UTC)
ZONE = "America/Los_Angeles"
Json = dict[str, Any]


@dataclass(frozen=True)
class _Landed:
    data: dict[str, Any]
    extracted_at: datetime
    raw_id: str


def _line(
    price: str, quantity: int = 1, *, off: str = "0", tax: str = "0", rate: float = 0, gift: bool = False
) -> Json:
    return {
        "price": price,
        "quantity": quantity,
        "gift_card": gift,
        "discount_allocations": [{"amount": off}] if off != "0" else [],
        "tax_lines": [{"price": tax, "rate": rate}] if rate else [],
    }


def _order(lines: list[Json], **fields: Any) -> Json:
    return {
        "id": 1,
        "name": "#1001",
        "processed_at": "2026-04-01T02:30:00Z",
        "email": " Ava@Example.com",
        "currency": "USD",
        "financial_status": "paid",
        "customer": {"id": 77},
        "line_items": lines,
        **fields,
    }


def _shipping(price: str, off: str = "0") -> list[Json]:
    return [{"price": price, "discount_allocations": [{"amount": off}]}]


def _refund(
    lines: list[tuple[str, str]], cash: str | None, *, status: str = "success", gift: bool = False, **fields: Any
) -> Json:
    return {
        "id": 9,
        "order_id": 1,
        "refund_line_items": [
            {"subtotal": subtotal, "total_tax": tax, "line_item": {"gift_card": gift}} for subtotal, tax in lines
        ],
        "transactions": []
        if cash is None
        else [{"kind": "refund", "status": status, "amount": cash, "currency": "USD"}],
        **fields,
    }


def _discrepancy(amount: str) -> Json:
    return {"kind": "refund_discrepancy", "amount": amount}


def _sales(order: Json, *refunds: Json) -> Sales:
    orders: dict[Key, Current] = {1: Current(order, AT, "a", is_deleted=False)}
    rows: dict[Key, Current] = {refund["id"]: Current(refund, AT, "b", is_deleted=False) for refund in refunds}
    return expected_sales(orders, rows, ZONE)[1]


def _figures(row: Sales) -> dict[str, str]:
    names = ("gross_sales", "discounts", "returns", "net_sales", "shipping", "taxes", "total_sales")
    return {name: str(getattr(row, name).quantize(Decimal("0.01"))) for name in names}


def _expect(*values: str) -> dict[str, str]:
    names = ("gross_sales", "discounts", "returns", "net_sales", "shipping", "taxes", "total_sales")
    return dict(zip(names, values, strict=True))


def test_plain_order() -> None:
    """2 × 30 less 6, 5.95 shipping, 4.19 tax: net 54, total 64.14. The sale is on 31 March in Los Angeles."""
    order = _order(
        [_line("30.00", 2, off="6.00", tax="4.19", rate=0.0775)], shipping_lines=_shipping("5.95"), total_tax="4.19"
    )
    row = _sales(order)
    assert _figures(row) == _expect("60.00", "6.00", "0.00", "54.00", "5.95", "4.19", "64.14")
    assert (row.sale_date, row.email, row.customer_id) == (date(2026, 3, 31), "ava@example.com", 77)
    assert (row.units, row.is_cancelled, row.is_first_order) == (2, False, True)


def test_taxes_included() -> None:
    """119 less 11.90 with 19 % inside: tax 17.10, so 90 net; the discount before tax is 10, gross 100.

    Shipping 11.90 holds 1.90 of tax: 10. Total 90 + 10 + 19.00 = 119.
    """
    order = _order(
        [_line("119.00", off="11.90", tax="17.10", rate=0.19)],
        taxes_included=True,
        shipping_lines=_shipping("11.90"),
        total_tax="19.00",
    )
    assert _figures(_sales(order)) == _expect("100.00", "10.00", "0.00", "90.00", "10.00", "19.00", "119.00")


def test_gift_card_and_tip_stand_apart() -> None:
    """A gift card of 50 and a tip of 3 beside a ring of 39: only the ring is a sale."""
    row = _sales(_order([_line("50.00", gift=True), _line("39.00")], total_tip_received="3.00", total_tax="0.00"))
    assert _figures(row) == _expect("39.00", "0.00", "0.00", "39.00", "0.00", "0.00", "39.00")
    assert (row.gift_cards_sold, row.tips, row.units) == (Decimal("50.00"), Decimal("3.00"), 1)


def test_shipping_discount_lowers_shipping_not_sales() -> None:
    """Free shipping of 5.95 on 20: discounts 0, shipping 0."""
    order = _order([_line("20.00")], shipping_lines=_shipping("5.95", off="5.95"), total_discounts="5.95")
    assert _figures(_sales(order)) == _expect("20.00", "0.00", "0.00", "20.00", "0.00", "0.00", "20.00")


def test_full_refund_with_taxed_shipping() -> None:
    """100 + 10 shipping + 11 tax, of which 1 on shipping. Cash 121 − lines (100 + 10) = 11 = 10 shipping + 1 tax."""
    order = _order([_line("100.00", tax="10.00", rate=0.1)], shipping_lines=_shipping("10.00"), total_tax="11.00")
    row = _sales(order, _refund([("100.00", "10.00")], "121.00"))
    assert _figures(row) == _expect("100.00", "0.00", "100.00", "0.00", "0.00", "0.00", "0.00")
    assert row.refunded_shipping == Decimal("10.00")


def test_partial_return_with_a_fee_kept_back() -> None:
    """Two of 40; one comes back, 5 is kept: cash 35, discrepancy +5. Returns 40 − 5 = 35, no shipping back."""
    order = _order([_line("40.00", 2)], shipping_lines=_shipping("6.00"))
    row = _sales(order, _refund([("40.00", "0")], "35.00", order_adjustments=[_discrepancy("5.00")]))
    assert _figures(row) == _expect("80.00", "0.00", "35.00", "45.00", "6.00", "0.00", "51.00")
    assert row.refunded_shipping == 0


def test_goodwill_without_a_return() -> None:
    """7.50 paid back for nothing: discrepancy −7.50, so returns are 7.50."""
    order = _order([_line("40.00")], shipping_lines=_shipping("6.00"))
    row = _sales(order, _refund([], "7.50", order_adjustments=[_discrepancy("-7.50")]))
    assert _figures(row) == _expect("40.00", "0.00", "7.50", "32.50", "6.00", "0.00", "38.50")


@pytest.mark.parametrize("status", ["pending", "failure"])
def test_refund_whose_money_never_left(status: str) -> None:
    """100 + 10 tax + 5 shipping, refund of all stuck: cash 0, discrepancy +115. Nothing changes in total.

    Returns 100 − 115 = −15; shipping back 0 − 110 + 115 = 5; taxes 10 − 10 = 0; total 115 + 0 + 0 = 115.
    """
    order = _order([_line("100.00", tax="10.00", rate=0.1)], shipping_lines=_shipping("5.00"), total_tax="10.00")
    refund = _refund([("100.00", "10.00")], "115.00", status=status, order_adjustments=[_discrepancy("115.00")])
    assert _figures(_sales(order, refund)) == _expect("100.00", "0.00", "-15.00", "115.00", "0.00", "0.00", "115.00")


def test_cancelled_without_a_refund_record_is_reversed() -> None:
    """Nothing is left but the gross, the discount and their reversal."""
    order = _order(
        [_line("30.00", off="3.00", tax="2.00", rate=0.08), _line("25.00", gift=True)],
        shipping_lines=_shipping("5.00"),
        total_tax="2.00",
        cancelled_at="2026-04-02T00:00:00Z",
    )
    row = _sales(order)
    assert _figures(row) == _expect("30.00", "3.00", "27.00", "0.00", "0.00", "0.00", "0.00")
    assert (row.gift_cards_sold, row.is_cancelled, row.refunded_shipping) == (Decimal(0), True, Decimal("5.00"))


def test_lines_taken_off_an_unpaid_order_move_no_cash() -> None:
    """Cancelled before payment with a refund record but no transaction: lines go, shipping of 0 stays 0."""
    order = _order([_line("30.00")], cancelled_at="2026-04-02T00:00:00Z")
    row = _sales(order, _refund([("30.00", "0")], None))
    assert _figures(row) == _expect("30.00", "0.00", "30.00", "0.00", "0.00", "0.00", "0.00")


def test_returned_gift_card_is_no_return() -> None:
    """The card's 50 leave gift cards sold, not sales; cash 50 − 50 = no shipping."""
    order = _order([_line("50.00", gift=True), _line("39.00")])
    row = _sales(order, _refund([("50.00", "0")], "50.00", gift=True))
    assert _figures(row) == _expect("39.00", "0.00", "0.00", "39.00", "0.00", "0.00", "39.00")
    assert row.gift_cards_sold == 0


def test_buyers_currency() -> None:
    """33.33 paid as EUR 30.72. The 30.72 paid back are 33.33 again, whatever rounding did."""
    total = {"shop_money": {"amount": "33.33"}, "presentment_money": {"amount": "30.72"}}
    order = _order([_line("33.33")], total_price_set=total)
    refund = _refund([("33.33", "0")], None)
    refund["transactions"] = [{"kind": "refund", "status": "success", "amount": "30.71", "currency": "EUR"}]
    row = _sales(order, refund)
    assert _figures(row) == _expect("33.33", "0.00", "33.33", "0.00", "0.00", "0.00", "0.00")


def test_duties() -> None:
    """12.50 duties of which a refund gives 12.50 back: cash 52.50 − 40 − 12.50 = no shipping."""
    order = _order([_line("40.00")], original_total_duties_set='{"shop_money": {"amount": 12.5}}')
    assert _sales(order).total_sales == Decimal("52.50")
    duties = {"shop_money": {"amount": 12.5}}
    row = _sales(order, _refund([("40.00", "0")], "52.50", total_duties_set=duties))
    assert row.duties == row.total_sales == row.refunded_shipping == 0


def test_of_two_sightings_of_a_refund_the_later_counts() -> None:
    """The stream saw it pending, the order's newer version saw it settle; on a tie the order is believed."""
    settled = _refund([("40.00", "0")], "40.00")
    pending = _refund([("40.00", "0")], "40.00", status="pending", order_adjustments=[_discrepancy("40.00")])
    order = _order([_line("40.00")], refunds=[settled])
    assert _sales(order, pending).returns == Decimal("40.00")
    orders: dict[Key, Current] = {1: Current(order, AT, "a", is_deleted=False)}
    later: dict[Key, Current] = {9: Current(pending, AT + timedelta(days=1), "b", is_deleted=False)}
    assert expected_sales(orders, later, ZONE)[1].returns == 0


def test_test_and_deleted_orders_do_not_count() -> None:
    orders: dict[Key, Current] = {
        1: Current(_order([_line("1.00")], test=True), AT, "a", is_deleted=False),
        2: Current(_order([_line("1.00")], id=2), AT, "a", is_deleted=True),
        3: Current(_order([_line("1.00")], id=3), AT, "a", is_deleted=False),
    }
    assert list(expected_sales(orders, {}, ZONE)) == [3]
    assert expected_sales(orders, {}, ZONE)[3].is_first_order


def _newest(*records: _Landed) -> dict[int | str, Current]:
    return newest_versions(records, "updated_at", "deleted_at")


def _version(minutes: int, cursor: str | None, raw_id: str, **data: Any) -> _Landed:
    return _Landed({"id": 1, "updated_at": cursor, **data}, AT + timedelta(minutes=minutes), raw_id)


@pytest.mark.parametrize("reverse", [False, True])
def test_newest_version_wins_in_any_order_of_arrival(reverse: bool) -> None:
    records = [
        _version(0, "2026-04-09T00:00:00Z", "z", n=0),
        _version(1, None, "y", n=1),
        _version(1, "2026-04-01T00:00:00Z", "a", n=2),
        _version(1, "2026-04-01T02:00:00+02:00", "b", n=3),
    ]
    assert _newest(*(reversed(records) if reverse else records))[1].data["n"] == 3


@pytest.mark.parametrize("reverse", [False, True])
def test_tombstones_mark_and_newer_records_revive(reverse: bool) -> None:
    full = _version(0, "2026-04-01T00:00:00Z", "a", n=0)
    stone = _version(1, None, "b", deleted_at="2026-04-02T00:00:00Z")
    again = _version(2, "2026-04-01T00:00:00Z", "c", n=2)
    two, three = [full, stone], [full, stone, again]
    if reverse:
        two.reverse()
        three.reverse()
    assert (_newest(*two)[1].is_deleted, _newest(*two)[1].data["n"]) == (True, 0)
    assert (_newest(*three)[1].is_deleted, _newest(*three)[1].data["n"]) == (False, 2)
    assert _newest(stone)[1].is_deleted
