"""`accept` closes findings with a reason; `maintain` lets old files go before their objects are deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.ducklake_maintenance import DuckLakeMaintenance
from lotuslake.commands.accept import AcceptOptions, accept
from lotuslake.commands.maintain import MaintainOptions, MaintainPorts, maintain
from lotuslake.core.data_file import FileStatus, LedgerEntry
from lotuslake.core.errors import ConfigError, ExitCode, LostRaceError, UnreachableError
from lotuslake.core.stream import Stream
from lotuslake.testing import data_file
from tests.support.lake import CUSTOMERS, NOW, ORDERS, Shop, a_row, at

BAD = [f"{ORDERS.landing_path}/bad_{number}.parquet" for number in range(2)]


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    missing = shop.land(ORDERS, "1_0", a_row(1))
    shop.register()
    shop.store.delete(missing)
    for path in BAD:
        shop.store.put(path, b"PAR1")
    assert len(shop.register().findings) == 3
    return shop


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (AcceptOptions("test data", "ana"), 0),
        (AcceptOptions("test data", "ana", kinds=("missing",)), 2),
        (AcceptOptions("test data", "ana", kinds=("missing", "quarantined")), 0),
        (AcceptOptions("test data", "ana", subjects=("*bad_0*",)), 2),
        (AcceptOptions("test data", "ana", kinds=("quarantined",), subjects=("*bad_?.parquet",)), 1),
    ],
)
def test_what_is_accepted_is_closed_and_the_rest_stays_open(shop: Shop, options: AcceptOptions, left: int) -> None:
    accepted, still_open = accept([ORDERS], shop.lake.ledger, options, shop.context())
    assert (len(accepted), len(still_open)) == (3 - left, left)
    assert shop.register().findings == tuple(still_open)
    assert shop.check().exit_code() is (ExitCode.FINDINGS if left else ExitCode.DONE)
    assert set(shop.lake.accepted.values()) == {"test data (ana, 2026-03-10)"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (AcceptOptions("  ", "ana"), "--reason must say why"),
        (AcceptOptions("why", "ana", kinds=("test",)), "nothing that is open matches"),
        (AcceptOptions("why", "ana", subjects=("bad_0",)), "nothing that is open matches"),
    ],
)
def test_accepting_nothing_or_without_a_reason_is_refused(shop: Shop, options: AcceptOptions, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        accept([ORDERS], shop.lake.ledger, options, shop.context())
    assert shop.lake.accepted == {}


KEEPS_A_WEEK = replace(ORDERS, retention_days=7)


@dataclass
class Upkeep:
    """Stands for the lake's own upkeep; raw objects are deleted as the real one does, from the in-memory store."""

    shop: Shop
    fails: bool = False
    asked: list[tuple[str, datetime]] = field(default_factory=list)

    def merge_small_files(self) -> int:
        return 2

    def expire_snapshots(self, before: datetime) -> int:
        self.asked.append(("expire", before))
        return 3

    def clean_up(self, before: datetime) -> int:
        self.asked.append(("clean up", before))
        return 4

    def delete_expired(self, stream: Stream, entries: Sequence[LedgerEntry]) -> int:
        if self.fails:
            raise UnreachableError("the store does not answer")
        return DuckLakeMaintenance(cast("DuckDbInstance", None), self.shop.store).delete_expired(stream, entries)


def ports_of(shop: Shop, upkeep: Upkeep | None = None) -> MaintainPorts:
    return MaintainPorts(shop.lake.ledger, shop.lake.landing, upkeep or Upkeep(shop), shop.lake.transformer)


@pytest.fixture
def old_shop() -> Shop:
    shop = Shop()
    for day in (-30, -8, -7, 0):
        shop.land(ORDERS, f"{-day}_0", a_row(-day), day=day)
    shop.land(CUSTOMERS, "1_0", a_row(1), day=-30)
    shop.register(KEEPS_A_WEEK, CUSTOMERS)
    shop.transform(KEEPS_A_WEEK, CUSTOMERS)
    return shop


def test_files_past_their_retention_leave_landing_and_the_store(old_shop: Shop) -> None:
    upkeep = Upkeep(old_shop)
    ports = ports_of(old_shop, upkeep)
    result = maintain([KEEPS_A_WEEK, CUSTOMERS], ports, MaintainOptions(keep_days=30), old_shop.context())
    assert result.expired_objects == {"shop/orders": 2}
    assert (result.merged_tables, result.expired_snapshots, result.deleted_files) == (2, 3, 4)
    assert upkeep.asked == [("expire", NOW - timedelta(days=30)), ("clean up", NOW - timedelta(days=30))]
    assert sorted(row["id"] for row in old_shop.lake.landing_rows(ORDERS)) == [0, 7]
    assert len(list(old_shop.store.list_objects(CUSTOMERS.landing_path))) == 1
    again = old_shop.register(KEEPS_A_WEEK, full_sweep=True)
    assert (again.streams[0].batches, again.exit_code) == (0, ExitCode.DONE)
    assert maintain([KEEPS_A_WEEK], ports, MaintainOptions(keep_days=30), old_shop.context()).expired_objects == {
        "shop/orders": 0
    }


def test_a_deletion_that_was_cut_off_is_made_up(old_shop: Shop) -> None:
    upkeep = Upkeep(old_shop, fails=True)
    ports = ports_of(old_shop, upkeep)
    with pytest.raises(UnreachableError):
        maintain([KEEPS_A_WEEK], ports, MaintainOptions(keep_days=30), old_shop.context())
    entries = old_shop.lake.ledger.load_entries(ORDERS)
    assert [entry.status for entry in entries].count(FileStatus.EXPIRED) == 2
    assert old_shop.register(KEEPS_A_WEEK, full_sweep=True).streams[0].batches == 0
    upkeep.fails = False
    assert maintain([KEEPS_A_WEEK], ports, MaintainOptions(keep_days=30), old_shop.context()).expired_objects == {
        "shop/orders": 2
    }


def test_retention_counts_from_the_day_of_the_folder_or_else_of_the_file(old_shop: Shop) -> None:
    old_shop.store.put(
        f"{ORDERS.landing_path}/flat.parquet", old_shop.store.read(old_shop.land(ORDERS, "x", a_row(50)))
    )
    old_shop.register(KEEPS_A_WEEK)
    old_shop.now = NOW + timedelta(days=8)
    ports = ports_of(old_shop)
    old_shop.transform(KEEPS_A_WEEK)
    forever = replace(KEEPS_A_WEEK, max_shrink=1.0)
    assert maintain([forever], ports, MaintainOptions(keep_days=1), old_shop.context()).expired_objects == {
        "shop/orders": 6
    }


def test_what_no_model_has_read_is_not_deleted(old_shop: Shop) -> None:
    """Issue: 10 of 11 rows were lost when upkeep came before the transform."""
    shop = Shop()
    for day in (-30, -20, -10, 0):
        shop.land(KEEPS_A_WEEK, f"{-day}_0", a_row(-day), day=day)
    shop.register(KEEPS_A_WEEK)
    result = maintain([KEEPS_A_WEEK], ports_of(shop), MaintainOptions(keep_days=30), shop.context())
    assert (result.expired_objects, len(shop.lake.landing_rows(ORDERS))) == ({"shop/orders": 0}, 4)
    shop.transform(KEEPS_A_WEEK)
    maintain([replace(KEEPS_A_WEEK, max_shrink=1.0)], ports_of(shop), MaintainOptions(keep_days=30), shop.context())
    assert set(shop.table("int_shop__orders")) == {30, 20, 10, 0}
    assert [row["id"] for row in shop.lake.landing_rows(ORDERS)] == [0]


def test_of_a_stream_that_has_vanished_nothing_expires(old_shop: Shop) -> None:
    for path in list(old_shop.lake.landed[ORDERS.id].files):
        old_shop.store.delete(path)
    assert [finding.kind for finding in old_shop.register(KEEPS_A_WEEK, full_sweep=True).findings] == ["vanished"]
    maintain([KEEPS_A_WEEK], ports_of(old_shop), MaintainOptions(keep_days=30), old_shop.context())
    assert len(old_shop.lake.landed[ORDERS.id].files) == 4


def test_an_expiry_that_would_take_most_of_landing_waits_for_a_persons_word(old_shop: Shop) -> None:
    a_day = replace(ORDERS, retention_days=1)
    result = maintain([a_day], ports_of(old_shop), MaintainOptions(keep_days=30), old_shop.context())
    assert (result.exit_code, [finding.kind for finding in result.findings]) == (ExitCode.FINDINGS, ["held_back"])
    assert "would delete 3 files with 3 of 4 rows" in result.findings[0].reason
    old_shop.transform(a_day)
    assert [finding.kind for finding in old_shop.check(a_day).findings] == ["held_back"]
    old_shop.lake.ledger.accept(result.findings, "a day is enough", by="ana", now=old_shop.now)
    again = maintain([a_day], ports_of(old_shop), MaintainOptions(keep_days=30), old_shop.context())
    assert (again.expired_objects, again.exit_code) == ({"shop/orders": 3}, ExitCode.DONE)


def test_an_object_that_was_written_anew_is_taken_in_before_it_expires(old_shop: Shop) -> None:
    ports = ports_of(old_shop)
    path = next(entry.file.path for entry in old_shop.lake.ledger.load_entries(ORDERS) if "30_0" in entry.file.path)
    old_shop.store.put(path, data_file([a_row(30, 2)]))
    assert maintain([KEEPS_A_WEEK], ports, MaintainOptions(keep_days=30), old_shop.context()).expired_objects == {
        "shop/orders": 1
    }
    assert old_shop.store.head(path) is not None
    assert old_shop.register(KEEPS_A_WEEK, full_sweep=True).streams[0].rows == 1
    old_shop.transform(KEEPS_A_WEEK)
    assert maintain([KEEPS_A_WEEK], ports, MaintainOptions(keep_days=30), old_shop.context()).expired_objects == {
        "shop/orders": 1
    }
    assert old_shop.store.head(path) is None
    assert old_shop.table("int_shop__orders")[30] == 2


def test_what_a_retention_has_let_go_is_not_missing(old_shop: Shop) -> None:
    ports = ports_of(old_shop)
    maintain([KEEPS_A_WEEK], ports, MaintainOptions(keep_days=30), old_shop.context())
    assert old_shop.check(KEEPS_A_WEEK, full_sweep=True).streams[0].plan.missing == ()
    assert old_shop.register(KEEPS_A_WEEK, full_sweep=True).findings == ()


def test_a_registration_meanwhile_makes_the_retention_wait_for_the_next_time(old_shop: Shop) -> None:
    def come_between(_: int) -> None:
        old_shop.land(ORDERS, "new_0", a_row(40))
        old_shop.register(KEEPS_A_WEEK)

    ports = ports_of(old_shop)
    old_shop.lake.on_call = at("before landing.commit", come_between)
    with pytest.raises(LostRaceError):
        maintain([KEEPS_A_WEEK], ports, MaintainOptions(keep_days=30), old_shop.context())
    assert len(list(old_shop.store.list_objects(ORDERS.landing_path))) == 5
    old_shop.lake.on_call = lambda _: None
    assert maintain([KEEPS_A_WEEK], ports, MaintainOptions(keep_days=30), old_shop.context()).expired_objects == {
        "shop/orders": 2
    }
    assert sorted(row["id"] for row in old_shop.lake.landing_rows(ORDERS)) == [0, 7, 40]
