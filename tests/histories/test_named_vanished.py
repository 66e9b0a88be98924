"""What the page says of an empty source and of a store that is empty; the expected rows stand here by hand."""

from __future__ import annotations

from collections.abc import Callable

from tests.histories.scene import Scene, rows

MakeScene = Callable[..., Scene]
FULL = {"sync_mode": "full_refresh", "has_tombstones": False}


# 4 and 5 An empty source, and a store that is empty


def test_4_an_empty_source_in_overwrite_is_asked_about_and_then_empty(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL, destination="overwrite")
    lake.file("first", rows([1, 2, 3], 10), generation=1, sync=1)
    lake.later(hours=5)
    assert lake.chain() == 0
    lake.gone("first")
    assert lake.run("register") == 5
    assert lake.kinds == {"vanished"}
    for options in ({}, {"full_refresh": True}):
        assert lake.run("transform", **options) == 5
        assert lake.amounts == {1: 10, 2: 10, 3: 10}
        assert lake.files == ["first"], "landing is kept"
    lake.accept("vanished")
    assert lake.chain() == 0
    assert lake.amounts == {}
    assert lake.landed == []
    assert lake.run("transform", full_refresh=True) == 0
    assert lake.amounts == {}
    lake.file("second", rows([5], 20), generation=2, sync=2)
    lake.later(hours=3)
    assert lake.chain() == 0
    assert lake.amounts == {5: 20}


def test_5_all_objects_gone_keep_landing_and_a_changed_model_empties_nothing(make_scene: MakeScene) -> None:
    lake = make_scene()
    lake.file("a", rows([1, 2], 10))
    lake.file("b", rows([2, 3], 20))
    assert lake.chain() == 0
    lake.gone("a", "b")
    assert lake.run("register") == 5
    assert lake.kinds == {"vanished"}
    lake.configure(sql="marked")
    assert lake.run("transform") == 5
    assert lake.amounts == {1: 10, 2: 20, 3: 20}
    assert lake.files == ["a", "b"]
    lake.back("a", "b")
    assert lake.run("register") == 0
    assert lake.run("transform") == 0
    assert lake.amounts == {1: 10, 2: 20, 3: 20}
    assert lake.landed == ["1-10", "2-10", "2-20", "3-20"]


def test_5_what_an_incremental_table_learned_stays_when_the_vanishing_is_accepted(make_scene: MakeScene) -> None:
    lake = make_scene()
    lake.file("a", rows([1, 2], 10))
    assert lake.chain() == 0
    lake.gone("a")
    assert lake.chain() == 5
    lake.accept("vanished")
    assert lake.chain() == 0
    assert lake.amounts == {1: 10, 2: 10}
    assert lake.landed == []
