"""The lake's own files get lost: noticed by one comparison, told with the command that mends it, exact after that command."""

from __future__ import annotations

import json

import pytest

from tests.drills.losses import Which, lose, own_files
from tests.drills.table import drill
from tests.faults.conftest import MakeLake
from tests.support.fault_lake import MODEL, STREAM, FaultLake, items, path_of
from tests.support.killing import Moment

LANDING, PROCESSED, ENRICHED = "landing/stg_shop__items", f"processed/{MODEL}", "enriched/fct_items"


def findings(lake: FaultLake) -> dict[str, str]:
    """Kind of finding → reason, as `meta.findings` tells."""
    ended = lake.run("query", "--json", "SELECT kind, reason FROM meta.findings ORDER BY ALL")
    return dict(json.loads(ended.stdout)["data"]["rows"])


def commands_in(reason: str) -> list[str]:
    """The command that a finding names."""
    words = reason.partition("lotuslake ")[2].split()
    return words[: next((at for at, word in enumerate(words) if not word.startswith("-") and at > 1), len(words))]


@drill(
    "all files of a table, or its newest, are lost: processed, enriched, converted copies",
    "finding `lost`, then exact",
    "the command that the finding names",
)
@pytest.mark.parametrize("table", [PROCESSED, ENRICHED, LANDING])
@pytest.mark.parametrize("which", ["all", "newest"])
def test_a_loss_is_told_and_the_command_that_is_named_mends_it(lake: FaultLake, table: str, which: Which) -> None:
    lost = lose(lake, table, which)
    assert lost
    told = lake.run("ingest-check", "--full-sweep", expect=[5])
    assert f"gone from the data root, such as {min(lost)}" in told.stdout.replace("\n", " ")
    lake.run("register", "--full-sweep", expect=[5])
    before = findings(lake)
    assert list(before) == ["lost"]
    lake.run("ingest-check", expect=[5])
    lake.run(*commands_in(before["lost"]), expect=[0])
    assert findings(lake) == {}
    lake.run("ingest-check", "--full-sweep", expect=[0])
    lake.check()


@drill(
    "the same, before anybody has looked",
    "exact; a rebuild that needs a lost copy ends 3",
    "`transform`; `backfill … --reregister` for copies",
)
@pytest.mark.parametrize("table", [PROCESSED, ENRICHED, LANDING])
def test_without_a_sweep_nobody_says_that_all_is_well(lake: FaultLake, table: str) -> None:
    lose(lake, table, "all")
    lake.put(path_of("d"), items(5, 10, version=2))
    lake.run("register")
    # Models are mended by the way; a converted copy is read by a rebuild alone.
    lake.run("transform", "--full-refresh", expect=[3] if table == LANDING else [0])
    if table == LANDING:
        lake.run("backfill", STREAM, "--reregister", expect=[0])
    lake.run("ingest-check", "--full-sweep", expect=[0])
    lake.check()


@drill("all of the data root is lost", "findings `lost`, then exact", "`backfill … --reregister`")
def test_everything_under_the_data_root_is_gone(lake: FaultLake) -> None:
    for table in (PROCESSED, ENRICHED, LANDING):
        lose(lake, table, "all")
    lake.run("register", "--full-sweep", expect=[5])
    assert len(lake.rows("SELECT * FROM meta.findings WHERE kind = 'lost'")) == 3
    lake.run("backfill", STREAM, "--reregister", expect=[0])
    lake.run("ingest-check", "--full-sweep", expect=[0])
    lake.check()


@drill(
    "a processed table is lost, and raw objects that it was made from",
    "finding `loss` until somebody decides",
    "`transform --accept-loss`",
)
def test_rows_that_landing_cannot_give_back_are_not_lost_without_a_word(lake: FaultLake) -> None:
    learned = lake.vanish(path_of("a", days_ago=2))
    lake.settle()
    lake.run("accept", STREAM, "--reason", "the source has them no longer")
    lake.run("transform", expect=[0])
    lake.check(learned)
    lose(lake, PROCESSED, "all")
    lake.run("transform", expect=[5])
    assert findings(lake)["loss"].startswith("1 files with 10 rows that int_shop__items was made from are gone")
    lake.run("register", "--full-sweep", expect=[5])
    for _ in range(2):
        lake.run("transform", expect=[5])
    lake.put(path_of("d"), items(30, 10))
    lake.run("register", expect=[5])
    lake.run("transform", expect=[5])
    lake.run("transform", "--accept-loss", expect=[0, 5])
    lake.run("register", "--full-sweep", expect=[0])
    lake.check()


@drill(
    "its newest file is lost, and a raw object that only that file told of",
    "finding `loss` until somebody decides",
    "the same",
)
def test_a_table_is_not_put_back_to_where_it_cannot_follow_from(lake: FaultLake) -> None:
    """The newest file of the table is lost, and so is a raw object that only that file told of."""
    learned = lake.vanish(path_of("c"))
    lake.settle()
    lake.run("accept", STREAM, "--reason", "the source has them no longer")
    lake.run("transform", expect=[0])
    lake.check(learned)
    lose(lake, PROCESSED, "newest")
    lake.run("transform", expect=[5])
    assert "loss" in findings(lake)


@drill("the healing is killed", "exact", "the same command again")
@pytest.mark.parametrize("statement", ["CREATE OR REPLACE TABLE .*processed", "UPDATE .*cursor_int"])
def test_the_healing_is_killed(lake: FaultLake, statement: str) -> None:
    lose(lake, PROCESSED, "newest")
    lake.kill("transform", moment=Moment("healing", statement=statement, when="after"))
    lake.run("transform", expect=[0])
    lake.run("ingest-check", "--full-sweep", expect=[0])
    lake.check()


@drill("the ledger's own files are lost", "told with exit 2, then exact", "an empty catalog, then the chain")
def test_a_ledger_that_lost_its_own_files(make_lake: MakeLake) -> None:
    lake = make_lake("embedded")
    lake.put(path_of("a"), items(0, 10))
    lake.settle()
    lake.run("maintain", LOTUSLAKE_BACKUP_RETENTION="0d")
    assert lose(lake, "meta/files", "all")
    for command in (("ingest-check", "--full-sweep"), ("register",), ("transform",), ("status",)):
        ended = lake.run(*command, expect=[2])
        assert "the lake's own ledger (meta.files" in ended.stderr
        assert "lotuslake register takes all that landing has" in ended.stderr
    (lake.root / ".lotuslake" / "catalog.ducklake").unlink()
    lake.settle()
    lake.check()


def test_what_is_not_lost_is_not_told(lake: FaultLake) -> None:
    lake.run("ingest-check", "--full-sweep", expect=[0])
    lake.run("maintain", LOTUSLAKE_BACKUP_RETENTION="0d")
    lake.run("ingest-check", "--full-sweep", expect=[0])
    assert own_files(lake, PROCESSED)
