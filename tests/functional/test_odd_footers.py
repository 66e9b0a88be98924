"""Valid files whose footers are not what the writers here write: none is kept out, and none fills another column."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lotuslake.adapters.refused_files
import lotuslake.core.schema_comparison
from lotuslake.core.field_types import ColumnType, Scalar
from lotuslake.sql import load_sql
from tests.functional.program import Project
from tests.functional.things import MODEL, STREAM_FILE, columns, data_file, key_of, parquet, things_project
from tests.support.parquet_footer import (
    LOGICAL_NULL,
    LOGICAL_TYPE,
    LZ4_HADOOP,
    LZO,
    STATISTICS,
    STRUCT,
    Value,
    chunks,
    elements,
    rewrite,
    with_codec,
    without_statistics,
)

# From this on, a millisecond too many for DuckDB's microseconds.
LARGEST = (9_223_372_036_854_775, 9_223_372_036_854_776, 2**63 - 1)
CLOCK_FILE = STREAM_FILE + "  opens: {type: string, format: time}\n"
CLOCK_MODEL = MODEL.replace("either,", "either, opens,")


def things_with(tmp_path: Path, **files: bytes) -> Project:
    project = things_project(tmp_path)
    for name, body in files.items():
        project.put(key_of(f"{name}.parquet"), body)
    return project


def statuses(project: Project) -> dict[str, tuple[str, str | None]]:
    found = project.rows("SELECT path, status, reason FROM meta.current_files")
    return {path.rsplit("/", 1)[-1].removesuffix(".parquet"): (status, reason) for path, status, reason in found}


# Item 1: what our own statement trips over is no fault of the file.


def test_no_value_of_any_column_makes_a_file_damaged(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "amount": pa.array(LARGEST, pa.int64()),
        "price": pa.array([1e17, 1e300, -1e300], pa.float64()),
        "undeclared": pa.array([2**64 - 1, 0, 2**63], pa.uint64()),
        "name": pa.array([str(10**30), "9223372036854775807", "-1"], pa.string()),
        "day_number": pa.array([10**37, -(10**37), 0], pa.decimal128(38, 0)),
    }
    ids = {column: [3 * number + row for row in range(3)] for number, column in enumerate(arrays)}
    files = {column: data_file(ids[column], **{column: array}) for column, array in arrays.items()}
    project = things_with(tmp_path, **files)
    project.json("register")
    assert statuses(project) == dict.fromkeys(arrays, ("registered", None))
    project.json("transform")
    for column in ("amount", "price", "name"):
        wanted = ", ".join(map(str, ids[column]))
        shown = project.rows(f"SELECT {column} FROM processed.int_test__things WHERE id IN ({wanted}) ORDER BY id")
        assert [row[0] for row in shown] == arrays[column].to_pylist()


def test_an_instant_of_extraction_beyond_all_bounds_is_read_or_named(tmp_path: Path) -> None:
    far = pa.array([2**63 - 1], pa.int64())
    project = things_with(
        tmp_path, good=data_file([1]), better=data_file([3]), far=data_file([2], _airbyte_extracted_at=far)
    )
    project.json("register", expect=5)
    assert statuses(project)["good"] == ("registered", None)
    assert statuses(project)["far"] == ("quarantined", "column _airbyte_extracted_at holds instants too far away")


def test_a_failing_statement_of_ours_is_our_error_and_no_quarantine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = things_with(tmp_path, good=data_file([1, 2]))
    footers = dict(load_sql("footers"))
    monkeypatch.setitem(
        load_sql("footers"),
        "facts",
        footers["facts"].replace("SELECT\n    file_name", "SELECT\n    CAST('x' AS INT), file_name"),
    )
    outcome = project.json("register", expect=1)
    [error] = outcome.envelope["errors"]
    assert error["code"] == "statement"
    assert error["stream"] == "test/things"
    assert "footers.facts" in error["message"]
    assert "good.parquet" in error["message"]
    assert project.rows("SELECT count(*) FROM meta.files") == [(0,)]
    monkeypatch.undo()
    assert project.json("register").stream("test/things")["registered_files"] == 1


# Item 2: the engine shows the second of two namesakes under another name.


def namesakes(ids: list[int], first: str, second: str, *, shift: int = 50) -> bytes:
    """A file in which a column's namesake comes first, with other values."""
    arrays = columns(ids)
    own = arrays.pop(second)
    other = pa.array([key + shift for key in ids], pa.int64()) if second == "id" else pa.array(["other" for _ in ids])
    return parquet({first: other, **arrays, second: own})


def part_twice(column: str) -> bytes:
    names = ("City", "city") if column == "address" else ("SKU", "sku")
    type_ = pa.struct([pa.field(name, pa.string()) for name in names])
    value = dict(zip(names, ("wrong", "right"), strict=True))
    if column == "address":
        return data_file([90], address=pa.array([value], type_))
    return data_file([90], parts=pa.array([[value]], pa.list_(type_)))


def test_names_that_differ_in_case_alone_keep_a_file_out(tmp_path: Path) -> None:
    twice = pa.array([{"City": "a", "city": "b"}], pa.struct([("City", pa.string()), ("city", pa.string())]))
    project = things_with(
        tmp_path,
        good=data_file([1]),
        elsewhere=data_file([2], undeclared=twice),
        id=namesakes([21, 22], "ID", "id"),
        name=namesakes([23], "Name", "name"),
        zoo=parquet({**columns([24]), "Zoo": pa.array([1]), "zoo": pa.array([3])}),
        address=part_twice("address"),
        parts=part_twice("parts"),
    )
    project.json("register", expect=5)
    differ = "differ only in upper and lower case"
    assert statuses(project) == {
        "good": ("registered", None),
        "elsewhere": ("registered", None),
        "id": ("quarantined", f"the columns ID and id {differ}"),
        "name": ("quarantined", f"the columns Name and name {differ}"),
        "zoo": ("quarantined", f"the columns Zoo and zoo {differ}"),
        "address": ("quarantined", f"the members of column address City and city {differ}"),
        "parts": ("quarantined", f"the members of column parts SKU and sku {differ}"),
    }
    project.json("transform", expect=5)
    shown = project.rows("SELECT id, name, address.city FROM processed.int_test__things ORDER BY id")
    assert shown == [(1, "thing 1", "Berlin"), (2, "thing 2", "Berlin")]


# Item 3: types that DuckDB's description hides.


def all_null(body: bytes, *names: str) -> bytes:
    """The file with the logical type Null, field 11 of LogicalType, on these columns."""

    def change(footer: Value) -> None:
        for name in names:
            for element in elements(footer, name):
                element.value[LOGICAL_TYPE] = Value(STRUCT, {LOGICAL_NULL: Value(STRUCT, {})})
                element.value.pop(6, None)

    return rewrite(body, change)


def test_a_column_of_nothing_but_null_is_taken_for_any_type(tmp_path: Path) -> None:
    names = ("day", "active", "address", "parts", "price", "name", "updated_at", "amount", "either")
    project = things_with(
        tmp_path,
        good=data_file([100]),
        **{name: data_file([number], **{name: pa.nulls(1)}) for number, name in enumerate(names)},
    )
    project.json("register")
    project.json("transform")
    nulls = ", ".join(f"{name} IS NULL" for name in names)
    shown = project.rows(f"SELECT {nulls} FROM processed.int_test__things ORDER BY id")
    assert shown == [
        *(tuple(number == column for column in range(len(names))) for number in range(len(names))),
        (False,) * len(names),
    ]


def test_a_member_of_nothing_but_null_is_taken_too(tmp_path: Path) -> None:
    address = pa.array([{"city": None, "zip": "1"}], pa.struct([("city", pa.null()), ("zip", pa.string())]))
    parts = pa.array(
        [[{"sku": "a", "amount": None}]], pa.list_(pa.struct([("sku", pa.string()), ("amount", pa.null())]))
    )
    project = things_with(tmp_path, nothing=data_file([1], address=address, parts=parts))
    project.json("register")
    project.json("transform")
    shown = project.rows("SELECT address.city, address.zip, parts FROM processed.int_test__things")
    assert shown == [(None, "1", [{"sku": "a", "amount": None}])]


def test_values_under_the_type_null_are_not_there(tmp_path: Path) -> None:
    """The format says that such a column is always NULL; pyarrow reads it so, and DuckDB ends itself where it is not."""
    lies = all_null(without_statistics(data_file([1], day=pa.array([7], pa.int32()))), "day")
    assert pq.read_table(io.BytesIO(lies))["day"].to_pylist() == [None]
    project = things_with(tmp_path, lies=lies)
    project.json("register")
    project.json("transform")
    assert project.rows("SELECT id, day FROM processed.int_test__things") == [(1, None)]


def test_a_footer_on_which_duckdb_itself_fails_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Bounds of a column that can hold nothing: DuckDB 1.5.5 ends with an internal error and answers nothing afterwards."""
    deadly = all_null(data_file([1], day=pa.array([7], pa.int32())), "day")
    project = things_with(tmp_path, a=data_file([1]), b=deadly, c=data_file([2]))
    project.json("register", expect=5)
    failing = "DuckDB itself fails on its footer; the file may be damaged"
    assert statuses(project) == {"a": ("registered", None), "b": ("quarantined", failing), "c": ("registered", None)}
    project.json("transform", expect=5)
    assert project.rows("SELECT id FROM processed.int_test__things ORDER BY id") == [(1,), (2,)]


def test_a_time_of_day_in_any_unit(tmp_path: Path) -> None:
    project = things_project(tmp_path, stream_file=CLOCK_FILE, model=CLOCK_MODEL)
    types: dict[str, Any] = {"ms": pa.time32("ms"), "us": pa.time64("us"), "ns": pa.time64("ns"), "text": pa.string()}
    for number, (name, type_) in enumerate(types.items()):
        opens = pa.array([time(9, 30, 15), None], pa.time64("us")).cast(type_)
        project.put(key_of(f"{name}.parquet"), data_file([10 * number, 10 * number + 1], opens=opens))
    project.json("register", expect=5)
    assert statuses(project) == {
        "ms": ("copied", None),
        "us": ("registered", None),
        "ns": ("quarantined", "column opens is TIME_NS, which does not convert to TIME"),
        "text": ("copied", None),
    }
    project.json("transform", expect=5)
    shown = project.rows("SELECT id, opens FROM processed.int_test__things ORDER BY id")
    assert shown == [(id_ + row, None if row else time(9, 30, 15)) for id_ in (0, 10, 30) for row in (0, 1)]


def test_what_the_lake_refuses_although_the_comparison_took_it_is_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison believes that text may stand for a number: DuckLake refuses such a file, and its neighbours go on."""
    believed = lotuslake.core.schema_comparison._is_narrower

    def believes_anything(name: str, wanted: Scalar) -> bool:
        return name == "VARCHAR" or believed(name, wanted)

    monkeypatch.setattr(lotuslake.core.schema_comparison, "_is_narrower", believes_anything)
    text = pa.array(["12", "13"])
    project = things_with(tmp_path, good=data_file([1, 2]), text=data_file([3, 4], amount=text))
    bad = pa.array(["Tom"])
    project.put(key_of("words.parquet"), data_file([5], amount=bad))
    project.json("register", expect=5)
    assert statuses(project) == {
        "good": ("registered", None),
        "text": ("copied", None),
        "words": ("quarantined", "column amount holds what is no whole number"),
    }
    project.json("transform", expect=5)
    assert project.rows("SELECT id, amount FROM processed.int_test__things ORDER BY id") == [
        (1, 1),
        (2, 2),
        (3, 12),
        (4, 13),
    ]


def test_what_the_lake_refuses_in_every_form_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def believes_that_words_convert(expression: str, *_: ColumnType, **__: Any) -> str:
        return expression

    monkeypatch.setattr(lotuslake.core.schema_comparison, "convert", believes_that_words_convert)
    monkeypatch.setattr(lotuslake.core.schema_comparison, "is_readable_as", lambda *_: True)
    project = things_with(tmp_path, good=data_file([1, 2]), text=data_file([3], amount=pa.array(["12"])))
    project.json("register", expect=5)
    assert statuses(project)["good"] == ("registered", None)
    assert statuses(project)["text"] == ("quarantined", lotuslake.adapters.refused_files.NOT_TAKEN)


def test_a_codec_that_duckdb_lacks_is_named(tmp_path: Path) -> None:
    body = data_file([2])
    project = things_with(tmp_path, good=data_file([1]), LZO=with_codec(body, LZO), LZ4=with_codec(body, LZ4_HADOOP))
    project.json("register", expect=5)
    assert statuses(project)["good"] == ("registered", None)
    for name in ("LZO", "LZ4"):
        status, reason = statuses(project)[name]
        assert status == "quarantined"
        assert reason is not None
        assert reason.startswith(f"it is compressed with {name}, which DuckDB does not read; choose SNAPPY")


# Item 7: statistics are optional.

NINTH = datetime(2026, 11, 9, tzinfo=UTC).replace(tzinfo=None)
FORMS: dict[str, Any] = {
    "instants": pa.timestamp("ms", tz="UTC"),
    "local": pa.timestamp("us"),
    "milliseconds": pa.int64(),
}


def test_a_file_without_statistics_tells_as_much(tmp_path: Path) -> None:
    project = things_project(tmp_path)
    at = [datetime(2026, 11, day, tzinfo=UTC) for day in (3, 9, 5)]
    stamps = pa.array([round(a.timestamp() * 1000) for a in at], pa.int64())
    for form, type_ in FORMS.items():
        stamped = stamps if form == "milliseconds" else stamps.cast(pa.timestamp("ms", tz="UTC")).cast(type_)
        generation = pa.array([4, 4, 4], pa.int64())
        body = data_file([1, 2, 3], _airbyte_extracted_at=stamped, _airbyte_generation_id=generation)
        for lacking in ((), ("_airbyte_generation_id",), ("_airbyte_extracted_at",)):
            name = f"{form}{''.join(lacking)}.parquet"
            project.put(key_of(name), without_statistics(body, *lacking))
    project.json("register")
    told = project.rows("SELECT generation_id, newest_extracted_at, content_hash IS NOT NULL FROM meta.current_files")
    assert told == [(4, NINTH, True)] * 9


def test_one_row_group_without_statistics_is_not_passed_over(tmp_path: Path) -> None:
    sink = io.BytesIO()
    arrays = columns([1, 2]) | {"_airbyte_generation_id": pa.array([4, 9], pa.int64())}
    pq.write_table(pa.table(arrays), sink, store_schema=False, row_group_size=1)

    def forget_the_second(footer: Value) -> None:
        chunks(footer, "_airbyte_generation_id")[1].value.pop(STATISTICS)

    project = things_with(tmp_path, two_groups=rewrite(sink.getvalue(), forget_the_second))
    project.json("register")
    assert project.rows("SELECT generation_id FROM meta.current_files") == [(9,)]


FULL = (
    STREAM_FILE.replace("sync_mode: incremental", "sync_mode: full_refresh")
    .replace("destination_sync_mode: append", "destination_sync_mode: overwrite")
    .replace("cursor_field: updated_at\n", "settle_after: 1s\nmax_shrink: 1\n")
)


def test_a_deleted_row_goes_although_no_file_has_statistics(tmp_path: Path) -> None:
    project = things_project(tmp_path, stream_file=FULL)
    first = project.put(key_of("first.parquet"), without_statistics(data_file([1, 2])))
    project.json("register")
    project.json("transform")
    assert project.rows("SELECT id FROM processed.int_test__things ORDER BY id") == [(1,), (2,)]
    second = data_file([3], _airbyte_generation_id=pa.array([1], pa.int64()))
    an_hour_ago = datetime.now(UTC).timestamp() - 3600
    os.utime(project.put(key_of("second.parquet"), without_statistics(second)), (an_hour_ago, an_hour_ago))
    first.unlink()
    project.json("register", "--full-sweep")
    project.json("transform")
    assert project.rows("SELECT id FROM processed.int_test__things") == [(3,)]


def test_other_content_without_statistics_is_other_content(tmp_path: Path) -> None:
    """Sizes and places are the same, and a footer without statistics has nothing else that could differ."""
    before, after = (
        without_statistics(data_file([1], _airbyte_raw_id=pa.array([raw_id]), name=pa.array([name])))
        for raw_id, name in (("raw-a", "before"), ("raw-b", "behind"))
    )
    assert len(before) == len(after)
    project = things_with(tmp_path, thing=before)
    project.json("register")
    project.json("transform")
    project.put(key_of("thing.parquet"), after)
    project.json("register", "--full-sweep", expect=5)
    project.json("transform")
    assert project.rows("SELECT name FROM processed.int_test__things") == [("behind",)]
