"""Which connection of a running Airbyte belongs to a source."""

from __future__ import annotations

import pytest

from lotuslake.core.airbyte_job import Connection, Job, find_connection
from lotuslake.core.errors import ConfigError
from lotuslake.core.source import Source

SHOP = Source("my_shop", namespace="shop_space")


@pytest.mark.parametrize("name", ["my_shop", "My Shop", "my_shop to lake", "My Shop → S3", "my_shop->S3", " my_shop "])
def test_it_is_found_by_its_name(name: str) -> None:
    others = [Connection("2", "my_shopping to lake"), Connection("3", "to my_shop", "shop_space")]
    assert find_connection(SHOP, [*others, Connection("1", name)]).id == "1"


def test_it_is_found_by_its_namespace() -> None:
    assert find_connection(SHOP, [Connection("1", "x", "shop_space"), Connection("2", "y", "my_shop")]).id == "1"
    assert find_connection(Source("my_shop"), [Connection("2", "y", "my_shop")]).id == "2"


@pytest.mark.parametrize(
    ("connections", "message"),
    [
        ([], "no connection of this source; it has none at all: name one as connection_id"),
        ([Connection("1", "x")], r"no connection of this source; it has 'x' \(1\)"),
        (
            [Connection("1", "my_shop"), Connection("2", "my_shop to b"), Connection("3", "x")],
            r"several connections of this source; it has 'my_shop' \(1\), 'my_shop to b' \(2\): name",
        ),
    ],
)
def test_none_and_several_ask_for_its_id(connections: list[Connection], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find_connection(SHOP, connections)


def test_a_job_says_how_it_stands() -> None:
    assert str(Job(7, "c", "refresh", "running", 4812)) == "Airbyte job 7 (refresh): running, 4,812 rows"
    assert str(Job(7, "c", "sync", "failed")) == "Airbyte job 7 (sync): failed"
    assert [Job(7, "c", "sync", status).is_under_way for status in ("incomplete", "cancelled")] == [True, False]
