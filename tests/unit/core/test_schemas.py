"""Files against landing tables, landing tables against streams, and types against their text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.core.data_file import FileStatus
from lotuslake.core.decision import decide, to_entry
from lotuslake.core.errors import ConfigError
from lotuslake.core.evolution import AddColumn, plan_evolution
from lotuslake.core.field_types import ColumnType, ListOf, Scalar, Struct
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.schema_comparison import (
    ByCopy,
    ByReference,
    Refused,
    compare_columns,
    is_readable_as,
    landing_columns,
)
from lotuslake.core.type_text import parse_type
from tests.support.lake import NOW, ORDERS, a_file

Columns = tuple[tuple[str, ColumnType], ...]


def columns(**types: str) -> Columns:
    return tuple((name, parse_type(text)) for name, text in types.items())


LANDING = columns(id="BIGINT", total="DOUBLE", at="TIMESTAMP", customer="STRUCT(id BIGINT, name VARCHAR)")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (LANDING, ByReference()),
        (columns(ID="INTEGER"), ByReference()),
        (columns(extra="BLOB", id="BIGINT", total="FLOAT", at="TIMESTAMP_MS"), ByReference()),
        (columns(id="BIGINT", customer="STRUCT(ID INTEGER, extra DATE)"), ByReference()),
        (columns(total="DOUBLE"), Refused("column id is missing")),
        (columns(id="BIGINT", at="BOOLEAN"), Refused("column at is BOOLEAN, which does not convert to TIMESTAMP")),
        (columns(id="BIGINT", ID="BIGINT"), Refused("two columns differ only in upper and lower case: id")),
        (columns(id="BIGINT", other="BIGINT", Other="BIGINT"), ByReference()),
    ],
)
def test_a_file_stands_as_it_is_or_not_at_all(file: Columns, expected: object) -> None:
    assert compare_columns(file, LANDING, ["id"]) == expected


def test_a_file_that_needs_converting_has_every_landing_column_told() -> None:
    verdict = compare_columns(columns(Id="VARCHAR", total="DOUBLE"), LANDING, ["id"])
    assert isinstance(verdict, ByCopy)
    told = dict(verdict.columns)
    assert list(told) == ["id", "total", "at", "customer"]
    assert told["id"].startswith('CASE WHEN "Id" IS NULL')
    assert (told["total"], told["at"]) == ('"total"', "CAST(NULL AS TIMESTAMP)")


def test_copies_are_made_of_all_files_on_request() -> None:
    verdict = compare_columns(columns(id="BIGINT"), LANDING[:1], ["id"], always_copy=True)
    assert verdict == ByCopy((("id", '"id"'),))


@pytest.mark.parametrize(
    ("file", "wanted", "expected"),
    [
        ("SMALLINT", "BIGINT", True),
        ("UBIGINT", "BIGINT", False),
        ("BIGINT", "INTEGER", False),
        ("FLOAT", "DOUBLE", True),
        ("BIGINT", "DOUBLE", False),
        ("TIMESTAMP_NS", "TIMESTAMP", True),
        ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP", False),
        ("DATE", "TIMESTAMP", False),
        ("INTEGER[]", "BIGINT[]", True),
        ("VARCHAR[]", "BIGINT[]", False),
        ("INTEGER", "BIGINT[]", False),
        ("STRUCT(a INTEGER)", "STRUCT(b BIGINT)", False),
        ("STRUCT(a VARCHAR, b INTEGER)", "STRUCT(a BIGINT, b BIGINT)", False),
    ],
)
def test_what_ducklake_reads_by_itself(file: str, wanted: str, expected: bool) -> None:
    assert is_readable_as(parse_type(file), parse_type(wanted)) is expected


DECLARED = columns(_airbyte_extracted_at="TIMESTAMP", at="TIMESTAMP", deep="STRUCT(at TIMESTAMP, n BIGINT)[]")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([], DECLARED),
        (
            [columns(_airbyte_extracted_at="BIGINT", AT="TIMESTAMP WITH TIME ZONE")],
            columns(_airbyte_extracted_at="BIGINT", at="TIMESTAMP WITH TIME ZONE", deep=str(DECLARED[2][1])),
        ),
        (
            [columns(at="BIGINT", deep="STRUCT(AT TIMESTAMP WITH TIME ZONE, n VARCHAR)[]")],
            columns(
                _airbyte_extracted_at="TIMESTAMP",
                at="TIMESTAMP",
                deep="STRUCT(at TIMESTAMP WITH TIME ZONE, n BIGINT)[]",
            ),
        ),
        ([columns(at="TIMESTAMP_NS", deep="VARCHAR")], DECLARED),
        ([columns(deep="STRUCT(n BIGINT)[]")], DECLARED),
    ],
)
def test_a_new_table_takes_the_form_of_instants_that_its_files_have(seen: list[Columns], expected: Columns) -> None:
    assert landing_columns(DECLARED, seen) == expected


def test_the_form_that_most_files_have_is_taken() -> None:
    utc, local = columns(at="TIMESTAMP WITH TIME ZONE"), columns(at="TIMESTAMP")
    assert dict(landing_columns(DECLARED, [local, utc, utc]))["at"] == utc[0][1]
    assert dict(landing_columns(DECLARED, [utc, local, local]))["at"] == local[0][1]


def test_each_file_of_a_batch_is_decided_by_itself() -> None:
    landing = columns(
        _airbyte_raw_id="VARCHAR", _airbyte_extracted_at="TIMESTAMP", id="BIGINT", updated_at="VARCHAR", total="BIGINT"
    )
    files = [a_file(f"{number}.parquet") for number in range(6)]
    text = columns(_airbyte_raw_id="VARCHAR", _airbyte_extracted_at="TIMESTAMP", id="VARCHAR")
    inspected: list[Footer | Unreadable] = [
        Footer(files[0], landing, 7, 3, NOW),
        Footer(files[1], landing, 0),
        Unreadable(files[2], "cut off"),
        Footer(files[3], text, 2),
        Footer(files[4], columns(id="BIGINT"), 2),
        Footer(files[5], landing, 1),
    ]
    decisions = decide(ORDERS, landing, inspected)
    assert [(one.file, one.status.value, one.rows, one.reason) for one in decisions] == [
        (files[0], "registered", 7, None),
        (files[1], "empty", 0, None),
        (files[2], "quarantined", None, "cut off"),
        (files[3], "copied", 2, None),
        (files[4], "quarantined", 2, "column _airbyte_raw_id is missing"),
        (files[5], "registered", 1, None),
    ]
    assert [name for name, _ in decisions[3].conversions] == [name for name, _ in landing]
    entry = to_entry(decisions[0], 9, "copied/x")
    assert (entry.seq, entry.generation_id, entry.newest_extracted_at, entry.data_path) == (9, 3, NOW, "copied/x")
    assert {one.status for one in decide(replace(ORDERS, landing="copy"), landing, inspected[:1])} == {
        FileStatus.COPIED
    }


@pytest.mark.parametrize(
    ("have", "want", "changes"),
    [
        (columns(a="BIGINT"), columns(a="BIGINT"), []),
        (columns(A="BIGINT", gone="DATE"), columns(a="BIGINT"), []),
        (columns(at="TIMESTAMP WITH TIME ZONE"), columns(at="TIMESTAMP"), []),
        (columns(), columns(a="BIGINT"), [AddColumn(("a",), Scalar("BIGINT"))]),
        (
            columns(o="STRUCT(L STRUCT(a BIGINT)[])"),
            columns(o="STRUCT(l STRUCT(a BIGINT, b DATE)[], c DATE)"),
            [AddColumn(("o", "L", "element", "b"), Scalar("DATE")), AddColumn(("o", "c"), Scalar("DATE"))],
        ),
    ],
)
def test_fields_are_added_to_a_landing_table(have: Columns, want: Columns, changes: list[AddColumn]) -> None:
    assert plan_evolution("shop/orders", have, want) == changes


@pytest.mark.parametrize(
    ("have", "want", "named"),
    [
        ("BIGINT", "VARCHAR", "field f of shop/orders is now VARCHAR, but the lake holds it as BIGINT"),
        ("STRUCT(a BIGINT)", "VARCHAR", "field f of"),
        ("STRUCT(a BIGINT)", "STRUCT(a DATE)", "field f.a of"),
        ("BIGINT[]", "DATE[]", "field f.element of"),
    ],
)
def test_a_retyped_field_is_refused_with_what_to_do(have: str, want: str, named: str) -> None:
    with pytest.raises(ConfigError) as raised:
        plan_evolution("shop/orders", columns(f=have), columns(f=want))
    assert named in raised.value.message
    assert "lotuslake backfill shop/orders --reregister" in raised.value.message
    assert raised.value.stream == "shop/orders"


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
SCALARS = st.sampled_from(
    ["BIGINT", "TIMESTAMP WITH TIME ZONE", "DECIMAL(18,3)", "MAP(VARCHAR,DATE[])", "ENUM('a','b)')", "VARCHAR"]
).map(Scalar)
TYPES: st.SearchStrategy[ColumnType] = st.recursive(
    SCALARS,
    lambda inner: (
        inner.map(ListOf)
        | st.lists(st.tuples(NAMES, inner), min_size=1, max_size=3).map(lambda fields: Struct(tuple(fields)))
    ),
    max_leaves=8,
)


@given(TYPES)
def test_a_type_is_read_back_from_its_text(type_: ColumnType) -> None:
    assert parse_type(str(type_)) == type_


@pytest.mark.parametrize(
    "text",
    [
        *("", "(", ")", '"x"', "BIGINT [", "BIGINT]", "DECIMAL(1", "BIGINT, DATE", "STRUCT(", "STRUCT()"),
        *("STRUCT(a)", "STRUCT(a BIGINT", "STRUCT(a BIGINT)]", "STRUCT(a BIGINT) x", "STRUCT(a BIGINT[]x)", "ENUM('a)"),
    ],
)
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="type"):
        parse_type(text)
