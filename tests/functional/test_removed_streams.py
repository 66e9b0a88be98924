"""A stream whose file was removed or renamed: told, kept, and let go of on purpose."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from lotuslake.adapters.ducklake_maintenance import DuckLakeMaintenance
from lotuslake.cli.wiring import Wiring
from lotuslake.config.settings import load_settings
from tests.functional.program import Project, write
from tests.functional.things import STREAM, STREAM_FILE, data_file, key_of

OTHER = "test/others"
NOTE = f"{STREAM}: the project has no file for it; landing.stg_test__things and processed.int_test__things stay"


@pytest.fixture
def shop(things: Project) -> Project:
    """Two streams with rows, one file of the first in a converted copy, another quarantined."""
    write(things.root / f"streams/{OTHER}.yml", STREAM_FILE)
    model = things.root / "models/processed/int_test__things.sql"
    write(model.with_name("int_test__others.sql"), model.read_text())
    things.put(key_of("part_0.parquet"), data_file([1, 2]))
    things.put(key_of("part_1.parquet"), data_file([3], amount=pa.array(["3"], pa.string())))
    things.put(key_of("part_2.parquet"), b"PAR1")
    things.put(key_of("part_0.parquet").replace(STREAM, OTHER), data_file([4]))
    assert things.run("run").exit_code == 5
    return things


def remove(project: Project) -> None:
    (project.root / f"streams/{STREAM}.yml").unlink()
    (project.root / "models/processed/int_test__things.sql").unlink()


def raw(project: Project) -> dict[str, str]:
    return {
        str(path.relative_to(project.landing)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in project.landing.rglob("*.parquet")
    }


def tables(project: Project) -> set[str]:
    rows = project.rows("SELECT DISTINCT schema_name || '.' || table_name FROM duckdb_columns() WHERE NOT internal")
    return {name for (name,) in rows if "things" in name}


def test_it_is_told_and_its_tables_stay(shop: Project) -> None:
    assert shop.json("ingest-check", expect=5).envelope["data"]["removed_streams"] == []
    remove(shop)
    for command in ("ingest-check", "register", "run", "status"):
        outcome = shop.json(command)
        assert outcome.envelope["data"]["removed_streams"] == [STREAM], command
        assert NOTE in shop.run(command).stdout, command
    assert shop.rows("SELECT count(*) FROM processed.int_test__things") == [(3,)]
    assert shop.json("ingest-check", OTHER).envelope["data"]["removed_streams"] == []


def test_a_wrong_file_is_not_a_removed_one(shop: Project) -> None:
    write(shop.root / f"streams/{STREAM}.yml", "oops\n")
    assert shop.json("ingest-check", OTHER).envelope["data"]["removed_streams"] == []
    assert shop.json("status").envelope["data"]["removed_streams"] == []


def test_a_renamed_one_is_both_new_and_removed(shop: Project) -> None:
    remove(shop)
    write(shop.root / "streams/test/goods.yml", STREAM_FILE + f"landing_path: {STREAM}\n")
    outcome = shop.json("ingest-check")
    assert outcome.envelope["data"]["removed_streams"] == [STREAM]
    assert outcome.stream("test/goods")["pending_files"] == 3


def test_accepting_it_ends_the_note(shop: Project) -> None:
    remove(shop)
    assert shop.run("accept", STREAM, "--reason", "kept as an archive").exit_code == 0
    assert shop.json("ingest-check").envelope["data"]["removed_streams"] == []
    assert shop.rows("SELECT count(*) FROM processed.int_test__things") == [(3,)]


def test_letting_go_drops_its_tables_and_touches_no_raw_object(shop: Project) -> None:
    before = raw(shop)
    assert shop.run("ingest-check", STREAM).exit_code == 5
    remove(shop)
    outcome = shop.json("maintain", "--forget-stream", STREAM)
    assert outcome.envelope["data"]["forgotten_streams"] == [STREAM]
    assert tables(shop) == set()
    for table in ("files", "streams", "raised", "test_results"):
        assert shop.rows(f"SELECT count(*) FROM meta.{table} WHERE stream = '{STREAM}'") == [(0,)], table
    assert shop.json("ingest-check").envelope["data"]["removed_streams"] == []
    assert list((shop.root / ".lotuslake/data/processed").rglob("int_test__things/*.parquet")) != []
    clean_up_everything(shop)
    assert list((shop.root / ".lotuslake/data/processed").rglob("int_test__things/*.parquet")) == []
    assert raw(shop) == before
    assert shop.rows("SELECT count(*) FROM processed.int_test__others") == [(1,)]


def clean_up_everything(project: Project) -> None:
    """What `maintain` does when all of this is long ago."""
    wiring = Wiring(load_settings(project.environ(), {}, project.root), {})
    try:
        wiring.ledger.prepare([])
        upkeep = DuckLakeMaintenance(wiring.instance, wiring.store)
        later = datetime.now(UTC) + timedelta(days=2)
        assert upkeep.expire_snapshots(later) > 0
        assert wiring.state.load_state().snapshots == 1
        assert upkeep.clean_up(later) > 0
    finally:
        wiring.close()


def test_put_back_after_it_was_let_go_of_it_begins_anew(shop: Project) -> None:
    model = Path("models/processed/int_test__things.sql")
    text = (shop.root / model).read_text()
    remove(shop)
    assert shop.run("maintain", "--forget-stream", STREAM).exit_code == 0
    write(shop.root / f"streams/{STREAM}.yml", STREAM_FILE)
    write(shop.root / model, text)
    outcome = shop.json("register", expect=5)
    assert outcome.stream(STREAM)["registered_files"] == 1
    assert outcome.stream(STREAM)["copied_files"] == 1
    assert outcome.stream(STREAM)["quarantined_files"] == 1
    assert shop.run("transform").exit_code == 5
    assert shop.rows("SELECT count(*) FROM processed.int_test__things") == [(3,)]


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (OTHER, f"--forget-stream {OTHER}: it has a stream file; remove that first"),
        ("test/nothing", "the lake knows no such stream; streams without a file: test/things"),
    ],
)
def test_what_cannot_be_let_go_of(shop: Project, stream: str, message: str) -> None:
    remove(shop)
    before = tables(shop)
    outcome = shop.run("maintain", "--forget-stream", STREAM, "--forget-stream", stream)
    assert outcome.exit_code == 2
    assert message in outcome.message
    assert tables(shop) == before
