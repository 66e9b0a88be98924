"""Where the lake stands, as metrics; tests/manifests/test_alerts.py has promtool read them."""

from datetime import UTC, datetime

from lotuslake.core.lake_state import LakeState, ModelState, StreamState, render_metrics

NOW = datetime(2026, 11, 20, 8, 0, 0, 500_000, tzinfo=UTC)


def lines(state: LakeState) -> list[str]:
    return [line for line in render_metrics(state, NOW).splitlines() if not line.startswith("#")]


def test_an_empty_lake_has_a_time_and_no_snapshots() -> None:
    assert lines(LakeState()) == ["lotuslake_status_timestamp_seconds 1795161600.500", "lotuslake_snapshots 0"]


def test_what_is_not_known_is_left_out() -> None:
    state = LakeState(streams=(StreamState("shopify/orders", files=3),))
    found = lines(state)
    assert 'lotuslake_stream_files{stream="shopify/orders"} 3' in found
    assert not [line for line in found if "newest_file" in line or "error_after" in line]


def test_labels_are_escaped() -> None:
    assert 'lotuslake_stream_files{stream="a\\"b\\\\c\\nd"} 0' in lines(LakeState(streams=(StreamState('a"b\\c\nd'),)))


def test_a_processed_model_is_behind_the_end_of_its_log() -> None:
    processed = ModelState("int_shop__orders", "shop/orders", 4, NOW)
    enriched = ModelState("fct_sales", None, None, NOW)
    state = LakeState(streams=(StreamState("shop/orders", position=7),), models=(processed, enriched))
    assert (state.behind(processed), state.behind(enriched)) == (3, None)
    assert state.behind(ModelState("int_shop__gone", "shop/gone", 2, NOW)) == 0
    assert [line for line in lines(state) if "entries_behind" in line] == [
        'lotuslake_model_entries_behind{model="int_shop__orders"} 3'
    ]
