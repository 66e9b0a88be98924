"""Of an incremental stream: objects that are gone, and a newer generation that may have replaced theirs, or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from lotuslake.core.backfill_plan import DateRange
from lotuslake.core.stream import Stream
from lotuslake.testing import data_file
from tests.support.lake import ORDERS, Shop, a_row

MODEL = ORDERS.processed_model


def fill(shop: Shop, key: int, generation: int) -> str:
    """A file with one record; a greater key was extracted later."""
    path = shop.land(ORDERS, f"{key}_{generation}", a_row(key, key, generation=generation))
    shop.register()
    return path


def vanish(shop: Shop, path: str) -> None:
    shop.store.delete(path)
    shop.register(full_sweep=True)


def kinds(shop: Shop, stream: Stream = ORDERS) -> list[str]:
    return sorted(finding.kind for finding in shop.lake.ledger.load_findings([stream]))


def test_what_a_replaced_generation_told_goes_through_a_rebuild() -> None:
    """The ids began again: so the table still shows the generation with the id of what is gone."""
    shop = Shop()
    old = fill(shop, 1, 0)
    shop.transform()
    fill(shop, 2, 1)
    vanish(shop, old)
    fill(shop, 3, 0)
    shop.change_sql(MODEL, "2")
    shop.transform()
    assert set(shop.table(MODEL)) == {1, 2, 3}
    assert kinds(shop) == ["carried"]


def test_a_generation_between_an_older_and_a_newer_one_is_missed() -> None:
    shop = Shop()
    fill(shop, 1, 0)
    middle = fill(shop, 2, 1)
    shop.transform()
    fill(shop, 3, 2)
    vanish(shop, middle)
    shop.transform()
    assert set(shop.table(MODEL)) == {1, 2, 3}
    assert kinds(shop) == ["missing"]


def test_a_file_that_is_gone_by_now_says_that_a_refresh_had_not_settled() -> None:
    shop = Shop()
    old = fill(shop, 1, 0)
    fill(shop, 2, 1)
    shop.transform()
    shop.now += timedelta(hours=5)
    last = fill(shop, 3, 1)
    vanish(shop, old)
    vanish(shop, last)
    shop.transform()
    assert set(shop.table(MODEL)) == {1, 2}
    shop.now += timedelta(hours=5)
    shop.transform()
    assert set(shop.table(MODEL)) == {2}


def test_a_replay_does_not_take_for_lost_what_was_never_read() -> None:
    shop = Shop()
    shop.lake.ledger.prepare([ORDERS])
    shop.transform()
    vanish(shop, fill(shop, 1, 0))
    shop.lake.ledger.accept(shop.lake.ledger.load_findings([ORDERS]), "known", by="ana", now=shop.now)
    shop.register()
    fill(shop, 2, 0)
    shop.transform()
    shop.backfill(days=DateRange(date(2026, 3, 1), date(2026, 3, 31)))
    shop.backfill()
    assert set(shop.table(MODEL)) == {2}
    assert "carried" not in kinds(shop)


def test_a_loss_is_no_longer_told_when_the_files_are_back() -> None:
    """The rebuild may still be held back for another reason."""
    shop = Shop()
    paths = [fill(shop, key, 0) for key in (1, 2, 3)]
    shop.transform()
    bodies = {path: shop.store.read(path) for path in paths}
    shop.store.put(paths[0], data_file([a_row(1, 1, generation=0, total=7)]))
    vanish(shop, paths[1])
    shop.transform()
    assert kinds(shop) == ["loss", "missing", "overwritten"]
    shop.lake.models[MODEL] = replace(shop.lake.models[MODEL], select=lambda row: {**row, "id": 1})
    shop.store.put(paths[1], bodies[paths[1]])
    shop.register(full_sweep=True)
    shop.transform()
    assert kinds(shop) == ["held_back", "overwritten"]
