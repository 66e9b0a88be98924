"""What held before and must hold still: versions, keys, replays, and the plain refreshes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa

from lotuslake.commands.backfill import BackfillOptions, backfill
from lotuslake.commands.context import RunContext
from lotuslake.core.field_types import BIGINT, DATE, TIMESTAMP
from tests.histories.scene import Scene, ShapePlay, row, rows
from tests.histories.shapes import MODEL

MakeScene = Callable[..., Scene]
MakeShapes = Callable[..., ShapePlay]
FULL = {"sync_mode": "full_refresh", "has_tombstones": False}


def test_two_full_refreshes_on_one_day(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL)
    lake.file("morning", rows([1, 2, 3], 10), generation=1, sync=1)
    lake.later(hours=4)
    lake.file("noon", rows([1, 2], 20), generation=2, sync=2)
    lake.later(hours=4)
    assert lake.chain() == 0
    assert lake.amounts == {1: 20, 2: 20}


def test_generation_ids_that_go_back(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL)
    for generation, amount in ((4, 10), (5, 20), (0, 30), (1, 40)):
        lake.file(f"g{generation}", rows([1, 2], amount), generation=generation, sync=amount)
        lake.later(hours=5)
        assert lake.chain() == 0
        assert lake.amounts == {1: amount, 2: amount}


def test_a_fall_is_held_back_until_it_is_accepted(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL)
    lake.file("many", rows(range(1, 11), 10), generation=1, sync=1)
    lake.later(hours=5)
    assert lake.chain() == 0
    lake.file("few", rows([1, 2], 20), generation=2, sync=2)
    lake.later(hours=5)
    for _ in range(2):
        assert lake.chain() == 5
        assert lake.kinds == {"held_back"}
        assert lake.amounts == dict.fromkeys(range(1, 11), 10)
    lake.accept("held_back")
    assert lake.run("transform") == 0
    assert lake.amounts == {1: 20, 2: 20}


def test_a_truncating_refresh_replaces_an_incremental_table_and_a_merging_one_does_not(make_scene: MakeScene) -> None:
    lake = make_scene()
    lake.file("g0", rows(range(1, 7), 10), generation=0, sync=1)
    lake.later(hours=5)
    assert lake.chain() == 0
    lake.file("merging", rows([1, 2], 20), generation=1, sync=2)
    lake.later(hours=5)
    assert lake.chain() == 0
    assert lake.amounts == {1: 20, 2: 20, 3: 10, 4: 10, 5: 10, 6: 10}
    lake.file("truncating", rows([1, 2, 3, 4], 30), generation=2, sync=3)
    lake.gone("g0", "merging")
    lake.later(hours=5)
    assert lake.chain() == 0
    assert lake.amounts == {1: 30, 2: 30, 3: 30, 4: 30}
    assert lake.files == ["truncating"]


def test_a_truncating_refresh_with_far_fewer_rows_is_held_back(make_scene: MakeScene) -> None:
    lake = make_scene()
    lake.file("g0", rows(range(1, 7), 10), generation=0, sync=1)
    assert lake.chain() == 0
    lake.later(hours=5)
    lake.file("truncating", rows([1], 30), generation=1, sync=2)
    lake.gone("g0")
    lake.later(hours=5)
    assert lake.chain() == 5
    assert "held_back" in lake.kinds
    assert set(lake.amounts) == {1, 2, 3, 4, 5, 6}
    lake.accept()
    assert lake.run("transform") == 0
    assert lake.amounts == {1: 30}


def test_keys_of_text_and_of_two_parts_one_of_them_null(make_scene: MakeScene) -> None:
    lake = make_scene(primary_key=("id", "name"))
    lake.file("a", [row(1, 10, name="x"), row(1, 11, name=None), row(2, 12, name="x"), row(None, 13, name="y")])
    assert lake.chain() == 0
    lake.file("b", [row(1, 20, name="x"), row(1, 21, name=None), row(None, 23, name="y")])
    assert lake.chain() == 0
    found = lake.query(f"SELECT id, name, amount FROM lakehouse.processed.{MODEL} ORDER BY amount")
    assert found == [(2, "x", 12), (1, "x", 20), (1, None, 21), (None, "y", 23)]
    lake.configure(sql="marked")
    assert lake.run("transform") == 0
    found = lake.query(f"SELECT id, name, amount FROM lakehouse.processed.{MODEL} ORDER BY amount")
    assert found == [(2, "x", 12), (1, "x", 20), (1, None, 21), (None, "y", 23)]


def test_keys_that_are_days(make_shapes: MakeShapes) -> None:
    micros = pa.timestamp("us", tz="UTC")
    shapes: dict[str, Any] = {
        "day": (DATE, {"type": "string", "format": "date"}, pa.date32()),
        "updated_at": (TIMESTAMP, {"type": "string", "format": "date-time"}, micros),
        "sold": (BIGINT, {"type": "integer"}, pa.int64()),
    }
    types = {name: arrow for name, (_, _, arrow) in shapes.items()}
    lake = make_shapes(shapes, "day, sold, {{ airbyte_columns() }}", primary_key=("day",), has_tombstones=False)
    scene = Scene(lake)
    first, second = date(2026, 1, 31), date(2026, 2, 1)
    lake.land("a", [{"day": first, "sold": 1}, {"day": second, "sold": 2}], types)
    assert scene.chain() == 0
    lake.land("b", [{"day": second, "sold": 5}], types)
    assert scene.chain() == 0
    assert scene.query(f"SELECT day, sold FROM lakehouse.processed.{MODEL} ORDER BY day") == [(first, 1), (second, 5)]


def test_ties_are_decided_by_the_cursor_and_then_by_the_raw_id(make_scene: MakeScene) -> None:
    lake = make_scene()
    lake.file(
        "a",
        [
            row(1, 10, updated_at=None),
            row(1, 5, updated_at=7),
            row(2, 20, updated_at=7, raw_id="2-b"),
            row(2, 21, updated_at=7, raw_id="2-a"),
            row(3, 30, updated_at=9, ago=60),
            row(3, 31, updated_at=1, ago=2),
        ],
    )
    assert lake.chain() == 0
    assert lake.amounts == {1: 5, 2: 20, 3: 31}


def test_tombstones_and_rebirth_in_either_order(make_scene: MakeScene) -> None:
    lake = make_scene()
    query = f"SELECT id, amount, is_deleted FROM lakehouse.processed.{MODEL} ORDER BY id"
    lake.file("late_tombstone", [row(1, 10, ago=300), row(2, 20, ago=300), row(3, 30, ago=300)])
    lake.file("dead", [row(1, 11, deleted=True, ago=200), row(2, 21, deleted=True, ago=200)])
    assert lake.chain() == 0
    assert lake.query(query) == [(1, 10, True), (2, 20, True), (3, 30, False)]
    lake.file("reborn", [row(1, 12, ago=100)])
    lake.file("early_content", [row(4, 41, deleted=True, ago=50)])
    assert lake.chain() == 0
    lake.file("old_content", [row(4, 40, ago=20_000)])
    assert lake.chain() == 0
    assert lake.query(query) == [(1, 12, False), (2, 20, True), (3, 30, False), (4, 40, True)]


def test_replays_and_overlapping_ranges_change_nothing(make_scene: MakeScene) -> None:
    lake = make_scene()
    lake.file("a", rows([1, 2, 3], 10))
    lake.later(days=1)
    lake.file("b", rows([2, 3, 4], 20))
    assert lake.chain() == 0
    lake.file("older", [row(3, 5, ago=3 * 86_400)])
    assert lake.chain() == 0
    expected = {1: 10, 2: 20, 3: 20, 4: 20}
    assert lake.amounts == expected
    for _ in range(2):
        assert lake.run("backfill", days=True) == 0
        assert lake.amounts == expected
    assert lake.run("backfill") == 0
    assert lake.amounts == expected
    assert lake.landed == ["1-10", "2-10", "2-20", "3-10", "3-20", "3-5", "4-20"]


def test_shards_build_what_one_program_builds(make_scene: MakeScene) -> None:
    lake = make_scene()
    for number in range(5):
        lake.file(f"f{number}", [row(number % 3, 10 + number), row(9, number)])
        lake.later(minutes=1)
    assert lake.chain() == 0
    expected = {0: 13, 1: 14, 2: 12, 9: 4}
    assert lake.amounts == expected
    lake.configure(sql="marked")
    context = RunContext("run", "backfill", lambda: lake.lake.now)
    for shard in (0, 1, 0):
        options = BackfillOptions(lake.lake.limits, shards=2, shard_index=shard)
        ports = lake.lake.register_ports, lake.lake.transform_ports
        assert not backfill([lake.lake.stream], *ports, options, context).errors
    assert lake.amounts == expected
    marks = lake.query(f"SELECT DISTINCT mark FROM lakehouse.processed.{MODEL}")
    assert marks == [("x",)]
