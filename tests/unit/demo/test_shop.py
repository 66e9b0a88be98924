"""The invented shop: deterministic, consistent to the cent, and with every awkward case in its increment."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lotuslake.core.stream import Stream
from lotuslake.demo import DELIVERIES, LandedRecord, Shop, build_shop, write_files
from tests.support.expected import Current, Key, expected_sales, instant, newest_versions
from tests.support.order_figures import money
from tests.support.order_figures import shop as shop_money

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
ORDERS, REFUNDS, CUSTOMERS = "shopify/orders", "shopify/order_refunds", "shopify/customers"
EVENTS, PROFILES = "klaviyo/events", "klaviyo/profiles"


def _orders(shop: Shop) -> dict[Key, Current]:
    return newest_versions(shop.delivered(ORDERS), "updated_at", "deleted_at")


def _refunds(shop: Shop) -> dict[Key, Current]:
    return newest_versions(shop.delivered(REFUNDS), "created_at")


def _digest(shop: Shop, streams: Sequence[Stream]) -> str:
    digest = hashlib.sha256()
    for delivery in DELIVERIES:
        for file in write_files(shop, streams, delivery):
            digest.update(file.path.encode() + file.body)
    return digest.hexdigest()


def _of(records: Sequence[LandedRecord], key: object) -> list[LandedRecord]:
    return [record for record in records if record.data["id"] == key]


def test_same_arguments_give_the_same_bytes(shop: Shop, streams: tuple[Stream, ...]) -> None:
    assert _digest(build_shop(7, 0.2, NOW), streams) == _digest(shop, streams)


def test_another_seed_gives_another_shop(shop: Shop) -> None:
    other = build_shop(8, 0.2, NOW)
    assert [r.data for r in other.delivered(ORDERS)] != [r.data for r in shop.delivered(ORDERS)]


@pytest.mark.parametrize("seed", range(5))
def test_small_shops_of_any_seed_have_every_special_case(seed: int) -> None:
    small = build_shop(seed, 0.01, NOW)
    assert len(set(small.special_orders.values())) == 7
    orders = _orders(small)
    deleted = {name for name, id_ in small.special_orders.items() if orders[id_].is_deleted}
    assert deleted == {"deleted", "deleted_in_history", "deleted_then_reread"}


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="aware"):
        build_shop(1, 1, datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="scale"):
        build_shop(1, 0, NOW)


def test_size_at_scale_1(streams: tuple[Stream, ...]) -> None:
    shop = build_shop(7, 1, NOW)
    files = [file for delivery in DELIVERIES for file in write_files(shop, streams, delivery)]
    orders = _orders(shop)
    assert 2_900 <= len(orders) <= 3_100
    assert 1_000 <= len({record.data["id"] for record in shop.delivered(CUSTOMERS)}) <= 1_400
    assert len({file.path.rsplit("/", 1)[0] for file in files}) > 200
    weekly = Counter(instant(row.data["created_at"]).year for row in orders.values())  # type: ignore[union-attr]
    assert weekly[2026] > weekly[2025]


def test_files_are_laid_out_as_airbyte_does(shop: Shop, streams: tuple[Stream, ...]) -> None:
    seen: set[str] = set()
    for delivery in DELIVERIES:
        for file in write_files(shop, streams, delivery):
            assert re.fullmatch(r"(shopify|klaviyo)/\w+/year=\d{4}/month=\d{2}/day=\d{2}/\d+_\d+\.parquet", file.path)
            assert file.path not in seen
            seen.add(file.path)
            assert file.rows > 0
    assert any(path.endswith("_1.parquet") for path in seen) or shop.scale < 1


def test_history_ends_before_the_increment_begins_apart_from_the_late_file(shop: Shop) -> None:
    history = {record.sync_id for records in shop.landed["history"].values() for record in records}
    increment = {record.sync_id for records in shop.landed["increment"].values() for record in records}
    newest, late = max(increment), min(increment)
    assert increment == {newest, late}
    assert not history & increment
    assert NOW - shop.started_at[max(history)] < timedelta(hours=12)
    assert NOW - shop.started_at[newest] < timedelta(hours=1)
    assert NOW - shop.started_at[late] > timedelta(days=20)
    assert min(history) < late < max(history)


def test_records_carry_the_instants_of_their_sync(shop: Shop) -> None:
    raw_ids: set[str] = set()
    for stream in shop.landed["history"]:
        for record in shop.delivered(stream):
            assert timedelta(0) < record.extracted_at - shop.started_at[record.sync_id] < timedelta(minutes=10)
            assert record.extracted_at <= NOW
            assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}", record.raw_id)
            raw_ids.add(record.raw_id)
    assert len(raw_ids) == sum(len(shop.delivered(stream)) for stream in shop.landed["history"])


def test_no_record_knows_the_future(shop: Shop) -> None:
    for stream, cursor in ((ORDERS, "updated_at"), (REFUNDS, "created_at"), (EVENTS, "datetime")):
        for record in shop.delivered(stream):
            moment = instant(record.data.get(cursor))
            assert moment is None or moment <= shop.started_at[record.sync_id]


def test_order_totals_add_up(shop: Shop) -> None:
    for row in _orders(shop).values():
        order = row.data
        lines = sum((money(line["price"]) * line["quantity"] for line in order["line_items"]), Decimal(0))
        shipping = sum((money(line["price"]) for line in order["shipping_lines"]), Decimal(0))
        off = sum(
            (
                money(part["amount"])
                for line in [*order["line_items"], *order["shipping_lines"]]
                for part in line["discount_allocations"]
            ),
            Decimal(0),
        )
        assert money(order["total_line_items_price"]) == lines
        assert money(order["total_discounts"]) == off
        duties = json.loads(order["original_total_duties_set"] or "{}").get("shop_money", {}).get("amount")
        tax = Decimal(0) if order["taxes_included"] else money(order["total_tax"])
        total = lines - off + shipping + tax + money(duties) + money(order["total_tip_received"])
        assert money(order["total_price"]) == total
        assert money(order["total_tax"]) == sum((money(tax["price"]) for tax in order["tax_lines"]), Decimal(0))


def test_refunds_name_lines_of_their_order_and_never_more_than_was_bought(shop: Shop) -> None:
    orders = _orders(shop)
    returned: Counter[int] = Counter()
    for refund in _refunds(shop).values():
        order = orders[refund.data["order_id"]].data
        assert refund.data["id"] in {nested["id"] for nested in order["refunds"]}
        bought = {line["id"]: line for line in order["line_items"]}
        for part in refund.data["refund_line_items"]:
            returned[part["line_item_id"]] += part["quantity"]
            assert returned[part["line_item_id"]] <= bought[part["line_item_id"]]["quantity"]
            assert part["line_item"]["gift_card"] == bought[part["line_item_id"]]["gift_card"]


def test_every_version_moves_the_cursor_forward(shop: Shop) -> None:
    versions: dict[int, set[str]] = defaultdict(set)
    contents: dict[tuple[int, str], Any] = {}
    for record in shop.delivered(ORDERS):
        if cursor := record.data.get("updated_at"):
            versions[record.data["id"]].add(cursor)
            assert contents.setdefault((record.data["id"], cursor), record.data) == record.data
    assert sum(len(cursors) > 1 for cursors in versions.values()) > len(versions) / 10


def test_the_shop_has_all_kinds_of_orders_and_refunds() -> None:
    shop = build_shop(7, 1, NOW)
    orders = [row.data for row in _orders(shop).values()]
    assert {order["financial_status"] for order in orders} == {
        "paid", "pending", "voided", "refunded", "partially_refunded",
    }  # fmt: skip
    assert {order["presentment_currency"] for order in orders} == {"USD", "EUR", "CAD"}
    assert any(order["test"] for order in orders)
    assert any(order["customer"] is None for order in orders)
    assert any(order["total_tip_received"] for order in orders)
    assert any(order["original_total_duties_set"] for order in orders)
    assert any(order["cancelled_at"] and not order["refunds"] for order in orders)
    assert any(line["gift_card"] for order in orders for line in order["line_items"])
    assert any(part["discount_allocations"] for order in orders for part in order["shipping_lines"])
    assert len({tax["rate"] for order in orders if order["taxes_included"] for tax in order["tax_lines"]}) >= 2
    refunds = [row.data for row in _refunds(shop).values()]
    statuses = {transaction["status"] for refund in refunds for transaction in refund["transactions"]}
    assert statuses == {"success", "pending", "failure"}
    kinds = {
        (part["kind"], part["amount"].startswith("-")) for refund in refunds for part in refund["order_adjustments"]
    }
    assert kinds == {("shipping_refund", True), ("refund_discrepancy", True), ("refund_discrepancy", False)}
    assert {part["restock_type"] for refund in refunds for part in refund["refund_line_items"]} == {
        "return", "no_restock", "cancel",
    }  # fmt: skip
    assert any(part["line_item"]["gift_card"] for refund in refunds for part in refund["refund_line_items"])


def test_increment_reads_records_of_the_history_again(shop: Shop) -> None:
    for stream, records in shop.landed["increment"].items():
        known = {json.dumps(record.data): record.raw_id for record in shop.landed["history"][stream]}
        again = [record for record in records if json.dumps(record.data) in known]
        assert again, stream
        assert all(known[json.dumps(record.data)] != record.raw_id for record in again)


def test_the_late_file_holds_what_no_other_has_and_versions_long_overtaken(shop: Shop) -> None:
    late_id = min(record.sync_id for record in shop.landed["increment"][ORDERS])
    late = [record for record in shop.landed["increment"][ORDERS] if record.sync_id == late_id]
    withheld = shop.special_orders["withheld"]
    assert _of(late, withheld)
    assert not _of(shop.landed["history"][ORDERS], withheld)
    events = [record for record in shop.landed["increment"][EVENTS] if record.sync_id == late_id]
    known = {record.data["id"] for record in shop.landed["history"][EVENTS]}
    assert len([record for record in events if record.data["id"] not in known]) == 1


def test_tombstones(shop: Shop) -> None:
    ids, orders = shop.special_orders, _orders(shop)
    increment = shop.landed["increment"][ORDERS]
    stones = [record for record in shop.delivered(ORDERS) if record.data.get("deleted_at")]
    fields = {"id", "deleted_at", "deleted_message", "deleted_description", "shop_url"}
    assert all(set(record.data) == fields for record in stones)
    assert len(stones) == 4
    assert orders[ids["deleted"]].is_deleted
    assert "line_items" in orders[ids["deleted"]].data, "what was known stays"
    stone, full = _of(increment, ids["deleted_then_reread"])
    assert "updated_at" not in stone.data
    assert stone.extracted_at > full.extracted_at
    assert orders[ids["deleted_then_reread"]].is_deleted
    stone, full = _of(increment, ids["reborn"])[:2]
    assert "updated_at" not in stone.data
    assert stone.extracted_at < full.extracted_at
    assert not orders[ids["reborn"]].is_deleted


def test_an_old_order_is_refunded_in_the_increment(shop: Shop) -> None:
    id_ = shop.special_orders["old_refund"]
    (version,) = _of(shop.landed["increment"][ORDERS], id_)
    created_at = instant(version.data["created_at"])
    assert created_at is not None
    assert NOW - created_at > timedelta(days=300)
    (refund,) = [record for record in shop.landed["increment"][REFUNDS] if record.data["order_id"] == id_]
    assert [nested["id"] for nested in version.data["refunds"]] == [refund.data["id"]]
    assert not any(record.data.get("refunds") for record in _of(shop.landed["history"][ORDERS], id_))


def test_a_pending_refund_settles_in_the_order_but_not_in_the_refund_stream(shop: Shop) -> None:
    id_ = shop.special_orders["settling_refund"]
    orders, refunds = _orders(shop), _refunds(shop)
    nested = orders[id_].data["refunds"][0]
    assert nested["transactions"][0]["status"] == "success"
    assert refunds[nested["id"]].data["transactions"][0]["status"] == "pending"
    figures = expected_sales(orders, refunds, shop.timezone)[id_]
    assert figures.total_sales == 0


@pytest.mark.parametrize("seed", [1, 7, 42])
def test_sales_agree_with_what_the_shop_says(seed: int) -> None:
    shop = build_shop(seed, 0.5, NOW)
    orders, refunds = _orders(shop), _refunds(shop)
    for order_id, row in expected_sales(orders, refunds, shop.timezone).items():
        order = orders[order_id].data
        if not order["refunds"] and not order["cancelled_at"]:
            assert row.total_sales + row.tips + row.gift_cards_sold == shop_money(order, "total_price")
        if order["financial_status"] == "refunded":
            assert row.total_sales == row.gift_cards_sold == 0
        assert row.shipping >= 0
        assert row.refunded_shipping >= 0


def test_klaviyo_refers_to_what_exists(shop: Shop) -> None:
    profiles = {record.data["id"] for record in shop.delivered(PROFILES)}
    metrics = {record.data["id"]: record.data["attributes"]["name"] for record in shop.delivered("klaviyo/metrics")}
    messages = {record.data["attributes"]["message"] for record in shop.delivered("klaviyo/campaigns")}
    flows = {record.data["id"] for record in shop.delivered("klaviyo/flows")}
    seen: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    for record in shop.delivered(EVENTS):
        relations = record.data["relationships"]
        assert relations["profile"]["data"]["id"] in profiles
        seen[metrics[relations["metric"]["data"]["id"]]] += 1
        properties = record.data["attributes"]["event_properties"]
        flags.update(flag for flag in ("machine_open", "Bot Click") if properties.get(flag))
        if properties.get("$flow"):
            assert properties["$flow"] in flows
        elif "$message" in properties:
            assert properties["$message"] in messages
    assert set(seen) == set(metrics.values())
    assert set(flags) == {"machine_open", "Bot Click"}


def test_profiles_meet_customers_by_address_only_when_normalised(shop: Shop) -> None:
    customers = {record.data["email"] for record in shop.delivered(CUSTOMERS)}
    written = {record.data["attributes"]["email"] for record in shop.delivered(PROFILES)}
    normal = {email.strip().lower() for email in written}
    assert len(normal & customers) > len(written & customers) > 0
    assert normal - customers, "subscribers who never bought"
    assert customers - normal, "customers whom Klaviyo does not know"
