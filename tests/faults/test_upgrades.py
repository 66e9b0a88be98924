"""A lake outlives the program: what each release has left is read, upgraded and worked on by today's, whatever happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lotuslake import __version__
from lotuslake.adapters import ducklake_version
from lotuslake.adapters.ducklake_version import newest_version
from lotuslake.cli.wiring import Wiring
from lotuslake.config.settings import load_settings
from lotuslake.sql import load_sql
from tests.faults.conftest import MakeLake
from tests.faults.test_races import break_locks, finish
from tests.support.cutting import LakeCommit
from tests.support.fault_lake import MODEL, STREAM, EmbeddedLake, FaultLake, ServiceLake, items, path_of, shown
from tests.support.kept_lake import LATER, VANISHED, archives, carry_over, path, unpack
from tests.support.killing import Hold, Moment
from tests.support.proxy import TcpProxy
from tests.support.tally import count

KINDS = ["embedded", pytest.param("services", marks=pytest.mark.long)]
READING: list[tuple[str, ...]] = [
    ("ingest-check", "--json"),
    ("status", "--json"),
    ("query", "--json", "FROM meta.findings ORDER BY ALL"),
    ("query", "--json", f"SELECT id, amount FROM processed.{MODEL} ORDER BY ALL"),
    ("register", "--dry-run", "--json"),
]
WRITING: list[tuple[str, ...]] = [
    ("register",),
    ("transform",),
    ("run",),
    ("maintain",),
    ("backfill", STREAM),
    ("accept", STREAM, "--reason", "known"),
]
FIRST_UPGRADE = archives()[0]
CLAIM = "CREATE TABLE lakehouse.meta.lake_version"
COLUMNS_OF_CURSOR = (
    "SELECT column_name, data_type FROM duckdb_columns() "
    "WHERE database_name = 'lakehouse' AND table_name = 'cursor_fct_items' ORDER BY column_index"
)
OLDER_INSERT = (
    "INSERT INTO meta.files BY NAME SELECT 'shop/items' AS stream, 12 AS seq, 'late' AS path, 'expired' AS status"
)
# A step that no release has, behind those that there are.
INVENTED = newest_version() + 1

Tables = dict[str, tuple[list[str], list[tuple[Any, ...]]]]
OldLake = Callable[[str], FaultLake]


@pytest.fixture
def old_lake(make_lake: MakeLake, tmp_path: Path) -> OldLake:
    """Makes the lake that the oldest release has left, `embedded` or carried over to `services`."""

    def make(kind: str, archive: Path = FIRST_UPGRADE) -> FaultLake:
        kept = unpack(archive, tmp_path / f"kept_{len(list(tmp_path.iterdir()))}")
        if kind == "embedded":
            return kept
        lake = make_lake(kind)
        assert isinstance(lake, ServiceLake)
        return carry_over(kept, lake)

    return make


def version_of(lake: FaultLake) -> list[tuple[Any, ...]]:
    """Number and program of `meta.lake_version`; nothing where there is no such table."""
    if not lake.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = 'lake_version' AND database_name = 'lakehouse'"):
        return []
    return lake.rows("SELECT version, program_version FROM meta.lake_version")


def tables_of(lake: FaultLake, *, besides: tuple[str, ...] = ("meta.runs",)) -> Tables:
    """Columns and rows of every table but those that any command writes to."""
    with lake.stock() as connection:
        names = connection.execute(
            "SELECT concat(schema_name, '.', table_name) FROM duckdb_tables() "
            "WHERE database_name = 'lakehouse' AND schema_name IN ('landing', 'processed', 'enriched', 'meta')"
        ).fetchall()
        found: Tables = {}
        for (name,) in sorted(names):
            if name not in {*besides, "meta.lake_version"}:
                query = connection.execute(f"FROM {name}")
                found[name] = [column[0] for column in query.description], sorted(query.fetchall(), key=repr)
    return found


def assert_same_rows(before: Tables, after: Tables) -> None:
    """Every table of before is there with its columns and rows; a column that came holds nothing."""
    assert set(before) == set(after)
    for name, (columns, rows) in before.items():
        came = len(after[name][0]) - len(columns)
        assert after[name][0][: len(columns)] == columns
        assert [row[: len(columns)] for row in after[name][1]] == rows, name
        assert all(row[len(columns) :] == (None,) * came for row in after[name][1]), name


def answers(lake: FaultLake) -> dict[str, Any]:
    """What the reading commands say, without what time alone changes."""
    found: dict[str, Any] = {}
    for command in READING:
        envelope = json.loads(lake.run(*command).stdout)
        data = envelope["data"]
        for changing in ("commands", "snapshots", "oldest_snapshot_at"):
            data.pop(changing, None)
        for stream in data.get("streams", ()):
            stream.pop("lag_seconds", None)
        found[" ".join(command)] = envelope
    return found


def form_of(lake: FaultLake) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Columns with their types, and views with their SQL, of schema meta but for a rebuild under way."""
    with lake.stock() as connection:
        columns = connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = 'lakehouse' "
            "AND schema_name = 'meta' AND NOT starts_with(table_name, 'rebuild_') ORDER BY table_name, column_index"
        ).fetchall()
        views = connection.execute(
            "SELECT view_name, sql FROM duckdb_views() WHERE database_name = 'lakehouse' AND schema_name = 'meta' ORDER BY ALL"
        ).fetchall()
    return columns, views


def assert_upgraded(lake: FaultLake) -> None:
    assert version_of(lake) == [(newest_version(), __version__)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("archive", archives(), ids=lambda archive: archive.name)
def test_what_a_release_has_left_is_taken_up(old_lake: Callable[..., FaultLake], archive: Path, kind: str) -> None:
    lake = old_lake(kind, archive)
    was, before, raw = version_of(lake), tables_of(lake), lake.raw()
    told = answers(lake)
    assert version_of(lake) == was
    assert tables_of(lake) == before
    lake.run("register")
    assert_upgraded(lake)
    assert_same_rows(before, tables_of(lake))
    assert answers(lake) == told
    lake.run("transform")
    learned = [*lake.all_rows(), *VANISHED]
    of_model = f"SELECT id, amount, is_deleted, coalesce(_airbyte_raw_id, '') FROM processed.{MODEL} ORDER BY ALL"
    assert lake.rows(of_model) == shown(learned)
    # The work goes on: new files, upkeep of tables that have two forms in one history, the other half of the backfill.
    lake.put(path_of("new"), items(6, 4, version=9))
    lake.settle()
    assert lake.rows(of_model) == shown([*learned, *items(6, 4, version=9)])
    lake.run("maintain")
    for shard in ("0", "1"):
        lake.run("backfill", STREAM, "--shards", "2", "--shard-index", shard)
    lake.settle()
    # What only the vanished file told is carried forward.
    lake.check(VANISHED)
    assert lake.raw().items() > raw.items()
    assert lake.rows(
        f"SELECT sync_id, oldest_extracted_at IS NOT NULL FROM meta.files WHERE path = '{path_of('new')}'"
    ) == [(1, True)]


def test_a_lake_of_every_earlier_version_is_kept() -> None:
    """Who adds a step keeps, before, a lake that it is to change."""
    kept = {int(archive.name.removesuffix(".tar.xz").rpartition("-lake-")[2]) for archive in archives()}
    assert set(range(1, newest_version())) <= kept


def test_an_upgraded_lake_has_the_form_of_a_new_one(old_lake: OldLake, embedded_lake: EmbeddedLake) -> None:
    lake = old_lake("embedded")
    lake.settle()
    embedded_lake.put(path("later"), LATER)
    embedded_lake.settle()
    assert form_of(lake) == form_of(embedded_lake)
    assert_upgraded(embedded_lake)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("moment", "is_done"),
    [
        (Moment("the version is claimed", CLAIM, when="after"), False),
        (Moment("before COMMIT", "^COMMIT", follows="ALTER TABLE .*cursor_int"), False),
        (Moment("after COMMIT", "^COMMIT", when="after", follows=CLAIM), True),
        (Moment("before anything else", "SELECT stream, warn_after_seconds", follows=CLAIM), True),
    ],
    ids=lambda value: value.name if isinstance(value, Moment) else "",
)
def test_an_upgrade_is_killed(old_lake: OldLake, kind: str, moment: Moment, is_done: bool) -> None:
    lake = old_lake(kind)
    before = tables_of(lake)
    assert lake.kill("register", moment=moment)
    assert bool(version_of(lake)) is is_done
    assert_same_rows(before, tables_of(lake))
    lake.run("ingest-check", expect=(5,))
    lake.run("transform")
    assert_upgraded(lake)
    lake.put(path_of("new"), items(6, 4, version=9))
    lake.run("register")
    lake.check_landing()


@pytest.mark.parametrize("delay_seconds", [0.0, 0.001, 0.003])
def test_an_upgrade_is_killed_during_its_commit(old_lake: OldLake, delay_seconds: float) -> None:
    lake = old_lake("embedded")
    before = tables_of(lake)
    lake.kill("register", moment=Moment("COMMIT", "^COMMIT", when="during", follows=CLAIM, delay_seconds=delay_seconds))
    assert version_of(lake) in ([], [(newest_version(), __version__)])
    lake.run("register")
    assert_upgraded(lake)
    assert_same_rows(before, tables_of(lake))


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(
            Moment("not begun", function="lotuslake.adapters.ducklake_version:LakeVersion._take_step"),
            marks=pytest.mark.long,
        ),
        Moment("all but committed", "set_commit_message", when="after", follows=CLAIM),
    ],
    ids=lambda moment: moment.name,
)
def test_of_two_upgraders_one_finds_it_done(old_lake: OldLake, tmp_path: Path, moment: Moment) -> None:
    lake = old_lake("services")
    assert isinstance(lake, ServiceLake)
    before = tables_of(lake)
    hold = Hold(tmp_path)
    slow = lake.start("register", moment=moment, hold=hold)
    hold.wait_until_reached(slow.process)
    break_locks(lake)
    quick = lake.start("register")
    quick.wait()
    hold.go_on.touch()
    finish([slow, quick])
    assert_upgraded(lake)
    assert lake.rows("SELECT count(*) FROM lakehouse.snapshots() WHERE commit_message LIKE 'upgrade the lake%'") == [
        (1,)
    ]
    assert_same_rows(before, tables_of(lake))


@pytest.mark.long
def test_four_programs_meet_an_older_lake(old_lake: OldLake) -> None:
    lake = old_lake("services")
    lake.put(path_of("new"), items(6, 4, version=9))
    finish([lake.start(command) for command in ("register", "transform", "register", "transform")])
    assert_upgraded(lake)
    for shard in ("0", "1"):
        lake.run("backfill", STREAM, "--shards", "2", "--shard-index", shard)
    lake.settle()
    lake.check()


def test_an_older_program_at_work_meanwhile_loses_a_race_and_goes_on(old_lake: OldLake) -> None:
    """A stock DuckDB plays the program that knows of no versions: what it has begun is refused, what it begins is not."""
    lake = old_lake("services")
    with lake.stock(read_only=False) as older:
        older.execute("BEGIN")
        older.execute(OLDER_INSERT)
        lake.run("register")
        with pytest.raises(duckdb.TransactionException, match="Transaction conflict"):
            older.execute("COMMIT")
        older.execute("BEGIN")
        older.execute(OLDER_INSERT)
        older.execute("COMMIT")
    assert lake.rows("SELECT seq, status, sync_id FROM meta.files WHERE path = 'late'") == [(12, "expired", None)]
    assert_upgraded(lake)


def test_an_upgrade_that_an_older_program_has_overtaken_is_taken_again(old_lake: OldLake, tmp_path: Path) -> None:
    lake = old_lake("services")
    hold = Hold(tmp_path)
    slow = lake.start(
        "register", moment=Moment("changed", "set_commit_message", when="after", follows=CLAIM), hold=hold
    )
    hold.wait_until_reached(slow.process)
    with lake.stock(read_only=False) as older:
        older.execute(OLDER_INSERT)
    hold.go_on.touch()
    finish([slow])
    assert_upgraded(lake)
    assert lake.rows("SELECT seq, sync_id FROM meta.files WHERE path = 'late'") == [(12, None)]


@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.long), "after"])
def test_the_line_is_cut_at_an_upgrades_commit(old_lake: OldLake, when: Any) -> None:
    """No file of DuckLake's own is in it that a lost reply could delete (FACTS 4)."""
    lake = old_lake("services")
    assert isinstance(lake, ServiceLake)
    before = tables_of(lake)
    with TcpProxy(lake.postgres.port) as proxy:
        trap = proxy.cut_when(LakeCommit(), when)
        lake.run("register", expect=(3,), **lake.through(proxy.port))
    assert trap.sprung.is_set()
    count("cuts")
    assert bool(version_of(lake)) is (when == "after")
    lake.run("register")
    assert_upgraded(lake)
    assert_same_rows(before, tables_of(lake))


@pytest.mark.parametrize("kind", KINDS)
def test_a_lake_newer_than_the_program_is_left_alone(old_lake: OldLake, kind: str) -> None:
    lake = old_lake(kind)
    lake.run("register")
    with lake.stock(read_only=False) as connection:
        connection.execute("UPDATE meta.lake_version SET version = 99, program_version = '7.5.0'")
    message = (
        f"this lake is of version 99, made so by lotuslake 7.5.0; this program, lotuslake {__version__}, knows lakes up to "
        f"version {newest_version()}: install lotuslake 7.5.0 or a newer one"
    )
    snapshots = lake.rows("SELECT count(*) FROM lakehouse.snapshots()")
    for command in [*READING, *WRITING]:
        ended = lake.run(*command, expect=(2,))
        lines = [json.loads(line) for line in ended.stderr.splitlines()]
        assert [line["message"] for line in lines if line["level"] == "error"] == [message], command
    assert lake.rows("SELECT count(*) FROM lakehouse.snapshots()") == snapshots


@pytest.mark.parametrize("views", [("findings", "stream_status"), ("current_files", "findings", "stream_status")])
def test_a_lake_that_an_older_program_has_made_in_part_is_taken_up(old_lake: OldLake, views: tuple[str, ...]) -> None:
    """The views come last: a program that was killed before leaves none, or the first one alone."""
    lake = old_lake("embedded")
    whole = form_of(lake)[1]
    before = tables_of(lake)
    with lake.stock(read_only=False) as connection:
        for view in views:
            connection.execute(f"DROP VIEW meta.{view}")
    lake.run("register")
    assert_upgraded(lake)
    assert_same_rows(before, tables_of(lake))
    assert [name for name, _ in form_of(lake)[1]] == [name for name, _ in whole]


def test_a_cursor_that_an_older_program_has_made_since_is_completed(old_lake: OldLake) -> None:
    """It was at work while the lake was upgraded, and met a model that had never been built."""
    lake = old_lake("embedded")
    columns = lake.rows(COLUMNS_OF_CURSOR)
    lake.run("register")
    with lake.stock(read_only=False) as older:
        older.execute("DROP TABLE meta.cursor_fct_items")
        older.execute(f"CREATE TABLE meta.cursor_fct_items ({', '.join(' '.join(column) for column in columns)})")
        older.execute("INSERT INTO meta.cursor_fct_items (version) VALUES (0)")
    lake.run("transform")
    assert lake.rows(COLUMNS_OF_CURSOR) == [*columns, ("built_by", "VARCHAR"), ("null_keys", "BIGINT")]
    assert lake.rows("SELECT version, built_by FROM meta.cursor_fct_items") == [(1, None)]


def test_filters_reach_the_ledgers_scan_in_either_form(old_lake: OldLake) -> None:
    """Else every look at one stream would read the log of all."""
    lake = old_lake("embedded")
    statement = load_sql("ledger")["load_entries"]
    for _ in range(2):
        with lake.stock() as connection:
            plan = connection.execute(f"EXPLAIN {statement}", {"stream": STREAM, "since": None}).fetchall()[0][1]
        scan = plan.partition("DUCKLAKE_SCAN")[2]
        assert "Filters:" in scan
        assert f"stream='{STREAM}'" in scan
        lake.run("register")
    assert_upgraded(lake)


class StoppedError(Exception):
    """The program was stopped."""


@contextmanager
def wired(lake: FaultLake) -> Iterator[Wiring]:
    """The adapters in this process."""
    environ = {"LOTUSLAKE_PROJECT_DIR": str(lake.root), "LOTUSLAKE_MEMORY_LIMIT": "512MiB"}
    wiring = Wiring(load_settings(environ, {}, lake.root), environ)
    try:
        yield wiring
    finally:
        wiring.close()


@pytest.fixture
def invented_step(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One step more than there is; it may be changed."""
    blocks = load_sql("upgrades") | {
        f"to_{INVENTED}": "ALTER TABLE lakehouse.meta.batches ADD COLUMN colour VARCHAR",
        f"to_{INVENTED}_fence": "ALTER TABLE {table} ADD COLUMN colour VARCHAR",
        f"to_{INVENTED}_rebuild": "ALTER TABLE {table} ADD COLUMN colour VARCHAR",
    }
    monkeypatch.setattr(ducklake_version, "load_sql", lambda file: blocks if file == "upgrades" else load_sql(file))
    return blocks


def test_several_steps_are_taken_one_by_one(old_lake: OldLake, invented_step: dict[str, str]) -> None:
    lake = old_lake("embedded")
    before = tables_of(lake)
    good = invented_step[f"to_{INVENTED}_rebuild"]
    invented_step[f"to_{INVENTED}_rebuild"] = "SELECT error('stopped')"
    with wired(lake) as wiring, pytest.raises(duckdb.Error, match="stopped"):
        wiring.ledger.prepare([])
    # The steps before are kept; of the one that failed nothing is.
    assert version_of(lake) == [(INVENTED - 1, __version__)]
    assert_same_rows(before, tables_of(lake))
    invented_step[f"to_{INVENTED}_rebuild"] = good
    with wired(lake) as wiring:
        wiring.ledger.prepare([])
    assert version_of(lake) == [(INVENTED, __version__)]
    assert_same_rows(before, tables_of(lake))
    coloured = "SELECT table_name FROM duckdb_columns() WHERE column_name = 'colour' AND database_name = 'lakehouse' ORDER BY ALL"
    assert lake.rows(coloured) == [
        ("batches",),
        ("fence_shop__items",),
        ("rebuild_int_shop__items",),
        ("rebuild_int_shop__items_shard_0",),
    ]
    with wired(lake) as wiring:
        wiring.ledger.prepare([])
    messages = lake.rows(
        "SELECT commit_message FROM lakehouse.snapshots() WHERE commit_message LIKE 'upgrade%' ORDER BY snapshot_id"
    )
    assert messages == [(f"upgrade the lake to version {number}",) for number in range(2, INVENTED + 1)]


@pytest.mark.usefixtures("invented_step")
def test_a_new_lake_begins_with_the_newest_version(embedded_lake: EmbeddedLake) -> None:
    with wired(embedded_lake) as wiring:
        wiring.ledger.prepare([])
    assert version_of(embedded_lake) == [(INVENTED, __version__)]


@pytest.mark.usefixtures("invented_step")
@pytest.mark.parametrize("when", ["before", pytest.param("after", marks=pytest.mark.long)])
def test_a_rival_takes_a_later_step_first(old_lake: OldLake, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Before the version is claimed, so that it is found changed, or after, so that the commit conflicts."""
    lake = old_lake("services")
    lake.run("register")
    rival = [True]
    claim = ducklake_version.LakeVersion._claim

    def overtaken(self: ducklake_version.LakeVersion, version: int) -> None:
        if when == "after":
            claim(self, version)
        if rival:
            rival.clear()
            with lake.stock(read_only=False) as connection:
                connection.execute("BEGIN")
                connection.execute(
                    load_sql("upgrades")["move_version"], {"version": version, "program_version": "rival"}
                )
                connection.execute("ALTER TABLE meta.batches ADD COLUMN colour VARCHAR")
                connection.execute("COMMIT")
        if when == "before":
            claim(self, version)

    monkeypatch.setattr(ducklake_version.LakeVersion, "_claim", overtaken)
    for name, value in lake.environment.items():
        monkeypatch.setenv(name, value)
    wiring = Wiring(load_settings(lake._all_environment(), {}, lake.root), lake._all_environment())
    wiring.ledger.prepare([])
    wiring.close()
    assert not rival
    assert version_of(lake) == [(INVENTED, "rival")]
