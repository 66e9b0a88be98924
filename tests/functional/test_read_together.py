"""Files that were judged one by one are read together: whatever two of them hold, a batch reads both."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lotuslake.core import schema_comparison
from tests.functional.things import Array, columns, data_file, extracted_at, key_of, parquet, things_project

LAST_DAY = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
LAST_DAY_SHOWN = "9999-12-31 23:59:59.999999"


def struct(value: dict[str, Any], type_: Any) -> Array:
    array: Array = pa.array([value], type_)
    return array


TURNED = pa.struct([("zip", pa.string()), ("city", pa.string())])
PARTS_TURNED = pa.list_(pa.struct([("amount", pa.int64()), ("sku", pa.string())]))
WIDER = pa.struct([("floor", pa.int64()), ("zip", pa.string()), ("city", pa.string())])
FILES: dict[str, dict[str, Array]] = {
    "plain": {},
    "far away": {"updated_at": pa.array([LAST_DAY], pa.timestamp("us", tz="UTC"))},
    "nanoseconds": {"updated_at": pa.array([extracted_at(2)], pa.timestamp("us")).cast(pa.timestamp("ns"))},
    "milliseconds": {"updated_at": pa.array([extracted_at(3).replace(tzinfo=None)], pa.timestamp("ms"))},
    "seconds of an int": {"updated_at": pa.array([extracted_at(4).isoformat()])},
    "members turned": {"address": struct({"zip": "10115", "city": "Berlin"}, TURNED)},
    "a member more, turned": {"address": struct({"floor": 2, "zip": "10115", "city": "Berlin"}, WIDER)},
    "elements turned": {"parts": pa.array([[{"amount": 1, "sku": "a"}]], PARTS_TURNED)},
    "narrow": {"amount": pa.array([8], pa.int8()), "price": pa.array([8.5], pa.float32())},
    "unsigned": {"amount": pa.array([9], pa.uint32())},
    "undeclared number": {"extra": pa.array([2**62 + 1], pa.int64()), "other": pa.array([True])},
    "undeclared double": {"extra": pa.array([0.5]), "other": pa.array([b"\xff"])},
    "undeclared text": {"extra": pa.array(["x"]), "other": pa.array([[1]])},
    "undeclared struct": {"extra": struct({"a": 1}, pa.struct([("a", pa.int64())])), "other": pa.array([LAST_DAY])},
    "undeclared list": {"extra": pa.array([[{"a": "b"}]]), "other": pa.array([{"c": 1}])},
    "undeclared null": {"extra": pa.nulls(1), "other": pa.nulls(1)},
}


def test_whatever_two_files_hold_a_batch_reads_them(tmp_path: Path) -> None:
    project = things_project(tmp_path)
    for number, (name, changed) in enumerate(FILES.items()):
        project.put(key_of(f"{name}.parquet"), data_file([number], **changed))
    turned = dict(reversed(columns([100]).items()))
    project.put(key_of("columns turned.parquet"), parquet(turned))
    project.put(key_of("upper.parquet"), parquet({name.upper(): array for name, array in columns([101]).items()}))
    item = project.json("register").stream("test/things")
    assert item["quarantined_files"] == 0
    assert project.json("transform").stream("test/things")["batches"] == 1
    shown = project.rows(
        "SELECT id, CAST(updated_at AS VARCHAR), amount, price, address, parts, name FROM processed.int_test__things ORDER BY id"
    )
    numbers = [*range(len(FILES)), 100, 101]
    assert [row[0] for row in shown] == numbers
    at = {number: f"{extracted_at(number):%Y-%m-%d %H:%M:%S}" for number in numbers} | {1: LAST_DAY_SHOWN}
    assert [row[1] for row in shown] == [at[number] for number in numbers]
    assert [row[2] for row in shown] == numbers
    assert [row[3] for row in shown] == [number + 0.5 for number in numbers]
    assert [row[4] for row in shown] == [{"city": "Berlin", "zip": "10115"}] * len(numbers)
    assert [row[5] for row in shown] == [[{"sku": "a", "amount": 1}]] * len(numbers)
    assert [row[6] for row in shown] == [f"thing {number}" for number in numbers]


def test_what_an_older_version_registered_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instants in nanoseconds once stood by reference: the landing table reads them, and a batch does beside 9999-12-31."""
    now = schema_comparison._is_narrower
    monkeypatch.setattr(schema_comparison, "_is_narrower", lambda name, to: name == "TIMESTAMP_NS" or now(name, to))
    project = things_project(tmp_path)
    local = pa.array([extracted_at(1).replace(tzinfo=None)], pa.timestamp("ns"))
    project.put(key_of("old.parquet"), data_file([1], updated_at=local))
    far = pa.array([LAST_DAY.replace(tzinfo=None)], pa.timestamp("us"))
    for number in (2, 3):
        project.put(key_of(f"far {number}.parquet"), data_file([number], updated_at=far))
    assert project.json("register").stream("test/things")["registered_files"] == 3
    monkeypatch.undo()
    project.json("transform")
    shown = project.rows("SELECT CAST(updated_at AS VARCHAR) FROM processed.int_test__things ORDER BY id")
    assert shown == [(f"{extracted_at(1):%Y-%m-%d %H:%M:%S}",), (LAST_DAY_SHOWN,), (LAST_DAY_SHOWN,)]
