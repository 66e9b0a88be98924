"""Traps of DuckLake (FACTS.md, by number) that no other test meets; docs/reliability.md has the whole table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lotuslake.cli.wiring import Wiring
from lotuslake.commands.listing import list_stream_files
from lotuslake.config.settings import load_settings
from lotuslake.core.decision import decide
from lotuslake.core.errors import LostRaceError
from lotuslake.core.head import Head
from lotuslake.ports.landing import RegisterBatch
from tests.support.fault_lake import EmbeddedLake, Item, items, path_of

INLINED_TABLES = """
SELECT s.schema_name, t.table_name FROM __ducklake_metadata_lakehouse.ducklake_inlined_data_tables AS i
JOIN __ducklake_metadata_lakehouse.ducklake_table AS t ON t.table_id = i.table_id
JOIN __ducklake_metadata_lakehouse.ducklake_schema AS s ON s.schema_id = t.schema_id
WHERE t.end_snapshot IS NULL
"""


@pytest.fixture
def wiring(embedded_lake: EmbeddedLake, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wiring]:
    """The adapters in this process, on the same folder."""
    for name in [name for name in os.environ if name.startswith("LOTUSLAKE_")]:
        monkeypatch.delenv(name)
    environ = {"LOTUSLAKE_PROJECT_DIR": str(embedded_lake.root), "LOTUSLAKE_MEMORY_LIMIT": "512MiB"}
    built = Wiring(load_settings(environ, {}, embedded_lake.root), environ)
    yield built
    built.close()


def batch_of(wiring: Wiring, head: Head, batch_id: str) -> RegisterBatch:
    (stream,) = wiring.streams.all
    wiring.ledger.prepare([stream])
    files = list_stream_files(wiring.store, stream, since=None)
    inspected = wiring.landing.inspect(files)
    columns = wiring.landing.evolve(stream, [found.columns for found in inspected])  # type: ignore[union-attr]
    return RegisterBatch(stream, batch_id, "run", head, tuple(decide(stream, columns, inspected)))


def test_1_2_a_registrar_that_planned_before_another_committed_adds_nothing(
    embedded_lake: EmbeddedLake, wiring: Wiring
) -> None:
    """DuckLake would take the same file twice; the fence does not."""
    embedded_lake.put(path_of("a"), items(0, 3))
    head = wiring.ledger.load_head(wiring.streams.all[0])
    wiring.landing.commit(batch_of(wiring, head, "first"))
    with pytest.raises(LostRaceError):
        wiring.landing.commit(batch_of(wiring, head, "second"))
    wiring.close()
    embedded_lake.check_landing()
    assert embedded_lake.rows("SELECT count(*) FROM landing.stg_shop__items") == [(3,)]


def test_8_a_commit_that_fails_leaves_the_raw_object_alone(
    embedded_lake: EmbeddedLake, wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded_lake.put(path_of("a"), items(0, 3))
    before = embedded_lake.raw()
    stream = wiring.streams.all[0]
    batch = batch_of(wiring, wiring.ledger.load_head(stream), "first")
    with monkeypatch.context() as patched:
        patched.setattr(wiring.landing, "_append_log", _fail)
        with pytest.raises(RuntimeError, match="on purpose"):
            wiring.landing.commit(batch)
    assert embedded_lake.raw() == before
    wiring.landing.commit(replace(batch, batch_id="again"))
    wiring.close()
    embedded_lake.check_landing()


def _fail(*_: object) -> None:
    raise RuntimeError("on purpose")


def test_13_15_only_the_small_tables_of_meta_are_inlined(embedded_lake: EmbeddedLake) -> None:
    embedded_lake.put(path_of("a"), items(0, 3))
    embedded_lake.settle()
    inlined = embedded_lake.rows(INLINED_TABLES)
    assert {schema for schema, _ in inlined} == {"meta"}


def test_16_the_same_key_many_times_in_one_batch_is_one_row(embedded_lake: EmbeddedLake) -> None:
    lake = embedded_lake
    lake.put(path_of("a"), items(0, 3))
    lake.settle()
    lake.put(path_of("b"), [Item(1, version) for version in (5, 9, 7)] + [Item(50, 2), Item(50, 3, is_tombstone=True)])
    lake.put(path_of("c"), [Item(1, version) for version in (8, 6)])
    lake.settle()
    lake.check()


def test_18_register_and_transform_do_not_defeat_each_other(embedded_lake: EmbeddedLake) -> None:
    """Conflicts are per table: each has one of its own for every stream."""
    embedded_lake.put(path_of("a"), items(0, 3))
    embedded_lake.settle()
    tables = embedded_lake.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'meta'")
    assert {("fence_shop__items",), ("cursor_int_shop__items",)} <= set(tables)


def test_19_what_time_travel_forgets_costs_no_row(embedded_lake: EmbeddedLake) -> None:
    """A cursor is a position in the ledger, no snapshot: everything may expire between register and transform."""
    lake = embedded_lake
    lake.put(path_of("a"), items(0, 3))
    lake.settle()
    lake.put(path_of("b"), [Item(1, 5), *items(10, 3)])
    lake.run("register")
    with lake.stock(read_only=False) as connection:
        connection.execute("CALL ducklake_expire_snapshots('lakehouse', older_than => now() + INTERVAL 1 DAY)")
    lake.run("transform")
    lake.check()
