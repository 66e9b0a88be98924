"""Which streams count as removed, and what is let go of, on the ports in memory."""

from __future__ import annotations

import pytest

from lotuslake.commands.accept import AcceptOptions, accept
from lotuslake.commands.removed_streams import ProjectStreams, find_removed, forget_streams
from lotuslake.core.errors import ConfigError
from tests.support.lake import CUSTOMERS, ORDERS, Shop, a_row


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.land(ORDERS, "1_0", a_row(1))
    shop.register()
    return shop


def test_those_that_the_lake_knows_and_no_file_names(shop: Shop) -> None:
    everything = ProjectStreams({ORDERS.id, CUSTOMERS.id}, shop.lake.known_streams)
    assert find_removed(everything, shop.lake.ledger) == []
    (removed,) = find_removed(ProjectStreams({CUSTOMERS.id, "new/one"}, shop.lake.known_streams), shop.lake.ledger)
    assert (removed.stream, removed.kind) == (ORDERS.id, "removed")


def test_an_accepted_one_is_told_no_more(shop: Shop) -> None:
    project = ProjectStreams({CUSTOMERS.id}, shop.lake.known_streams)
    accept(
        [],
        shop.lake.ledger,
        AcceptOptions("an archive", "ana"),
        shop.context(),
        find_removed(project, shop.lake.ledger),
    )
    assert find_removed(project, shop.lake.ledger) == []


def test_nothing_is_let_go_of_where_one_name_is_wrong(shop: Shop) -> None:
    project = ProjectStreams({CUSTOMERS.id}, shop.lake.known_streams)
    with pytest.raises(ConfigError, match="the lake knows no such stream"):
        forget_streams([ORDERS.id, "no/such"], project, shop.context())
    assert shop.lake.landing_rows(ORDERS) != []
    forget_streams([ORDERS.id], project, shop.context())
    assert shop.lake.landing_rows(ORDERS) == []
    assert find_removed(project, shop.lake.ledger) == []
