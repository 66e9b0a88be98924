"""Names where they meet others: the macros' own variables, two columns of one name, older macros, other programs' files."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lotuslake.core.errors import InvalidModelError
from lotuslake.core.scaffold.new_stream import NewStream
from tests.functional.hostile import INSTANT, TODAY, Version, meta, path_of, stream_files
from tests.functional.program import make_project, write
from tests.functional.things import parquet

DECOY = {"id": -1, "price": -1.0, "amount": -1.0, "subtotal": -1.0, "kind": "refund_discrepancy", "status": "failure"}
MONEY = "{type: object, properties: {shop_money: {type: object, properties: {amount: {type: number}}}}}"
MONEY_STREAM = f"""
description: Refunds with fields that are called as the macros' own variables.
sync_mode: full_refresh
destination_sync_mode: overwrite
primary_key: [select, order]
fields:
  select: {{type: integer}}
  order: {{type: integer}}
  id: {{type: integer}}
  note: {{type: string}}
  items: {{type: array, items: {{type: object, properties: {{price: {{type: number}}, price_set: {MONEY}}}}}}}
  refund_line_items:
    type: array
    items:
      type: object
      properties:
        subtotal: {{type: number}}
        subtotal_set: {MONEY}
        total_tax: {{type: number}}
        total_tax_set: {MONEY}
        line_item: {{type: object, properties: {{gift_card: {{type: boolean}}}}}}
  order_adjustments:
    type: array
    items: {{type: object, properties: {{kind: {{type: string}}, amount: {{type: number}}}}}}
  transactions:
    type: array
    items:
      type: object
      properties: {{kind: {{type: string}}, status: {{type: string}}, amount: {{type: number}}, currency: {{type: string}}}}
"""
DECOYS = ("item", "line", "payment", "adjustment", "refund", "landing")
DECOY_SCHEMA = (
    "{type: object, properties: {id: {type: integer}, price: {type: number}, amount: {type: number}, "
    "subtotal: {type: number}, kind: {type: string}, status: {type: string}}}"
)
MONEY_MODEL = """
select "select", "order", {{ json_text('note', "it's") }} as its, {{ sum_of_shop_money('refund.items', 'price') }} as total,
    {{ refund_columns('0.5', money('(adjustment).amount')) }}, {{ airbyte_columns() }}
from {{ landing() }} as refund
"""
MONEY_TESTS = """
models:
  - name: int_test__refunds
    data_tests:
      - unique: {name: unique_key, arguments: {column_name: '("select", "order")'}}
    columns: [{name: select, quote: true, data_tests: [not_null, unique]}, {name: order, quote: true, data_tests: [not_null]}]
"""


def test_the_macros_variables_are_not_taken_for_fields_of_their_names(tmp_path: Path) -> None:
    fields = "".join(f"  {name}: {DECOY_SCHEMA}\n" for name in DECOYS)
    models = {"processed/int_test__refunds.sql": MONEY_MODEL, "processed/refunds.yml": MONEY_TESTS}
    project = make_project(tmp_path, {"test/refunds": MONEY_STREAM + fields}, models)
    line: dict[str, Any] = {"subtotal": 3.0, "total_tax": 1.0, "line_item": {"gift_card": True}}
    line |= {"subtotal_set": {"shop_money": {"amount": 2.0}}, "total_tax_set": {"shop_money": {"amount": 0.25}}}
    values: dict[str, Any] = {
        "items": [{"price": 9.0, "price_set": {"shop_money": {"amount": 4.0}}}],
        "refund_line_items": [line],
        "order_adjustments": [{"kind": "refund_discrepancy", "amount": 7.0}, {"kind": "other", "amount": 8.0}],
        "transactions": [{"kind": "refund", "status": "success", "amount": 6.0, "currency": "EUR"}],
    }
    records = {name: pa.array([value]) for name, value in values.items()}
    records |= {"note": pa.array(['{"it\'s": "here"}'])}
    records |= {name: pa.array([value], pa.int64()) for name, value in (("select", 1), ("order", 2), ("id", 3))}
    project.put(
        path_of("refunds", "1"), parquet(meta([Version(1, -999)]) | records | dict.fromkeys(DECOYS, pa.array([DECOY])))
    )
    assert project.run("register").exit_code == 0
    outcome = project.json("transform")
    assert outcome.stream("test/refunds")["models"] == ["int_test__refunds"]
    assert project.rows(
        "SELECT its, total, refund_id, lines, discrepancies, payments, duties FROM processed.int_test__refunds"
    ) == [
        (
            "here",
            Decimal("4.00"),
            3,
            [{"subtotal": Decimal("2.00"), "tax": Decimal("0.25"), "is_gift_card": True}],
            [Decimal("7.00")],
            [{"amount": Decimal("6.00"), "currency": "EUR", "is_cash": True}],
            Decimal("0.5"),
        )
    ]
    assert project.rows("SELECT count(*), count(*) FILTER (WHERE status = 'pass') FROM meta.test_results") == [(4, 4)]


def test_a_name_that_comes_twice_is_refused_with_what_to_do(tmp_path: Path) -> None:
    fields = ("id", "updated_at", "deleted_at", "is_deleted")
    schemas: dict[str, Any] = dict.fromkeys(fields, INSTANT) | {
        "id": {"type": "integer"},
        "is_deleted": {"type": "boolean"},
    }
    streams, models = stream_files(NewStream("test", "words", "incremental", ("id",), "updated_at", schemas))
    by_hand = "select id, updated_at, deleted_at, is_deleted, {{ airbyte_columns() }} from {{ landing() }}"
    project = make_project(tmp_path, streams, models | {"processed/int_test__words.sql": by_hand})
    outcome = project.json("transform", expect=InvalidModelError.exit_code)
    (error,) = outcome.envelope["errors"]
    assert "the column is_deleted comes twice" in error["message"]
    assert "`is_deleted as source_is_deleted`" in error["message"]


@pytest.mark.parametrize(("field", "option", "exit_code"), [("name", "", 0), ("_cursor", "", 2), ("name", "drop", 2)])
def test_older_macros_serve_a_stream_that_asks_for_nothing_new(
    tmp_path: Path, field: str, option: str, exit_code: int
) -> None:
    fields = {"id": {"type": "integer"}, "updated_at": INSTANT, field: {"type": "string"}}
    stream = NewStream("test", "words", "incremental", ("id",), "updated_at", fields)
    streams, models = stream_files(stream)
    streams["test/words"] += f"null_keys: {option}\n" if option else ""
    project = make_project(tmp_path, streams, models)
    macros = tmp_path / "models" / "macros"
    for path in macros.iterdir():
        # What tells older macros from these is that they do not have this one.
        path.write_text(path.read_text(encoding="utf-8").replace("led_columns", "selected"), encoding="utf-8")
    write(macros / "landing.sql", OLDER_LANDING)
    project.put(path_of("words", "1"), things_file(1, id=1, updated_at=TODAY, **{field: "x"}))
    assert project.run("register").exit_code == 0
    outcome = project.json("transform", expect=exit_code)
    if exit_code:
        assert "models/macros is older than this program" in outcome.envelope["errors"][0]["message"]
    else:
        assert project.rows("SELECT id, name, _cursor IS NOT NULL FROM processed.int_test__words") == [(1, "x", True)]


def test_a_model_may_take_everything_that_landing_gives_but_not_twice(tmp_path: Path) -> None:
    schemas: dict[str, Any] = dict.fromkeys(("id", "updated_at", "gone"), INSTANT) | {"id": {"type": "integer"}}
    streams, models = stream_files(NewStream("test", "words", "incremental", ("id",), "updated_at", schemas))
    streams["test/words"] += "tombstone_field: gone\n"
    everything = {"processed/int_test__words.sql": "select * from {{ landing() }}  -- all of it"}
    project = make_project(tmp_path, streams, models | everything)
    project.put(path_of("words", "1"), things_file(1, id=1, updated_at=TODAY))
    project.put(path_of("words", "2"), things_file(2, id=1, gone=TODAY))
    assert project.run("register").exit_code == 0
    project.json("transform")
    # The tombstone's own field shows when, whatever it is called.
    shown = project.rows("SELECT is_deleted, _airbyte_raw_id, _deleted_raw_id, gone FROM processed.int_test__words")
    assert shown == [(True, "raw 1.1", "raw 2.2", TODAY.replace(tzinfo=None))]
    write(
        tmp_path / "models" / "processed" / "int_test__words.sql",
        "select *, {{ airbyte_columns() }} from {{ landing() }}",
    )
    (error,) = project.json("transform", expect=InvalidModelError.exit_code).envelope["errors"]
    assert "the column _airbyte_raw_id comes twice" in error["message"]


OLDER_LANDING = """
{% macro landing() -%} memory.main.{{ adapter.quote('stg_' ~ model.name[4:]) }} {%- endmacro %}
{% macro airbyte_columns() -%}
  columns('^(_airbyte_raw_id|_airbyte_extracted_at|_airbyte_generation_id|_cursor|is_deleted|_deleted_extracted_at|_deleted_raw_id)$')
{%- endmacro %}
"""


def things_file(key: int, **columns: Any) -> bytes:
    return parquet(meta([Version(key, key)]) | {name: pa.array([value]) for name, value in columns.items()})


def test_another_programs_names_are_the_declared_ones_or_the_file_is_set_aside(tmp_path: Path) -> None:
    declared: dict[str, Any] = {
        "id": {"type": "integer"},
        "straße": {"type": "string"},
        "a-b": {"type": "string"},
        "größe": {"type": "object", "properties": {"in cm": {"type": "integer"}, "x": {"type": "string"}}},
    }
    streams, models = stream_files(NewStream("test", "words", "full_refresh", ("id",), "", declared))
    project = make_project(tmp_path, streams, models)
    odd = {'quo"te': 1, "new\nline": 2, "dot.ted": 3, "": 4, "ünder": 5, "select": 6, "C0": 7}
    files = {
        "airbyte": things_file(1, id=1, stra_e="s1", a_b="b1", gro_e={"x": "x", "in_cm": 1}),
        "other": things_file(2, ID=2, **{"straße": "s2", "A-B": "b2", "größe": {"in cm": 2, "x": "x"}}, **odd),
        "undeclared": things_file(3, id=3, select={"now": "a struct"}, Other=1),
        "twins": parquet(meta([Version(4, 4)]) | {"Id": pa.array([40]), "id": pa.array([4])}),
        "alike": things_file(5, id=5, **{"a-b": "b5", "a b": "b5"}),
    }
    for name, body in files.items():
        project.put(path_of("words", name), body)
    assert project.run("register").exit_code == 5
    assert project.rows("SELECT reason FROM meta.current_files WHERE status = 'quarantined' ORDER BY path") == [
        ("columns a-b and a b could both be the declared a_b",),
        ("the columns Id and id differ only in upper and lower case",),
    ]
    assert project.run("transform").exit_code == 5
    assert project.rows("SELECT id, stra_e, a_b, gro_e.in_cm FROM processed.int_test__words ORDER BY id") == [
        (1, "s1", "b1", 1),
        (2, "s2", "b2", 2),
        (3, None, None, None),
    ]
