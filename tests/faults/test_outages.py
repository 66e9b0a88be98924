"""The store answers 503, 403, slowly, in part, or not at all: exit 3, no file is called bad, and the next run goes on."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.faults.conftest import MakeLake
from tests.support.fault_lake import Item, ServiceLake, items, path_of
from tests.support.s3_faults import Fault, S3Faults
from tests.support.tally import count

DATA_FILE = r"\.parquet"
FAULTS = {
    "503": Fault(DATA_FILE, status=503),
    "503 for a while": Fault(DATA_FILE, status=503, times=2),
    "403": Fault(DATA_FILE, status=403),
    "404 to a GET": Fault(DATA_FILE, "GET", status=404),
    "half a body": Fault(DATA_FILE, "GET", keep=0.5),
    "no body": Fault(DATA_FILE, "GET", keep=0.0),
    "slow": Fault(DATA_FILE, delay_seconds=0.5, times=6),
    "503 to a listing": Fault("", "LIST", status=503),
    "403 to a listing": Fault("", "LIST", status=403),
    "half a listing": Fault("", "LIST", keep=0.5),
}
SHORT = {"503", "half a body"}


@pytest.mark.parametrize(
    "name", [name if name in SHORT else pytest.param(name, marks=pytest.mark.long) for name in FAULTS]
)
def test_the_store_is_not_well(service_lake: ServiceLake, name: str) -> None:
    lake = service_lake
    lake.put(path_of("first"), items(0, 3))
    lake.settle()
    lake.put(path_of("second"), [Item(1, 5), *items(10, 3)])
    lake.put_bad(path_of("bad"))
    with S3Faults(lake.storage.endpoint) as proxy:
        fault = FAULTS[name]
        proxy.add(Fault(fault.pattern, fault.method, fault.times, fault.status, None, fault.delay_seconds, fault.keep))
        through = {"AWS_ENDPOINT_URL_S3": proxy.endpoint, "AWS_MAX_ATTEMPTS": "1"}
        registered = lake.run("register", expect=(0, 3, 5), **through)
        transformed = lake.run("transform", expect=(0, 3, 5), **through)
        count("outages", 2)
    for ended in (registered, transformed):
        assert "Traceback" not in ended.stderr
        assert "unexpected" not in ended.stderr
    statuses = lake.rows("SELECT path, status FROM meta.current_files")
    assert [path for path, status in statuses if status == "missing"] == []
    assert [path for path, status in statuses if status == "quarantined" and path not in lake.bad] == []
    lake.settle()
    lake.check()


def test_the_store_is_gone_and_comes_back(service_lake: ServiceLake) -> None:
    lake = service_lake
    lake.put(path_of("first"), items(0, 3))
    lake.settle()
    lake.put(path_of("second"), items(10, 3))
    lake.run("register")
    nowhere = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}
    for command in ("ingest-check", "register", "transform"):
        lake.run(command, expect=(3,), **nowhere)
        count("outages")
    lake.settle()
    lake.check()


def test_an_object_that_vanished_since_it_was_registered(service_lake: ServiceLake) -> None:
    """Transform says which command takes it out of landing, also for one so old that no look-back shows it."""
    lake = service_lake
    lake.put(path_of("first"), items(0, 3))
    lake.settle()
    lake.put(path_of("old", days_ago=40), items(10, 3))
    lake.put(path_of("second"), items(20, 3))
    lake.run("register", "--full-sweep")
    lake.vanish(path_of("old", days_ago=40))
    count("bad files")
    ended = lake.run("transform", expect=(3,))
    assert "lotuslake register shop/items --full-sweep" in ended.stderr
    lake.vanish(path_of("second"))
    # Healing the one that is seen makes landing anew: it must not stumble over the other.
    lake.run("register", expect=(5,))
    lake.run("transform", expect=(5,))
    lake.check()


@pytest.mark.long
def test_an_object_is_overwritten_between_listing_and_footer(
    service_lake: ServiceLake, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tests.support.killing import Hold, Moment

    lake = service_lake
    lake.put(path_of("first"), items(0, 3))
    lake.settle()
    lake.put(path_of("second"), items(10, 3))
    hold = Hold(tmp_path_factory.mktemp("hold"))
    listed = Moment("listed", function="lotuslake.commands.ingest_check:list_stream_files", when="after")
    process = lake.start("register", moment=listed, hold=hold)
    hold.wait_until_reached(process.process)
    lake.put(path_of("second"), items(10, 7, 2))
    hold.go_on.touch()
    assert process.wait().exit_code == 0
    lake.run("transform")
    lake.settle()
    lake.check()


@pytest.mark.parametrize("kind", ["embedded", "services"])
def test_an_etag_changes_and_the_content_does_not(make_lake: MakeLake, kind: str) -> None:
    """As when a bucket is copied: nothing is registered twice, and nothing is rebuilt."""
    lake = make_lake(kind)
    lake.put(path_of("a"), items(0, 3))
    lake.put(path_of("text"), items(10, 3), amount_type=pa.string())
    lake.put(path_of("b"), items(20, 3))
    lake.settle()
    lake.put(path_of("a"), items(0, 3), name="copied by another program")
    lake.put(path_of("text"), items(10, 3), amount_type=pa.string(), name="copied by another program")
    lake.vanish(path_of("b"))
    before = lake.rows("SELECT epoch FROM meta.fence_shop__items")
    lake.settle()
    assert lake.rows("SELECT epoch FROM meta.fence_shop__items") == before
    lake.check(learned=items(20, 3))
