"""Batches, freshness, models and retries."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.core.batch import Weight, split_batches
from lotuslake.core.errors import LostRaceError, UnreachableError
from lotuslake.core.freshness import judge_freshness
from lotuslake.core.model import Model, downstream_of
from lotuslake.core.retry import ATTEMPTS, retrying, wait_before_retry
from lotuslake.core.stream import BatchLimits, Freshness
from tests.support.lake import NOW

WEIGHTS = st.builds(Weight, st.integers(0, 30), st.integers(0, 30))


@given(st.lists(WEIGHTS), st.builds(BatchLimits, st.integers(1, 5), st.integers(1, 50), st.integers(1, 50)))
def test_batches_hold_all_in_order_within_bounds_and_as_much_as_fits(items: list[Weight], limits: BatchLimits) -> None:
    batches = list(split_batches(items, limits, lambda weight: weight))
    assert [weight for batch in batches for weight in batch] == items
    for batch in batches:
        assert 1 <= len(batch) <= limits.max_files
        fits = sum(w.size_bytes for w in batch) <= limits.max_bytes and sum(w.rows for w in batch) <= limits.max_rows
        assert fits or len(batch) == 1
    for batch, following in pairwise(batches):
        grown = [*batch, following[0]]
        assert (
            len(grown) > limits.max_files
            or sum(w.size_bytes for w in grown) > limits.max_bytes
            or sum(w.rows for w in grown) > limits.max_rows
        )


@pytest.mark.parametrize(
    ("items", "cut"),
    [
        ("aaabbbccc", ["aaa", "bbb", "ccc"]),
        ("aaaabbb", ["aaaa", "bbb"]),
        ("abbbbccc", ["abbb", "bccc"]),
        ("aabbbbbbbb", ["aa", "bbbb", "bbbb"]),
        ("aaaaaaa", ["aaaa", "aaa"]),
        ("abcdefg", ["abcd", "efg"]),
        ("", []),
    ],
)
def test_a_batch_ends_with_a_group_where_that_leaves_half_of_it(items: str, cut: list[str]) -> None:
    limits = BatchLimits(4, 100, 100)
    found = split_batches(items, limits, lambda _: Weight(1, 1), belongs_to=lambda item: item)
    assert ["".join(batch) for batch in found] == cut


def test_the_lower_of_two_bounds_counts_one_by_one() -> None:
    limits = BatchLimits(5, 50, 500)
    assert limits.capped_by(None) == limits
    assert limits.capped_by(BatchLimits(9, 40, 500)) == BatchLimits(5, 40, 500)


@pytest.mark.parametrize(
    ("thresholds", "hours", "expected"),
    [
        (Freshness(), 10_000, "pass"),
        (Freshness(timedelta(hours=1), None), 2, "warn"),
        (Freshness(None, timedelta(hours=1)), 1, "pass"),
        (Freshness(None, timedelta(hours=1)), 2, "error"),
        (Freshness(timedelta(hours=1), timedelta(hours=2)), 3, "error"),
    ],
)
def test_freshness_in_dbts_words(thresholds: Freshness, hours: int, expected: str) -> None:
    assert judge_freshness(NOW - timedelta(hours=hours), thresholds, NOW) == expected
    assert judge_freshness(None, thresholds, NOW) == "unknown"


MODELS = {
    model.name: model
    for model in (
        Model("agg_c", "enriched", "1", ("fct_b", "int_y")),
        Model("fct_b", "enriched", "1", ("fct_a",)),
        Model("fct_a", "enriched", "1", ("int_x", "a seed that is no model")),
        Model("dim_y", "enriched", "1", ("int_y",)),
        Model("int_x", "processed", "1"),
        Model("int_y", "processed", "1"),
    )
}


@pytest.mark.parametrize(
    ("roots", "expected"),
    [
        (["int_x"], ["fct_a", "fct_b", "agg_c"]),
        (["fct_b"], ["agg_c"]),
        (["int_z"], []),
        ([], []),
    ],
)
def test_downstream_models_in_an_order_in_which_they_can_be_built(roots: list[str], expected: list[str]) -> None:
    assert [model.name for model in downstream_of(MODELS, roots)] == expected


def test_models_below_two_roots_come_once() -> None:
    names = [model.name for model in downstream_of(MODELS, ["int_y", "int_x"])]
    assert sorted(names) == ["agg_c", "dim_y", "fct_a", "fct_b"]
    assert names.index("fct_a") < names.index("fct_b") < names.index("agg_c")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def test_waits_grow_by_half_and_spread(waits: list[float]) -> None:
    for lost in (1, 2, 5):
        for _ in range(50):
            wait_before_retry(lost)
    for waited, base in zip((waits[:50], waits[50:100], waits[100:]), (0.1, 0.15, 0.50625), strict=True):
        assert all(0.5 * base <= wait <= 1.5 * base for wait in waited)
        assert len(set(waited)) > 25


@pytest.mark.parametrize("defeats", [0, 1, ATTEMPTS - 1])
def test_retrying_ends_with_the_first_win(waits: list[float], defeats: int) -> None:
    calls = 0

    def attempt() -> str:
        nonlocal calls
        calls += 1
        if calls <= defeats:
            raise LostRaceError("lost")
        return "won"

    assert retrying("preparing", attempt) == "won"
    assert (calls, len(waits)) == (defeats + 1, defeats)


def test_retrying_gives_up_and_says_what_it_was_doing(waits: list[float]) -> None:
    def lose() -> None:
        raise LostRaceError("lost")

    with pytest.raises(LostRaceError, match="lost the race 10 times while preparing the lake"):
        retrying("preparing the lake", lose)
    assert len(waits) == ATTEMPTS - 1


def test_other_errors_are_not_tried_again(waits: list[float]) -> None:
    def fail() -> None:
        raise UnreachableError("no line")

    with pytest.raises(UnreachableError):
        retrying("preparing", fail)
    assert waits == []
