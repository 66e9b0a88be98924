"""Overwritten and vanished objects: landing follows at once, processed by a rebuild, and what is lost stays told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lotuslake.core.data_file import FileStatus
from lotuslake.core.errors import ExitCode, UnreachableError
from lotuslake.testing import data_file
from tests.support.lake import CATALOGUE, NOW, ORDERS, Shop, a_row, at

MODEL = "int_shop__orders"


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    for number in range(3):
        shop.land(ORDERS, f"{number}_0", a_row(number), a_row(9, number + 1))
    shop.register()
    shop.transform()
    return shop


def landed(shop: Shop) -> list[tuple[int, int]]:
    return sorted((row["id"], row["total"]) for row in shop.lake.landing_rows(ORDERS))


def overwrite(shop: Shop) -> str:
    path = shop.lake.landed[ORDERS.id].files[2]
    shop.store.put(path, data_file([a_row(2, 5)]))
    return path


def test_an_overwritten_object_is_read_anew_and_what_was_made_from_it_is_rebuilt(shop: Shop) -> None:
    path = overwrite(shop)
    result = shop.register()
    assert landed(shop) == [(0, 1), (1, 1), (2, 5), (9, 1), (9, 2)]
    assert [(finding.kind, finding.subject) for finding in result.findings] == [("overwritten", path)]
    assert (result.exit_code, result.streams[0].batches, result.streams[0].rows) == (ExitCode.FINDINGS, 1, 1)
    assert shop.lake.landed[ORDERS.id].head.epoch == 1
    shop.transform()
    assert shop.table(MODEL) == {0: 1, 1: 1, 2: 5, 9: 2}
    assert shop.register().streams[0].batches == 0


def test_an_object_overwritten_by_rubbish_is_quarantined_and_its_rows_leave(shop: Shop) -> None:
    path = overwrite(shop)
    shop.store.put(path, b"PAR1")
    result = shop.register()
    assert {finding.kind for finding in result.findings} == {"overwritten", "quarantined"}
    assert landed(shop) == [(0, 1), (1, 1), (9, 1), (9, 2)]


def test_the_same_content_under_another_etag_is_no_finding(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from lotuslake.core.data_file import DataFile

    list_objects = shop.store.list_objects
    head = shop.store.head

    def copied(file: DataFile) -> DataFile:
        return DataFile(file.path, file.size_bytes, f"copied-{file.etag}", file.last_modified_at)

    monkeypatch.setattr(shop.store, "list_objects", lambda *a, **k: map(copied, list_objects(*a, **k)))
    monkeypatch.setattr(shop.store, "head", lambda path: (file := head(path)) and copied(file))
    assert shop.check().streams[0].plan.overwritten
    with caplog.at_level("INFO", logger="lotuslake"):
        result = shop.register()
    told = [record.getMessage() for record in caplog.records if "2_0" in record.getMessage()]
    path = shop.lake.landed[ORDERS.id].files[2]
    assert told == [f"{path} was written again with the same content: it stays registered, and nothing changes"]
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
    assert (result.exit_code, result.streams[0].batches) == (ExitCode.DONE, 0)
    assert shop.check().streams[0].plan.is_empty
    assert shop.lake.landed[ORDERS.id].head.epoch == 0
    assert len(landed(shop)) == 6


def test_a_vanished_object_leaves_landing_and_is_told_while_processed_keeps_what_it_learned(shop: Shop) -> None:
    path = shop.lake.landed[ORDERS.id].files[2]
    shop.store.delete(path)
    result = shop.register()
    assert landed(shop) == [(0, 1), (1, 1), (9, 1), (9, 2)]
    assert [(finding.kind, finding.subject) for finding in result.findings] == [("missing", path)]
    assert shop.transform().streams[0].batches == 0
    assert shop.table(MODEL) == {0: 1, 1: 1, 2: 1, 9: 3}
    shop.transform(full_refresh=True, accept_loss=True)
    assert shop.table(MODEL) == {0: 1, 1: 1, 9: 2}


def test_a_vanished_object_that_comes_back_closes_its_finding(shop: Shop) -> None:
    path = shop.lake.landed[ORDERS.id].files[2]
    body = shop.store.read(path)
    shop.store.delete(path)
    shop.register()
    shop.store.put(path, body)
    assert shop.register().exit_code is ExitCode.DONE
    assert len(landed(shop)) == 6


def test_healing_cut_off_before_its_commit_is_done_by_the_next_run(shop: Shop) -> None:
    overwrite(shop)

    def cut(_: int) -> None:
        raise UnreachableError("the line is cut")

    shop.lake.on_call = at("before landing.commit", cut)
    assert shop.register().exit_code is ExitCode.UNREACHABLE
    assert shop.lake.raised == {}
    shop.lake.on_call = lambda _: None
    shop.register()
    assert len(landed(shop)) == 5


def test_another_registration_beside_the_healing_brings_no_row_in_twice(shop: Shop) -> None:
    overwrite(shop)
    shop.land(ORDERS, "3_0", a_row(3))

    def come_between(count: int) -> None:
        if count == 1:
            shop.register()

    shop.lake.on_call = at("before landing.commit", come_between)
    shop.register()
    assert landed(shop) == [(0, 1), (1, 1), (2, 5), (3, 1), (9, 1), (9, 2)]


def test_an_object_that_changes_once_more_while_it_is_read_waits_for_the_next_run(shop: Shop) -> None:
    path = overwrite(shop)
    once_more = data_file([a_row(2, 6)])
    shop.lake.on_call = at("before landing.inspect", lambda _: shop.store.put(path, once_more))
    assert shop.register().streams[0].batches == 0
    shop.lake.on_call = lambda _: None
    shop.register()
    assert (2, 6) in landed(shop)


def test_objects_of_a_generation_that_airbyte_replaced_are_no_finding() -> None:
    shop = Shop()
    old = [shop.land(CATALOGUE, f"1_{part}", a_row(part)) for part in (0, 1)]
    shop.register(CATALOGUE)
    shop.now = NOW + timedelta(hours=8)
    shop.land(CATALOGUE, "2_0", a_row(5, 2, generation=2))
    shop.register(CATALOGUE)
    for path in old:
        shop.store.delete(path)
    assert shop.register(CATALOGUE).exit_code is ExitCode.DONE
    statuses = [entry.status for entry in shop.lake.ledger.load_entries(CATALOGUE)]
    assert sorted(statuses) == [FileStatus.REGISTERED, FileStatus.SUPERSEDED, FileStatus.SUPERSEDED]


def test_old_objects_that_vanish_as_the_new_generation_comes_are_no_finding() -> None:
    shop = Shop()
    old = shop.land(CATALOGUE, "1_0", a_row(1))
    shop.register(CATALOGUE)
    shop.store.delete(old)
    for part in (0, 1):
        shop.land(CATALOGUE, f"2_{part}", a_row(5, 2, generation=2))
    assert shop.register(CATALOGUE).exit_code is ExitCode.DONE
    shop.store.delete(shop.lake.landed[CATALOGUE.id].files[0])
    assert [finding.kind for finding in shop.register(CATALOGUE).findings] == ["missing"]


def test_a_run_cut_off_before_the_new_generation_came_in_is_made_up() -> None:
    shop = Shop()
    old = shop.land(CATALOGUE, "1_0", a_row(1))
    shop.register(CATALOGUE)
    shop.store.delete(old)
    shop.land(CATALOGUE, "2_0", a_row(5, 2, generation=2))
    assert [finding.kind for finding in shop.register(CATALOGUE, max_batches=0).findings] == ["missing"]
    assert shop.register(CATALOGUE).exit_code is ExitCode.DONE
