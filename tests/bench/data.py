"""Parquet files as Airbyte's S3 destination writes them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
FILES_A_DAY = 100
META = pa.struct(
    [
        ("sync_id", pa.int64()),
        ("changes", pa.list_(pa.struct([("field", pa.string()), ("change", pa.string()), ("reason", pa.string())]))),
    ]
)
_MONEY = pa.struct([("amount", pa.float64()), ("currency_code", pa.string())])
_ALLOCATIONS = pa.list_(pa.struct([("amount", pa.float64())]))
ORDER = {
    "order_number": pa.int64(),
    "name": pa.string(),
    **dict.fromkeys(("created_at", "updated_at", "processed_at", "cancelled_at"), pa.timestamp("us", "UTC")),
    **dict.fromkeys(("cancel_reason", "financial_status", "fulfillment_status"), pa.string()),
    **dict.fromkeys(("email", "phone", "currency", "tags"), pa.string()),
    **dict.fromkeys(("test", "confirmed"), pa.bool_()),
    **dict.fromkeys(("total_price", "subtotal_price", "total_tax", "total_discounts"), pa.float64()),
    "customer": pa.struct(
        [
            ("id", pa.int64()),
            ("email", pa.string()),
            ("default_address", pa.struct([("city", pa.string()), ("zip", pa.string())])),
        ]
    ),
    "shipping_address": pa.struct([("city", pa.string()), ("zip", pa.string()), ("country_code", pa.string())]),
    "total_price_set": pa.struct([("shop_money", _MONEY), ("presentment_money", _MONEY)]),
    "line_items": pa.list_(
        pa.struct(
            [
                *(("id", pa.int64()), ("sku", pa.string()), ("title", pa.string()), ("quantity", pa.int64())),
                *(("price", pa.float64()), ("discount_allocations", _ALLOCATIONS)),
            ]
        )
    ),
    "tax_lines": pa.list_(pa.struct([("title", pa.string()), ("rate", pa.float64()), ("price", pa.float64())])),
    "note_attributes": pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())])),
}


def write_orders(folder: Path, files: int, *, rows: int = 20, distinct: int = 50) -> Path:
    """``files`` files of wide, nested rows; every ``distinct``-th has the content of an earlier one, as a hard link."""
    for number in range(files):
        path = _path(folder, number)
        if number >= distinct:
            os.link(_path(folder, number % distinct), path)
        else:
            pq.write_table(_orders(number, rows), path, compression="snappy")
    return folder


def write_sales(folder: Path, files: int, rows: int, *, keys: int | None = None) -> Path:
    """``files`` files of ``rows`` narrow rows; every fourth row is a newer version of a record of another file.

    With ``keys`` all files hold versions of the same so many records.
    """
    total = files * rows
    for number in range(files):
        first = number * rows
        ids = [_key(first + row, total) if keys is None else (first + row) % keys for row in range(rows)]
        pq.write_table(_sales(ids, number), _path(folder, number), compression="snappy")
    return folder


def _key(position: int, total: int) -> int:
    return (position * 7919 + 1) % total if position % 4 == 0 else position


def _path(folder: Path, number: int) -> Path:
    day = BEGIN + timedelta(days=number // FILES_A_DAY)
    path = folder / f"year={day:%Y}/month={day:%m}/day={day:%d}/{number:06}_0.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _airbyte_columns(rows: int, number: int) -> dict[str, Any]:
    at = BEGIN + timedelta(minutes=number)
    return {
        "_airbyte_raw_id": pa.array([f"{number:08x}-0000-4000-8000-{row:012x}" for row in range(rows)]),
        "_airbyte_extracted_at": pa.array([at] * rows, pa.timestamp("ms", "UTC")),
        "_airbyte_meta": pa.array([{"sync_id": number, "changes": []}] * rows, META),
        "_airbyte_generation_id": pa.array([1] * rows, pa.int64()),
    }


def _sales(ids: list[int], number: int) -> pa.Table:
    at = BEGIN + timedelta(minutes=number)
    return pa.table(
        {
            **_airbyte_columns(len(ids), number),
            "id": pa.array(ids, pa.int64()),
            "updated_at": pa.array([at] * len(ids), pa.timestamp("us", "UTC")),
            "email": pa.array([f"customer{id_ % 50_000}@example.com" for id_ in ids]),
            "status": pa.array([("paid", "refunded", "pending")[id_ % 3] for id_ in ids]),
            "total": pa.array([id_ % 10_000 / 100 for id_ in ids], pa.float64()),
        }
    )


def _orders(number: int, rows: int) -> pa.Table:
    records = [_order(number * rows + row, number) for row in range(rows)]
    columns = {name: pa.array([record[name] for record in records], type_) for name, type_ in ORDER.items()}
    ids = pa.array([number * rows + row for row in range(rows)], pa.int64())
    return pa.table({**_airbyte_columns(rows, number), "id": ids, **columns})


def _order(id_: int, number: int) -> dict[str, Any]:
    at = BEGIN + timedelta(minutes=number)
    place = {"city": f"City {id_ % 40}", "zip": f"{id_ % 90_000:05}", "country_code": "US"}
    email, price = f"customer{id_ % 5000}@example.com", id_ % 10_000 / 100
    money = {"amount": price, "currency_code": "USD"}
    item = {"id": id_, "sku": f"SKU-{id_ % 300}", "title": "Lamp", "quantity": 1, "price": price}
    return {
        **dict.fromkeys(("cancelled_at", "cancel_reason", "phone")),
        **dict.fromkeys(("created_at", "updated_at", "processed_at"), at),
        **dict.fromkeys(("total_tax", "total_discounts"), 0.0),
        **dict.fromkeys(("total_price", "subtotal_price"), price),
        "order_number": id_,
        "name": f"#{id_}",
        "financial_status": "paid",
        "fulfillment_status": "fulfilled",
        "email": email,
        "currency": "USD",
        "tags": "new",
        "test": False,
        "confirmed": True,
        "customer": {"id": id_ % 5000, "email": email, "default_address": place},
        "shipping_address": place,
        "total_price_set": {"shop_money": money, "presentment_money": money},
        "line_items": [{**item, "discount_allocations": [{"amount": 0.5}]}] * 2,
        "tax_lines": [{"title": "VAT", "rate": 0.2, "price": 1.0}],
        "note_attributes": [{"name": "source", "value": "web"}],
    }
