"""What the page says of rebuilds, history by history; the expected rows stand here by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from lotuslake.commands.context import RunContext
from lotuslake.commands.transform import TransformOptions, transform
from lotuslake.core.field_types import BIGINT, TIMESTAMP, VARCHAR, ListOf, Struct
from tests.histories.scene import Scene, ShapePlay, row, rows
from tests.histories.shapes import MODEL

MakeScene = Callable[..., Scene]
MakeShapes = Callable[..., ShapePlay]

INTEGER, TEXT, MOMENT = {"type": "integer"}, {"type": "string"}, {"type": "string", "format": "date-time"}
OBJECT, ARRAY = {"type": "object"}, {"type": "array"}
MICROS = pa.timestamp("us", tz="UTC")
ID = ("id", (BIGINT, INTEGER, pa.int64()))
UPDATED = ("updated_at", (TIMESTAMP, MOMENT, MICROS))


def shapes_of(members: tuple[str, ...]) -> dict[str, Any]:
    """An object and an array of objects with these members."""
    struct = Struct(tuple((name, BIGINT) for name in members))
    arrow = pa.struct([(name, pa.int64()) for name in members])
    return dict([ID, UPDATED, ("info", (struct, OBJECT, arrow)), ("parts", (ListOf(struct), ARRAY, pa.list_(arrow)))])


def things(first: int, number: int) -> list[dict[str, Any]]:
    return [
        {"id": id_, "info": {"a": id_, "b": id_ * 10}, "parts": [{"a": id_, "b": id_ * 100}]}
        for id_ in range(first, first + number)
    ]


# 6 max_shrink on a rebuild


def test_6_a_model_that_filters_most_rows_is_held_back(make_scene: MakeScene) -> None:
    lake = make_scene()
    lake.file("a", rows(range(1, 9), 10))
    assert lake.chain() == 0
    lake.configure(sql="few")
    for _ in range(2):
        assert lake.run("transform") == 5
        assert lake.kinds == {"held_back"}
        assert lake.amounts == dict.fromkeys(range(1, 9), 10)
    lake.accept("held_back")
    assert lake.run("transform") == 0
    assert lake.amounts == {4: 10, 8: 10}


def test_6_a_smaller_fall_is_said_in_the_result(make_scene: MakeScene) -> None:
    lake = make_scene(max_shrink=0.9)
    lake.file("a", rows(range(1, 9), 10))
    assert lake.chain() == 0
    lake.configure(sql="few")
    options = TransformOptions(lake.lake.limits, skip_tests=True)
    context = RunContext("run", "transform", lambda: lake.lake.now)
    (told,) = transform([lake.lake.stream], lake.lake.transform_ports, options, context).streams
    assert lake.amounts == {4: 10, 8: 10}
    assert told.table_rows is not None
    assert (told.table_rows.before, told.table_rows.after) == (8, 2)


# 7 Members and fields


def test_7_a_member_added_to_an_object_and_to_an_arrays_objects_reaches_old_and_new_rows(
    make_shapes: MakeShapes,
) -> None:
    """The files have had the member all along; only the stream's file did not name it."""
    everything = {name: arrow for name, (_, _, arrow) in shapes_of(("a", "b")).items()}
    select = "id, info, parts, {{ airbyte_columns() }}"
    lake = make_shapes(shapes_of(("a",)), select, has_tombstones=False)
    scene = Scene(lake)
    lake.land("old", things(1, 2), everything)
    assert scene.chain() == 0
    query = f"SELECT id, info::varchar, parts::varchar FROM lakehouse.processed.{MODEL} ORDER BY id"
    assert scene.query(query) == [(1, "{'a': 1}", "[{'a': 1}]"), (2, "{'a': 2}", "[{'a': 2}]")]
    lake.reshape(shapes_of(("a", "b")))
    lake.land("new", things(3, 1), everything)
    assert scene.chain() == 0, scene.ended
    assert scene.query(query) == [
        (1, "{'a': 1, 'b': 10}", "[{'a': 1, 'b': 100}]"),
        (2, "{'a': 2, 'b': 20}", "[{'a': 2, 'b': 200}]"),
        (3, "{'a': 3, 'b': 30}", "[{'a': 3, 'b': 300}]"),
    ]


def test_7_a_field_added_under_select_star_reaches_old_and_new_rows(make_shapes: MakeShapes) -> None:
    short = dict([ID, UPDATED])
    long = short | {"note": (VARCHAR, TEXT, pa.string())}
    types = {name: arrow for name, (_, _, arrow) in long.items()}
    lake = make_shapes(short, "*", has_tombstones=False)
    scene = Scene(lake)
    lake.land("old", [{"id": 1, "note": "n1"}], types)
    assert scene.chain() == 0
    lake.reshape(long)
    assert scene.chain() == 0, scene.ended
    query = f"SELECT id, note FROM lakehouse.processed.{MODEL} ORDER BY id"
    assert scene.query(query) == [(1, "n1")]
    lake.land("new", [{"id": 2, "note": "n2"}], types)
    assert scene.chain() == 0
    assert scene.query(query) == [(1, "n1"), (2, "n2")]


def test_7_a_field_that_is_no_longer_declared_leaves_processed(make_shapes: MakeShapes) -> None:
    short = dict([ID, UPDATED])
    long = short | {"note": (VARCHAR, TEXT, pa.string())}
    lake = make_shapes(long, "*", has_tombstones=False)
    scene = Scene(lake)
    lake.land("old", [{"id": 1, "note": "n1"}], {name: arrow for name, (_, _, arrow) in long.items()})
    assert scene.chain() == 0
    lake.reshape(short)
    assert scene.chain() == 0, scene.ended
    columns = [name for name, *_ in scene.query(f"DESCRIBE lakehouse.processed.{MODEL}")]
    assert "note" not in columns


# 8 Key, cursor and mode


def refused_until_backfill(lake: Scene, before: dict[Any, int]) -> None:
    lake.file("unread", [row(1, 90)])
    assert lake.run("register") == 0
    for _ in range(2):
        assert lake.run("transform") == 2
        assert lake.amounts == before
    assert lake.run("transform", full_refresh=True) == 2
    assert lake.run("backfill", days=True) == 2
    assert lake.amounts == before
    assert lake.run("backfill") == 0, lake.ended
    assert lake.run("transform") == 0


def test_8_a_changed_key_is_refused_until_a_backfill(make_scene: MakeScene) -> None:
    lake = make_scene()
    lake.file("a", [row(1, 10, name="one"), row(2, 20, name="two"), row(3, 30, name="two")])
    assert lake.chain() == 0
    assert lake.amounts == {1: 10, 2: 20, 3: 30}
    lake.configure(primary_key=("name",))
    refused_until_backfill(lake, {1: 10, 2: 20, 3: 30})
    # Keyed by name: "two" is record 3, which was updated later; "name 1" came last.
    found = lake.query(f"SELECT name, id, amount FROM lakehouse.processed.{MODEL} ORDER BY name")
    assert found == [("name 1", 1, 90), ("one", 1, 10), ("two", 3, 30)]


def test_8_a_changed_cursor_field_is_refused_until_a_backfill(make_scene: MakeScene) -> None:
    lake = make_scene()
    # By updated_at the first is newer, by edited_at the second.
    lake.file("a", [row(2, 20, edited_at=1), row(2, 10, edited_at=2)])
    assert lake.chain() == 0
    assert lake.amounts == {2: 20}
    lake.configure(cursor_field="edited_at")
    refused_until_backfill(lake, {2: 20})
    assert lake.amounts == {1: 90, 2: 10}


def test_8_a_changed_mode_is_refused_until_a_backfill(make_scene: MakeScene) -> None:
    lake = make_scene(has_tombstones=False)
    lake.file("a", rows([1, 2], 10))
    assert lake.chain() == 0
    lake.later(hours=3)
    lake.configure(sync_mode="full_refresh")
    refused_until_backfill(lake, {1: 10, 2: 10})
    # One generation, three hours and more apart in extraction and in write: the newest that settled is the first.
    assert lake.amounts == {1: 10, 2: 10}
