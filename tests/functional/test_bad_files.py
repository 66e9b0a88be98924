"""Files that are damaged, odd, or shaped otherwise than declared: the good neighbours always get in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.functional.program import Project, write
from tests.functional.things import (
    ADDRESS,
    STREAM,
    STREAM_FILE,
    Array,
    columns,
    data_file,
    extracted_at,
    key_of,
    parquet,
    things_project,
)

UTC_US = pa.timestamp("us", tz="UTC")
Row = dict[str, Any]


def millis(key: int) -> int:
    return round(extracted_at(key).timestamp() * 1000)


def naive(key: int) -> datetime:
    return extracted_at(key).replace(tzinfo=None)


def strings(*values: str | None) -> Array:
    return pa.array(values, pa.string())


@dataclass(frozen=True)
class Case:
    """A file with the rows `ids`, what becomes of it, and what of its rows differs from what `things.columns` gives."""

    body: Callable[[list[int]], bytes]
    status: str
    reason: str = ""
    shown: Row | None = None


def cut(ids: list[int]) -> bytes:
    whole = data_file(ids)
    return whole[: len(whole) - 20]


def spoilt_footer(ids: list[int]) -> bytes:
    whole = bytearray(data_file(ids))
    length = int.from_bytes(whole[-8:-4], "little")
    whole[-8 - length : -8] = bytes(length)
    return bytes(whole)


def with_(**changed: Callable[[list[int]], Array] | None) -> Callable[[list[int]], bytes]:
    """A file with columns replaced, added or (None) left out."""
    return lambda ids: data_file(ids, **{name: make and make(ids) for name, make in changed.items()})


def each(value: Any, type_: pa.DataType) -> Callable[[list[int]], Array]:
    """The same value in every row."""
    return lambda ids: pa.array([value for _ in ids], type_)


def typed(name: str, type_: pa.DataType) -> Callable[[list[int]], Array]:
    """The column as it is, in another type."""
    return lambda ids: columns(ids)[name].cast(type_)


def renamed(ids: list[int]) -> bytes:
    arrays = columns(ids)
    arrays["title"] = arrays.pop("name")
    return parquet(arrays)


def shuffled(ids: list[int]) -> bytes:
    return parquet(dict(reversed(columns(ids).items())))


def upper(ids: list[int]) -> bytes:
    return parquet({name.upper() if name == "price" else name: array for name, array in columns(ids).items()})


WIDE_ADDRESS = pa.struct([pa.field("city", pa.string()), pa.field("floor", pa.int64()), pa.field("zip", pa.string())])
NARROW_ADDRESS = pa.struct([pa.field("city", pa.string())])
NUMBER_ZIP = pa.struct([pa.field("city", pa.string()), pa.field("zip", pa.int64())])
SKU = pa.list_(pa.struct([pa.field("sku", pa.string())]))
AMOUNTS = pa.list_(pa.struct([pa.field("sku", pa.string()), pa.field("amount", pa.float64())]))
BOTH = pa.struct([pa.field("type", pa.string()), pa.field("string", pa.string()), pa.field("number", pa.float64())])

CASES = {
    "good": Case(data_file, "registered"),
    "no bytes": Case(lambda _: b"", "quarantined", "too small"),
    "a text": Case(lambda _: b"id,name\n1,a\n" * 9, "quarantined", "cut off"),
    "cut off": Case(cut, "quarantined", "cut off"),
    "half": Case(lambda ids: data_file(ids)[:400], "quarantined", "cut off"),
    "footer of zeros": Case(spoilt_footer, "quarantined", "footer cannot be read"),
    "no rows": Case(lambda _: data_file([]), "empty"),
    "no rows and no key": Case(lambda _: data_file([], id=None), "empty"),
    "no key": Case(with_(id=None), "quarantined", "column id is missing"),
    "no extraction": Case(with_(_airbyte_extracted_at=None), "quarantined", "column _airbyte_extracted_at is missing"),
    "no raw id": Case(with_(_airbyte_raw_id=None), "quarantined", "column _airbyte_raw_id is missing"),
    "no name": Case(with_(name=None), "registered", shown={"name": None}),
    "no generation": Case(with_(_airbyte_generation_id=None, _airbyte_meta=None), "registered"),
    "one column more": Case(with_(zoo=each("x", pa.string())), "registered"),
    "a column renamed": Case(renamed, "registered", shown={"name": None}),
    "columns in another order": Case(shuffled, "registered"),
    "a column in upper case": Case(upper, "registered"),
    "int32 for integer": Case(with_(amount=typed("amount", pa.int32())), "registered"),
    "uint64 for integer": Case(with_(amount=typed("amount", pa.uint64())), "copied"),
    "float for number": Case(with_(price=typed("price", pa.float32())), "registered"),
    "int64 for number": Case(with_(price=typed("id", pa.int64())), "copied", shown={"price": "id"}),
    "decimal for number": Case(with_(price=typed("price", pa.decimal128(18, 4))), "copied"),
    "whole doubles for integer": Case(with_(amount=typed("amount", pa.float64())), "copied"),
    "fractions for integer": Case(
        with_(amount=each(1.5, pa.float64())), "quarantined", "column amount holds fractions"
    ),
    "digits for integer": Case(with_(amount=typed("amount", pa.string())), "copied"),
    "words for integer": Case(with_(amount=each("Tom's", pa.string())), "quarantined", "column amount holds"),
    "words for number": Case(with_(price=each("4,50 €", pa.string())), "quarantined", "column price holds"),
    "words for a date": Case(with_(day=each("yesterday", pa.string())), "quarantined", "column day holds"),
    "instants for a date": Case(with_(day=each(datetime(2026, 11, 1, tzinfo=UTC), UTC_US)), "copied"),
    "numbers for text": Case(with_(name=typed("id", pa.int64())), "copied", shown={"name": "str(id)"}),
    "words for a flag": Case(with_(active=each("perhaps", pa.string())), "quarantined", "column active holds"),
    "numbers for a flag": Case(with_(active=each(1, pa.int64())), "quarantined", "column active is BIGINT"),
    "extracted_at in ms as int64": Case(
        with_(_airbyte_extracted_at=lambda ids: pa.array([millis(key) for key in ids], pa.int64())), "copied"
    ),
    "extracted_at in ms, not UTC": Case(
        with_(_airbyte_extracted_at=lambda ids: pa.array([naive(key) for key in ids], pa.timestamp("ms"))), "copied"
    ),
    "extracted_at in us, UTC": Case(with_(_airbyte_extracted_at=typed("_airbyte_extracted_at", UTC_US)), "registered"),
    "extracted_at as text": Case(
        with_(_airbyte_extracted_at=lambda ids: pa.array([extracted_at(key).isoformat() for key in ids], pa.string())),
        "copied",
    ),
    "extracted_at as words": Case(
        with_(_airbyte_extracted_at=each("today", pa.string())), "quarantined", "column _airbyte_extracted_at holds"
    ),
    "updated_at not UTC": Case(
        with_(updated_at=lambda ids: pa.array([naive(key) for key in ids], pa.timestamp("us"))), "copied"
    ),
    "updated_at as int64": Case(
        with_(updated_at=typed("id", pa.int64())), "quarantined", "column updated_at is BIGINT"
    ),
    "struct with a member more": Case(
        with_(address=each({"city": "Berlin", "floor": 3, "zip": "10115"}, WIDE_ADDRESS)), "registered"
    ),
    "struct with a member less": Case(
        with_(address=each({"city": "Berlin"}, NARROW_ADDRESS)),
        "registered",
        shown={"address": {"city": "Berlin", "zip": None}},
    ),
    "struct with a member of another type": Case(
        with_(address=each({"city": "Berlin", "zip": 10115}, NUMBER_ZIP)), "copied"
    ),
    "no struct in some rows": Case(with_(address=each(None, ADDRESS)), "registered", shown={"address": None}),
    "json where a struct is declared": Case(
        with_(address=each('{"city": "Berlin", "zip": "10115"}', pa.string())), "copied"
    ),
    "json with other members where a struct is declared": Case(
        with_(address=each('{"city": "Berlin", "floor": 3}', pa.string())),
        "copied",
        shown={"address": {"city": "Berlin", "zip": None}},
    ),
    "json of a list where a struct is declared": Case(
        with_(address=each('["Berlin"]', pa.string())), "quarantined", "column address holds"
    ),
    "no json where a struct is declared": Case(
        with_(address=each("Berlin 10115", pa.string())), "quarantined", "column address holds text that is no JSON"
    ),
    "a list for a struct": Case(
        with_(address=each(["Berlin"], pa.list_(pa.string()))), "quarantined", "column address is VARCHAR[]"
    ),
    "list elements with a member less": Case(
        with_(parts=each([{"sku": "a"}], SKU)), "registered", shown={"parts": [{"sku": "a", "amount": None}]}
    ),
    "list elements with a member of another type": Case(
        with_(parts=each([{"sku": "a", "amount": 1.0}], AMOUNTS)), "copied"
    ),
    "json where a list is declared": Case(with_(parts=each('[{"sku": "a", "amount": 1}]', pa.string())), "copied"),
    "a union's other member": Case(
        with_(either=each({"type": "string", "string": "x", "number": None}, BOTH)),
        "registered",
        shown={"either": {"type": "string", "string": "x", "number": None}},
    ),
    "a number for a union": Case(with_(either=each(1.5, pa.float64())), "quarantined", "column either is DOUBLE"),
}
IDS = {name: [1000 + 10 * number, 1001 + 10 * number] for number, name in enumerate(CASES)}


def expected_row(key: int, differing: Row | None) -> Row:
    row: Row = {
        "id": key,
        "raw_id": f"raw-{key}",
        "extracted_at": millis(key),
        "updated_at": millis(key),
        "name": f"thing {key}",
        "price": key + 0.5,
        "amount": key,
        "day": date(2026, 11, 1),
        "active": True,
        "address": {"city": "Berlin", "zip": "10115"},
        "parts": [{"sku": "a", "amount": 1}],
        "either": {"type": "number", "string": None, "number": 1.5},
    }
    values = {"id": float(key), "str(id)": str(key)}
    changed = {
        name: values.get(value, value) if isinstance(value, str) else value for name, value in (differing or {}).items()
    }
    return row | changed


def shown_rows(project: Project) -> dict[int, Row]:
    with project.stock() as connection:
        cursor = connection.execute(
            "SELECT id, _airbyte_raw_id AS raw_id, epoch_ms(_airbyte_extracted_at) AS extracted_at, "
            "epoch_ms(updated_at) AS updated_at, name, price, amount, day, active, address, parts, either "
            "FROM processed.int_test__things"
        )
        names = [column[0] for column in cursor.description or ()]
        return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


@dataclass(frozen=True)
class Lake:
    """All cases registered and transformed together, and what was told."""

    project: Project
    registered: dict[str, Any]
    messages: list[str]
    ledger: dict[str, tuple[str, str | None, int | None]]
    rows: dict[int, Row]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    project = things_project(tmp_path_factory.mktemp("bad"))
    for name, case in CASES.items():
        project.put(key_of(f"{name}.parquet"), case.body(IDS[name]))
    registered = project.json("register", expect=5)
    transformed = project.json("transform", expect=5)
    return Lake(
        project=project,
        registered=registered.stream("test/things"),
        messages=[str(line["message"]) for line in (*registered.log, *transformed.log)],
        ledger={
            path.rsplit("/", 1)[-1].removesuffix(".parquet"): (status, reason, rows)
            for path, status, reason, rows in project.rows("SELECT path, status, reason, rows FROM meta.current_files")
        },
        rows=shown_rows(project),
    )


@pytest.mark.parametrize("name", CASES)
def test_each_file_is_taken_copied_empty_or_set_aside_with_its_reason(lake: Lake, name: str) -> None:
    case, (status, reason, rows) = CASES[name], lake.ledger[name]
    assert (status, case.reason in (reason or "")) == (case.status, True), reason
    assert (reason is None) == (status != "quarantined")
    if status in {"registered", "copied"}:
        assert rows == 2
        assert {key: lake.rows[key] for key in IDS[name]} == {key: expected_row(key, case.shown) for key in IDS[name]}
    else:
        assert not lake.rows.keys() & set(IDS[name])


def test_landing_holds_what_was_taken_and_nothing_else(lake: Lake) -> None:
    taken = sorted(key for name, case in CASES.items() if case.status in {"registered", "copied"} for key in IDS[name])
    assert [row[0] for row in lake.project.rows("SELECT id FROM landing.stg_test__things ORDER BY id")] == taken


def test_the_envelope_counts_what_the_ledger_holds(lake: Lake) -> None:
    for status in ("registered", "copied", "empty", "quarantined"):
        assert lake.registered[f"{status}_files"] == sum(case.status == status for case in CASES.values()), status


def test_no_reason_and_no_message_repeats_a_value(lake: Lake) -> None:
    told = [reason for _, reason, _ in lake.ledger.values() if reason] + lake.messages
    for value in ("Tom's", "4,50", "yesterday", "perhaps", "today", "Berlin 10115"):
        assert not [text for text in told if value in text], value
    assert not [text for text in told if "Traceback" in text or "Error:" in text]


def test_findings_stay_open_and_are_not_tried_again_by_themselves(lake: Lake) -> None:
    outcome = lake.project.json("register", expect=5)
    item = outcome.stream("test/things")
    assert item["quarantined_files"] == item["registered_files"] == item["batches"] == 0
    check = lake.project.json("ingest-check", expect=5)
    bad = sum(case.status == "quarantined" for case in CASES.values())
    assert check.stream("test/things")["quarantined_files"] == bad
    assert lake.project.rows("SELECT count(*) FROM meta.findings WHERE kind = 'quarantined'") == [(bad,)]


def test_int64_milliseconds_stay_by_reference_where_they_are_the_everyday_case(things: Project) -> None:
    as_int64 = with_(_airbyte_extracted_at=lambda ids: pa.array([millis(key) for key in ids], pa.int64()))
    for number in range(3):
        things.put(key_of(f"plain_{number}.parquet"), as_int64([number]))
    things.put(key_of("stamped.parquet"), data_file([7]))
    item = things.json("register").stream("test/things")
    assert (item["registered_files"], item["copied_files"], item["quarantined_files"]) == (3, 1, 0)
    things.json("transform")
    assert {key: row["extracted_at"] for key, row in shown_rows(things).items()} == {
        key: millis(key) for key in (0, 1, 2, 7)
    }


NAMES = (
    "with a blank.parquet",
    "it's.parquet",
    'quo"ted.parquet',
    "100%.parquet",
    "a%20b.parquet",
    "a+b.parquet",
    "a#b.parquet",
    "a*.parquet",
    "a?.parquet",
    "[x].parquet",
    "a[0-9].parquet",
    "{a,b}.parquet",
    "ünïcode-日本.parquet",
    "e\u0301.parquet",
    "back\\slash.parquet",
    "semi;colon&and.parquet",
    "part_0.parquet",
    "part_0.parquet-1",
    "UPPER.PARQUET",
    "id=5/a.parquet",
    "name=x/updated_at=1/a.parquet",
    "new\nline.parquet",
)
IGNORED = (".hidden.parquet", "_SUCCESS", "_temporary/a.parquet", "a.parquet.tmp", ".a.parquet.crc", "notes.txt")


def test_any_key_is_read_and_what_is_no_data_file_is_left_alone(things: Project) -> None:
    for number, name in enumerate(NAMES):
        things.put(key_of(name), data_file([number]))
    # Names that the patterns above would match too.
    things.put(key_of("ab.parquet"), data_file([100]))
    things.put(key_of("a5.parquet"), data_file([101]))
    things.put(key_of("x.parquet"), data_file([102]))
    for name in IGNORED:
        things.put(key_of(name), data_file([999]))
    things.put(key_of("copied * [it's].parquet"), data_file([103], price=pa.array([103], pa.int64())))
    item = things.json("register").stream("test/things")
    assert (item["registered_files"], item["copied_files"], item["quarantined_files"]) == (len(NAMES) + 3, 1, 0)
    things.json("transform")
    rows = shown_rows(things)
    assert set(rows) == {*range(len(NAMES)), 100, 101, 102, 103}
    assert {row["name"] for row in rows.values()} == {f"thing {key}" for key in rows}
    assert len(things.rows("SELECT id FROM landing.stg_test__things")) == len(rows)
    again = things.json("register").stream("test/things")
    assert (again["registered_files"], again["copied_files"]) == (0, 0)
    assert (
        things.json("ingest-check", "--detailed-exitcode", "--full-sweep").stream("test/things")["missing_files"] == 0
    )


def test_late_files_are_found_in_the_look_back_window_or_by_a_full_sweep(things: Project) -> None:
    things.put(key_of("today.parquet"), data_file([1]))
    things.json("register")
    things.put(key_of("late.parquet", days_ago=2), data_file([2]))
    things.put(key_of("very_late.parquet", days_ago=400), data_file([3]))
    check = things.json("ingest-check", "--detailed-exitcode", expect=10).stream("test/things")
    assert (check["pending_files"], check["late_files"]) == (1, 1)
    assert things.json("register").stream("test/things")["registered_files"] == 1
    assert things.json("register").stream("test/things")["registered_files"] == 0
    swept = things.json("ingest-check", "--full-sweep", "--detailed-exitcode", expect=10).stream("test/things")
    assert (swept["pending_files"], swept["late_files"]) == (1, 1)
    assert things.json("register", "--full-sweep").stream("test/things")["registered_files"] == 1
    things.json("transform")
    assert sorted(shown_rows(things)) == [1, 2, 3]


def test_a_retry_takes_up_what_the_mended_stream_file_allows(tmp_path: Path) -> None:
    wrong = STREAM_FILE.replace("primary_key: [id]", "primary_key: [code]").replace(
        "  id: {type: integer}\n", "  id: {type: integer}\n  code: {type: string}\n"
    )
    project = things_project(tmp_path, stream_file=wrong)
    project.put(key_of("old.parquet", days_ago=300), data_file([1, 2]))
    project.put(key_of("new.parquet"), data_file([3]))
    spoilt = project.put(key_of("spoilt.parquet"), b"nothing")
    assert project.json("register", expect=5).stream("test/things")["quarantined_files"] == 3
    assert project.json("register", expect=5).stream("test/things")["quarantined_files"] == 0
    write(project.root / "streams" / f"{STREAM}.yml", STREAM_FILE)
    retried = project.json("register", "--retry-quarantined", expect=5).stream("test/things")
    assert (retried["registered_files"], retried["quarantined_files"]) == (2, 1)
    spoilt.write_bytes(data_file([4]))
    assert project.json("register").stream("test/things")["registered_files"] == 1
    project.json("transform")
    assert sorted(shown_rows(project)) == [1, 2, 3, 4]
    assert project.rows("SELECT count(*) FROM meta.findings") == [(0,)]
