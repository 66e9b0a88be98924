"""A landing root that is empty, or another one, is refused before anything is taken for vanished."""

from __future__ import annotations

from pathlib import Path

import pytest

from lotuslake.adapters.local_store import LocalStore
from lotuslake.commands.landing_root import LandingRoot
from lotuslake.core.errors import ConfigError, ExitCode
from tests.support.lake import CATALOGUE, CUSTOMERS, ORDERS, Shop, a_row

BOTH = (ORDERS, CUSTOMERS)


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    for stream in BOTH:
        shop.land(stream, "1_0", a_row(1), a_row(2), day=-30)
    shop.register(*BOTH)
    shop.transform(*BOTH)
    return shop


def empty(shop: Shop) -> dict[str, bytes]:
    bodies = {file.path: shop.store.read(file.path) for file in shop.store.list_objects("")}
    for path in bodies:
        shop.store.delete(path)
    return bodies


@pytest.mark.parametrize("full_sweep", [False, True])
def test_an_empty_root_is_refused_by_one_message_and_changes_nothing(shop: Shop, full_sweep: bool) -> None:
    """Issue: 190 rows became 0, with exit 0, and one error nine times."""
    bodies = empty(shop)
    result = shop.register(*BOTH, full_sweep=full_sweep)
    messages = {item.error.message for item in result.errors}
    assert (result.exit_code, len(messages)) == (ExitCode.USAGE, 1)
    assert messages.pop() == (
        "no object of any stream is below the landing root memory:, although the lake knows files of 2 streams "
        "(shop/orders, shop/customers). Nothing was changed: set LOTUSLAKE_LANDING_URL right, or mount the root again, and "
        "run the same command"
    )
    with pytest.raises(ConfigError, match="no object of any stream"):
        shop.check(*BOTH, full_sweep=full_sweep)
    assert shop.lake.ledger.load_findings(BOTH) == []
    for path, body in bodies.items():
        shop.store.put(path, body)
    assert shop.register(*BOTH).exit_code is ExitCode.DONE


def test_one_stream_of_several_may_have_vanished(shop: Shop) -> None:
    shop.store.delete(shop.lake.landed[ORDERS.id].files[0])
    assert [finding.kind for finding in shop.register(*BOTH, full_sweep=True).findings] == ["vanished"]


def test_streams_that_are_new_or_quiet_are_no_sign_of_a_wrong_root(shop: Shop) -> None:
    assert shop.check(*BOTH, CATALOGUE).exit_code() is ExitCode.DONE
    assert shop.register(*BOTH, CATALOGUE).exit_code is ExitCode.DONE
    assert Shop().register(*BOTH).exit_code is ExitCode.DONE


def test_a_root_that_is_not_there_is_refused_for_a_single_stream_too(shop: Shop, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "not-mounted")
    with pytest.raises(ConfigError, match="not-mounted does not exist, although the lake knows files of 1 streams"):
        LandingRoot([ORDERS], store, shop.lake.ledger).require()
    LandingRoot([CATALOGUE], store, shop.lake.ledger).require()
