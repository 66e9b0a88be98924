"""What the page says of generations, history by history; the expected rows stand here as a person would write them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.histories.scene import Scene, row, rows

MakeScene = Callable[..., Scene]
FULL = {"sync_mode": "full_refresh", "has_tombstones": False}


def a_first_sync(lake: Scene, ids: range = range(1, 4), amount: int = 10, **facts: int) -> None:
    """One that has succeeded, and is shown."""
    lake.file("first", rows(ids, amount), **({"generation": 1, "sync": 1} | facts))
    lake.later(hours=5)
    assert lake.chain() == 0
    assert lake.amounts == dict.fromkeys(ids, amount)


# 1 A sync that died halfway, and the beginning of its successor


def test_1_append_a_dead_sync_and_the_beginning_of_the_next_leave_the_last_complete_one(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL)
    a_first_sync(lake)
    lake.file("dead", rows([1, 2], 20), generation=2, sync=2)
    lake.later(minutes=40)
    lake.file("next_a", rows([1], 30), generation=3, sync=3)
    assert lake.chain() == 5
    assert lake.kinds == {"incomplete"}
    assert lake.amounts == {1: 10, 2: 10, 3: 10}
    lake.file("next_b", rows([2, 3], 30), generation=3, sync=3)
    lake.later(hours=3)
    assert lake.chain() == 0
    assert lake.kinds == set()
    assert lake.amounts == {1: 30, 2: 30, 3: 30}
    assert lake.files == ["dead", "first", "next_a", "next_b"], "landing keeps what it was given"


def test_1_overwrite_a_dead_sync_and_the_beginning_of_the_next_leave_the_last_complete_one(
    make_scene: MakeScene,
) -> None:
    lake = make_scene(**FULL, destination="overwrite")
    a_first_sync(lake)
    lake.file("dead", rows([1, 2], 20), generation=2, sync=2)
    lake.later(minutes=40)
    lake.file("next_a", rows([1], 30), generation=3, sync=3)
    assert lake.chain() == 5
    assert lake.kinds == {"incomplete"}
    assert lake.amounts == {1: 10, 2: 10, 3: 10}
    lake.file("next_b", rows([2, 3], 30), generation=3, sync=3)
    lake.gone("first", "dead")
    lake.later(hours=3)
    assert lake.chain() == 0
    assert lake.amounts == {1: 30, 2: 30, 3: 30}
    assert lake.files == ["next_a", "next_b"]


def test_1_overwrite_a_dead_sync_that_is_quiet_is_held_back(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL, destination="overwrite")
    a_first_sync(lake)
    lake.file("dead", rows([1, 2], 20), generation=2, sync=2)
    lake.later(hours=9)
    assert lake.chain() == 5
    assert lake.kinds == {"held_back"}
    assert lake.amounts == {1: 10, 2: 10, 3: 10}
    lake.accept("held_back")
    assert lake.run("transform") == 0
    assert lake.amounts == {1: 20, 2: 20}, "a person has said that it is whole"


def test_1_an_accepted_incomplete_generation_is_not_shown(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL)
    a_first_sync(lake)
    lake.file("dead", rows([1, 2], 20), generation=2, sync=2)
    lake.later(minutes=40)
    lake.file("next", rows([1], 30), generation=3, sync=3)
    assert lake.chain() == 5
    lake.accept("incomplete")
    assert lake.run("transform") == 0
    assert lake.amounts == {1: 10, 2: 10, 3: 10}


def test_1_the_first_attempt_of_a_job_is_never_shown(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL)
    a_first_sync(lake)
    lake.file("attempt_1", rows([1, 2], 20), generation=2, sync=2)
    lake.later(hours=4)
    lake.file("attempt_2", rows([1], 30), generation=3, sync=2)
    assert lake.chain() == 5
    assert lake.kinds == {"incomplete"}
    assert lake.amounts == {1: 10, 2: 10, 3: 10}


def test_1_overwrite_a_deletion_that_failed_halfway_vouches_for_no_dead_sync(make_scene: MakeScene) -> None:
    """The third sync has succeeded and deletes; it is cut off after the first generation's objects."""
    lake = make_scene(**FULL, destination="overwrite")
    a_first_sync(lake)
    lake.file("dead", rows([1, 2], 20), generation=2, sync=2)
    lake.later(hours=3)
    lake.file("third", rows([1, 2, 3], 30), generation=3, sync=3)
    lake.gone("first")
    lake.later(hours=3)
    assert lake.chain() == 5
    assert lake.amounts == {1: 10, 2: 10, 3: 10}, "neither the dead one nor one that has not deleted all"
    lake.gone("dead")
    assert lake.chain() == 0
    assert lake.amounts == {1: 30, 2: 30, 3: 30}


def test_1_a_dead_sync_is_told_of_though_its_successor_has_gone(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL)
    a_first_sync(lake)
    lake.file("dead", rows([1, 2], 20), generation=2, sync=2)
    lake.later(minutes=30)
    lake.file("next", rows([1], 30), generation=3, sync=3)
    assert lake.chain() == 5
    assert lake.kinds == {"incomplete"}
    lake.gone("next")
    lake.later(hours=9)
    assert lake.chain() == 5
    assert lake.kinds >= {"incomplete"}
    assert lake.amounts == {1: 10, 2: 10, 3: 10}


# 2 Generations that interleave


def interleaved(lake: Scene, second: list[int], third: list[int]) -> None:
    a_first_sync(lake, range(1, 11))
    for part in (0, 1):
        lake.file(f"second_{part}", rows(second[part::2], 20), generation=2, sync=2)
        lake.later(minutes=5)
        lake.file(f"third_{part}", rows(third[part::2], 30), generation=3, sync=3)
        lake.later(minutes=5)


def test_2_interleaved_generations_are_shown_whole(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL)
    interleaved(lake, [*range(1, 11)], [*range(1, 9)])
    lake.later(hours=3)
    assert lake.chain() == 0
    assert lake.kinds == set()
    assert lake.amounts == dict.fromkeys(range(1, 9), 30)


def test_2_max_shrink_compares_whole_generations(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL)
    interleaved(lake, [*range(1, 11)], [1, 2, 3, 4])
    lake.later(hours=3)
    assert lake.chain() == 5
    assert "held_back" in lake.kinds
    assert lake.amounts == dict.fromkeys(range(1, 11), 10)
    lake.accept()
    assert lake.run("transform") == 0
    assert lake.amounts == dict.fromkeys(range(1, 5), 30)


# 3 A connection made anew


@pytest.mark.parametrize("syncs", [(4, 5), (None, None)], ids=["with sync ids", "without"])
def test_3_a_new_connection_at_generation_0_shows_its_own_rows_alone(
    make_scene: MakeScene, syncs: tuple[int | None, int | None]
) -> None:
    lake = make_scene(**FULL)
    lake.file("old", rows([1, 2, 3], 10), generation=0, sync=syncs[0])
    lake.later(hours=3)
    assert lake.chain() == 0
    lake.later(days=2)
    lake.file("new", rows([1, 2], 20), generation=0, sync=syncs[1])
    assert lake.chain() == 0
    assert lake.amounts == {1: 10, 2: 10, 3: 10}, "under way"
    lake.later(hours=3)
    assert lake.chain() == 0
    assert lake.amounts == {1: 20, 2: 20}, "3 was deleted meanwhile"


def test_3_another_connections_objects_do_not_hold_back_an_overwrite(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL, destination="overwrite")
    a_first_sync(lake, generation=7, sync=7)
    lake.file("new", rows([1, 2], 20), generation=0, sync=8)
    lake.later(hours=3)
    assert lake.chain() == 0
    assert lake.amounts == {1: 20, 2: 20}


def test_3_airbyte_installed_anew_counts_jobs_from_1_again(make_scene: MakeScene) -> None:
    lake = make_scene(**FULL)
    for generation in (0, 1, 2):
        lake.file(f"old_{generation}", rows([1, 2, 3], 10 + generation), generation=generation, sync=generation + 1)
        lake.later(hours=5)
    assert lake.chain() == 0
    assert lake.amounts == {1: 12, 2: 12, 3: 12}
    lake.later(days=2)
    # Job 1 was another connection's; this stream is first read by job 2, at generation 0 again.
    lake.file("new_0", rows([1, 2], 20), generation=0, sync=2)
    lake.later(hours=3)
    assert lake.chain() == 0
    assert lake.amounts == {1: 20, 2: 20}


def test_3_an_untold_generation_counts_as_one_and_says_so(make_scene: MakeScene) -> None:
    """A bucket was copied: files of two extractions, five hours apart, were written within a minute."""
    lake = make_scene(**FULL)
    early = [row(id_, 10, ago=5 * 3600) for id_ in (1, 2)]
    lake.file("early", early, generation=0)
    lake.file("late", rows([2, 3], 20), generation=0)
    lake.later(hours=3)
    assert lake.chain() == 5
    assert lake.kinds == {"untold"}
    assert lake.amounts == {1: 10, 2: 20, 3: 20}
