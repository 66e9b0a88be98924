"""`maintain` deletes nothing below a data root that is another catalog's."""

from __future__ import annotations

import pytest

from lotuslake.commands.maintain import MaintainOptions, MaintainPorts, maintain
from lotuslake.core.errors import ConfigError
from lotuslake.core.owner import Owner
from tests.support.lake import Shop
from tests.unit.commands.test_accept_and_maintain import Upkeep

LIVE = Owner("0192-live", "postgres-rw:5432/lake")
COPY = Owner("0192-live", "postgres-2-rw:5432/lake")
NEW = Owner("0193-new", "postgres-rw:5432/lake")


class Marked:
    """A data root with a mark, seen by one of its catalogs."""

    def __init__(self, owner: Owner | None) -> None:
        self.owner = owner
        self.me = LIVE

    def this(self) -> Owner:
        return self.me

    def load_owner(self) -> Owner | None:
        return self.owner

    def mark(self, owner: Owner) -> None:
        self.owner = owner


def run(shop: Shop, root: Marked, me: Owner, *, take_over: bool = False) -> list[tuple[str, object]]:
    root.me = me
    upkeep = Upkeep(shop)
    ports = MaintainPorts(shop.lake.ledger, shop.lake.landing, upkeep, shop.lake.transformer, root)
    maintain([], ports, MaintainOptions(take_over=take_over), shop.context())
    return list(upkeep.asked)


def test_the_first_marks_it() -> None:
    root = Marked(None)
    assert run(Shop(), root, LIVE)
    assert root.owner == LIVE
    assert run(Shop(), root, LIVE)


@pytest.mark.parametrize("other", [COPY, NEW])
def test_another_deletes_nothing_until_it_takes_over(other: Owner) -> None:
    root, shop = Marked(LIVE), Shop()
    with pytest.raises(ConfigError, match="belongs to lake 0192-liv in postgres-rw:5432/lake") as raised:
        run(shop, root, other)
    assert "--take-over" in raised.value.message
    assert root.owner == LIVE
    assert run(shop, root, other, take_over=True)
    assert root.owner == other
    with pytest.raises(ConfigError):
        run(shop, root, LIVE)
