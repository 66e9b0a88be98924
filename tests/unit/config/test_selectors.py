"""Which streams a selector names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.config.selectors import select_streams
from lotuslake.core.errors import ConfigError
from lotuslake.core.field_types import BIGINT
from lotuslake.core.stream import Field, Stream


def stream(source: str, name: str) -> Stream:
    fields = (Field("id", BIGINT, {"type": "integer"}),)
    return Stream(source, name, "", "full_refresh", "append", ("id",), None, fields, f"{source}/{name}")


STREAMS = tuple(
    stream(*id_.split("/"))
    for id_ in ("klaviyo/events", "klaviyo/lists", "shopify/customers", "shopify/order_refunds", "shopify/orders")
)
IDS = [stream.id for stream in STREAMS]

names = st.from_regex(re.compile(r"[a-z][a-z0-9]{0,8}"), fullmatch=True)
libraries = st.sets(st.tuples(names, names), min_size=1, max_size=12).map(
    lambda pairs: tuple(stream(*pair) for pair in sorted(pairs))
)


@pytest.mark.parametrize(
    ("selectors", "selected"),
    [
        ([], IDS),
        (["shopify/orders"], ["shopify/orders"]),
        (["klaviyo"], ["klaviyo/events", "klaviyo/lists"]),
        (["shopify/order*"], ["shopify/order_refunds", "shopify/orders"]),
        (["*/*s"], IDS),
        (["*/[cl]*"], ["klaviyo/lists", "shopify/customers"]),
        (["shop*"], ["shopify/customers", "shopify/order_refunds", "shopify/orders"]),
        (["shopify/orders", "klaviyo/lists", "shopify/orders"], ["klaviyo/lists", "shopify/orders"]),
    ],
)
def test_select(selectors: list[str], selected: list[str]) -> None:
    assert [stream.id for stream in select_streams(STREAMS, selectors)] == selected


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("orders", "no stream matches 'orders'; did you mean 'shopify/orders'?"),
        ("shopify/ordres", "no stream matches 'shopify/ordres'; did you mean 'shopify/orders'?"),
        ("klavyio", "no stream matches 'klavyio'; did you mean 'klaviyo'?"),
        ("crm/*", "no stream matches 'crm/*'; streams are klaviyo/events, klaviyo/lists,"),
        ("SHOPIFY", "no stream matches 'SHOPIFY'"),
        ("", "no stream matches ''"),
    ],
)
def test_a_selector_that_matches_nothing(selector: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        select_streams(STREAMS, ["shopify/orders", selector])
    assert raised.value.message.startswith(message)
    assert raised.value.exit_code == 2


@given(libraries, st.data())
def test_ids_and_sources_select_exactly_themselves(library: tuple[Stream, ...], data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.sampled_from([stream.id for stream in library]), min_size=1))
    sources = data.draw(st.lists(st.sampled_from([stream.source for stream in library])))
    expected = tuple(stream for stream in library if stream.id in ids or stream.source in sources)
    assert select_streams(library, [*sources, *ids]) == expected


@given(libraries, st.text("abc*?[]/!-", max_size=8))
def test_any_text_selects_something_or_is_refused(library: tuple[Stream, ...], selector: str) -> None:
    try:
        selected = select_streams(library, [selector])
    except ConfigError as error:
        assert repr(selector) in error.message  # noqa: PT017 - either outcome is right
    else:
        assert selected
        assert list(selected) == [stream for stream in library if stream in selected]
