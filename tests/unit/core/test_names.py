"""Which names are one, and what the lake's own columns are called beside fields of any name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lotuslake.adapters.landing_view import landing_view
from lotuslake.core.build import build_hash
from lotuslake.core.conversion import convert
from lotuslake.core.field_types import VARCHAR
from lotuslake.core.names import match_names
from lotuslake.core.schema_comparison import ByCopy, ByReference, Refused, compare_columns
from lotuslake.core.stream import Field, Stream
from lotuslake.core.type_text import parse_type
from lotuslake.core.version_columns import VersionColumns, name_version_columns
from lotuslake.testing.newest_wins import newest_versions, with_version
from tests.support.lake import ORDERS, a_row


def with_fields(*names: str, **options: Any) -> Stream:
    fields = (*ORDERS.fields, *(Field(name, VARCHAR, {"type": "string"}) for name in names))
    return replace(ORDERS, fields=fields, **options)


@pytest.mark.parametrize(
    ("own", "wanted", "found"),
    [
        (["ID"], "id", "ID"),
        (["straße"], "stra_e", "straße"),
        (["a-b"], "a_b", "a-b"),
        (["1st"], "_1st", "1st"),
        (["a-b", "a_b"], "a_b", "a_b"),
        # To DuckDB these are four names.
        (["ä", "Ä", "ß", "SS"], "ss", "SS"),
        (["other"], "id", None),
    ],
)
def test_a_files_name_for_a_column(own: list[str], wanted: str, found: str | None) -> None:
    assert match_names(own, [wanted]) == {wanted: [found] if found else []}


def test_two_names_that_airbyte_would_have_written_alike_are_refused() -> None:
    landing = (("a_b", VARCHAR), ("o", parse_type("STRUCT(a_b BIGINT)")))
    verdict = compare_columns((("a-b", VARCHAR), ("a b", VARCHAR)), landing, [])
    assert verdict == Refused("columns a-b and a b could both be the declared a_b")
    nested = compare_columns((("o", parse_type('STRUCT("a-b" BIGINT, "a b" BIGINT)')),), landing, [])
    assert isinstance(nested, Refused)


def test_a_file_of_another_program_keeps_the_sources_names_and_is_converted() -> None:
    landing = (("stra_e", VARCHAR), ("o", parse_type("STRUCT(gro_e BIGINT, b BIGINT)")))
    file = (("straße", VARCHAR), ("o", parse_type('STRUCT("grö-e" BIGINT, b BIGINT)')))
    verdict = compare_columns(file, landing, [])
    assert isinstance(verdict, ByCopy)
    assert dict(verdict.columns)["stra_e"] == '"straße"'
    # Read by reference, the member would be NULL.
    nested = compare_columns(file[1:], landing[1:], [])
    assert isinstance(nested, ByCopy)
    assert '"gro_e" := ("o")."grö-e"' in dict(nested.columns)["o"]
    assert compare_columns((("o", parse_type("STRUCT(b BIGINT)")),), landing[1:], []) == ByReference()


def test_a_lambdas_item_is_never_taken_for_a_column() -> None:
    sql = convert('"e0"', parse_type("STRUCT(e0 INTEGER)[]"), parse_type("STRUCT(e0 BIGINT)[]"))
    assert sql is not None
    assert '(_lotuslake_e0)."e0"' in sql


def test_the_lakes_columns_make_way_for_fields() -> None:
    tombstones: dict[str, Any] = {"tombstone_field": "gone"}
    assert name_version_columns(ORDERS) == VersionColumns("_cursor")
    assert name_version_columns(replace(ORDERS, cursor_field=None)) == VersionColumns()
    usual = VersionColumns("_cursor", "is_deleted", "_deleted_extracted_at", "_deleted_raw_id", "gone")
    assert name_version_columns(with_fields("gone", **tombstones)) == usual
    taken = with_fields("_Cursor", "__cursor", "is_deleted", "_deleted_raw_id", "gone", **tombstones)
    names = VersionColumns("___cursor", "is_deleted", "_deleted_extracted_at", "__deleted_raw_id", "gone")
    assert name_version_columns(taken) == names


def test_fields_stand_under_their_own_names_in_the_view() -> None:
    view = landing_view(with_fields("_cursor", "is_deleted"), (), [])
    assert view.count('AS "_cursor"') == 2  # The typed nothing, and the field itself.
    assert '"updated_at" AS "lotuslake:__cursor"' in view
    assert '"lotuslake:is_deleted"' not in view


def test_older_macros_find_the_usual_names() -> None:
    view = landing_view(with_fields("gone", tombstone_field="gone"), (), [], marked=False)
    for name in ("_cursor", "is_deleted", "_deleted_extracted_at", "_deleted_raw_id"):
        assert f'AS "{name}"' in view
    assert "lotuslake:" not in view


def test_what_the_file_says_of_the_table_is_in_the_hash_that_it_was_built_by() -> None:
    streams = (ORDERS, with_fields("rowid"), with_fields("_cursor"), replace(ORDERS, null_keys="drop"))
    hashes = [build_hash("h", stream) for stream in (*streams, ORDERS)]
    assert hashes[0] == hashes[-1]
    assert len(set(hashes)) == len(streams)


def test_the_double_keeps_fields_and_the_lakes_columns_apart() -> None:
    stream = with_fields("_cursor", "_deleted_raw_id", "rowid", "gone", tombstone_field="gone")
    full = a_row(1, 1, _cursor="of the source", _deleted_raw_id="of the source", rowid=7, gone=None)
    late = a_row(1, 2, updated_at=None, total=None, gone="x")
    (row,) = newest_versions(stream, [with_version(stream, late), with_version(stream, full)])
    assert (row["_cursor"], row["_deleted_raw_id"], row["rowid"], row["total"]) == (
        "of the source",
        "of the source",
        7,
        1,
    )
    assert (row["__cursor"], row["__deleted_raw_id"], row["is_deleted"], row["gone"]) == ("v001", "1-2-1", True, "x")
