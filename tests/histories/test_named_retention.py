"""What the page says of retention and of rebuilds after it; the expected rows stand here by hand."""

from __future__ import annotations

from collections.abc import Callable

from tests.histories.scene import Scene, row, rows
from tests.histories.shapes import MODEL
from tests.histories.world import Overwrite

MakeScene = Callable[..., Scene]


# 11 Retention, and what a rebuild can no longer read


def aged(make_scene: MakeScene) -> Scene:
    """101 rows, 40 of them from a file that has expired."""
    lake = make_scene(retention_days=3)
    lake.file("old", rows(range(1, 41), 10))
    assert lake.chain() == 0
    lake.later(days=5)
    lake.file("new", rows(range(41, 102), 20))
    assert lake.chain() == 0
    assert lake.run("maintain") == 0
    assert lake.lake.objects() == [lake.lake.paths["new"]]
    assert lake.files == ["new"]
    assert len(lake.amounts) == 101
    return lake


def test_11_rows_of_expired_files_are_carried_into_a_changed_model(make_scene: MakeScene) -> None:
    lake = aged(make_scene)
    lake.configure(sql="marked")
    assert lake.run("transform") == 5
    assert lake.kinds == {"carried"}
    assert lake.amounts == dict.fromkeys(range(1, 41), 10) | dict.fromkeys(range(41, 102), 20)
    marks = dict(lake.query(f"SELECT id, mark FROM lakehouse.processed.{MODEL}"))
    assert marks == dict.fromkeys(range(1, 41)) | dict.fromkeys(range(41, 102), "x")
    lake.accept("carried")
    assert lake.run("transform") == 0


def test_11_rows_are_carried_when_a_column_is_dropped(make_scene: MakeScene) -> None:
    lake = aged(make_scene)
    lake.configure(has_extra=False)
    assert lake.run("transform") == 5
    assert lake.kinds == {"carried"}
    assert len(lake.amounts) == 101


def test_11_rows_that_cannot_be_carried_refuse_the_rebuild_until_the_loss_is_accepted(make_scene: MakeScene) -> None:
    lake = aged(make_scene)
    lake.configure(sql="typed")
    lake.file("unread", [row(101, 30)])
    assert lake.run("register") == 0
    for _ in range(2):
        assert lake.run("transform") == 5
        assert lake.kinds == {"loss"}
        assert lake.amounts == dict.fromkeys(range(1, 41), 10) | dict.fromkeys(range(41, 102), 20), "as it was"
    assert lake.run("transform", accept_loss=True) == 0
    assert lake.kinds == set()
    assert lake.amounts == dict.fromkeys(range(41, 101), "20") | {101: "30"}


def test_11_an_accepted_loss_is_built(make_scene: MakeScene) -> None:
    lake = aged(make_scene)
    lake.configure(sql="typed")
    assert lake.run("transform") == 5
    lake.accept("loss")
    assert lake.run("transform") == 0
    assert lake.amounts == dict.fromkeys(range(41, 102), "20")


def test_11_an_overwritten_object_lets_nothing_be_carried(make_scene: MakeScene) -> None:
    lake = aged(make_scene)
    lake.happen(Overwrite("new", tuple(rows(range(41, 102), 50))))
    assert lake.chain() == 5
    assert lake.kinds == {"loss", "overwritten"}, "the rebuild that it asks for is refused"
    assert lake.amounts == dict.fromkeys(range(1, 41), 10) | dict.fromkeys(range(41, 102), 20)
    assert lake.run("backfill", accept_loss=True) == 0, lake.ended
    assert lake.amounts == dict.fromkeys(range(41, 102), 50)


def test_11_a_large_expiry_is_held_back_until_it_is_accepted(make_scene: MakeScene) -> None:
    lake = make_scene(retention_days=3)
    lake.file("old", rows(range(1, 8), 10))
    lake.later(days=5)
    lake.file("new", rows(range(8, 10), 20))
    assert lake.chain() == 0
    assert lake.run("maintain") == 5
    assert lake.kinds == {"held_back"}
    assert lake.files == ["new", "old"]
    assert lake.lake.objects() == sorted(lake.lake.paths.values())
    lake.accept("held_back")
    assert lake.run("maintain") == 0
    assert lake.files == ["new"]
    assert len(lake.amounts) == 9


def test_12_maintain_before_any_transform_deletes_nothing(make_scene: MakeScene) -> None:
    lake = make_scene(retention_days=3)
    lake.file("old", rows(range(1, 4), 10))
    lake.later(days=5)
    lake.file("new", rows(range(4, 10), 20))
    assert lake.run("register") == 0
    assert lake.run("maintain") == 0
    assert lake.files == ["new", "old"]
    assert lake.lake.objects() == sorted(lake.lake.paths.values())
    assert lake.run("transform") == 0
    assert len(lake.amounts) == 9
    assert lake.run("maintain") == 0
    assert lake.files == ["new"]
    assert lake.lake.objects() == [lake.lake.paths["new"]]
