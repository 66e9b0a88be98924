"""Refresh, clear and overwrite at the source: the new generation takes the old one's place when it is complete."""

from __future__ import annotations

from tests.support.fault_lake import EmbeddedLake, Item, items, path_of, shown

FULL_REFRESH = """
description: Items of which every sync brings all.
sync_mode: full_refresh
destination_sync_mode: {destination}
primary_key: [id]
cursor_field: updated_at
tombstone_field: deleted_at
settle_after: {settle_after}
fields:
  id: {{type: integer}}
  updated_at: {{type: string, format: date-time}}
  amount: {{type: integer}}
  deleted_at: {{type: string, format: date-time}}
"""
CURRENT = "SELECT id, amount, is_deleted, _airbyte_raw_id FROM processed.int_shop__items ORDER BY ALL"


def configure(lake: EmbeddedLake, destination: str, settle_after: str = "1s") -> None:
    text = FULL_REFRESH.format(destination=destination, settle_after=settle_after)
    (lake.root / "streams" / "shop" / "items.yml").write_text(text)


def current(lake: EmbeddedLake) -> list[tuple[object, ...]]:
    return lake.rows(CURRENT)


def put(lake: EmbeddedLake, name: str, rows: list[Item], generation: int) -> str:
    return lake.put(path_of(name), rows, generation=generation)


def test_an_overwrite_shows_the_new_generation_once_the_old_ones_objects_are_gone(embedded_lake: EmbeddedLake) -> None:
    lake = embedded_lake
    configure(lake, "overwrite")
    old = [put(lake, "g1_0", items(0, 4, 1), 1), put(lake, "g1_1", items(4, 4, 1), 1)]
    lake.settle()
    assert current(lake) == shown(items(0, 8, 1))
    # The default of such a stream: the raw objects are Airbyte's to delete, so landing keeps copies of its own.
    assert lake.rows("SELECT DISTINCT status FROM meta.current_files") == [("copied",)]
    put(lake, "g2_0", items(0, 5, 2), 2)
    lake.settle()
    assert current(lake) == shown(items(0, 8, 1)), "half a generation is not shown"
    put(lake, "g2_1", items(5, 2, 2), 2)
    lake.vanish(old[0])
    lake.settle()
    assert current(lake) == shown(items(0, 8, 1)), "the old one is not gone yet"
    lake.vanish(old[1])
    lake.settle()
    assert current(lake) == shown(items(0, 7, 2))
    assert lake.run("ingest-check", "--full-sweep").exit_code == 0, "what was replaced is not missing"


def test_a_generation_waits_for_settle_after(embedded_lake: EmbeddedLake) -> None:
    lake = embedded_lake
    configure(lake, "append", settle_after="2h")
    put(lake, "g1", items(0, 4, 1), 1)
    lake.settle()
    assert current(lake) == shown(items(0, 4, 1)), "a first generation is shown as it comes"
    put(lake, "g2", items(0, 3, 2), 2)
    lake.settle()
    assert current(lake) == shown(items(0, 4, 1))
    configure(lake, "append", settle_after="1s")
    lake.settle()
    assert current(lake) == shown(items(0, 3, 2))


def test_a_fall_in_rows_is_held_back_until_it_is_accepted(embedded_lake: EmbeddedLake) -> None:
    lake = embedded_lake
    configure(lake, "append")
    put(lake, "g1", items(0, 10, 1), 1)
    lake.settle()
    put(lake, "g2", items(0, 2, 2), 2)
    lake.run("register")
    for _ in range(2):
        assert lake.run("transform").exit_code == 5
        assert current(lake) == shown(items(0, 10, 1))
    assert lake.rows("SELECT kind FROM meta.findings") == [("held_back",)]
    lake.run("accept", "shop/items", "--reason", "the shop sold most of it")
    assert lake.run("transform").exit_code == 0
    assert current(lake) == shown(items(0, 2, 2))


def test_a_fall_in_rows_is_held_back_when_the_old_objects_are_gone(embedded_lake: EmbeddedLake) -> None:
    lake = embedded_lake
    configure(lake, "overwrite")
    old = put(lake, "g1", items(0, 10, 1), 1)
    lake.settle()
    lake.vanish(old)
    put(lake, "g2", items(0, 2, 2), 2)
    lake.run("register")
    assert lake.run("transform").exit_code == 5
    assert current(lake) == shown(items(0, 10, 1))
    assert lake.rows("SELECT kind FROM meta.findings") == [("held_back",)]
    lake.run("accept", "shop/items", "--reason", "the shop sold most of it")
    lake.settle()
    assert current(lake) == shown(items(0, 2, 2))


def test_a_new_connection_begins_at_generation_0_again(embedded_lake: EmbeddedLake) -> None:
    lake = embedded_lake
    configure(lake, "append")
    put(lake, "old_0", items(0, 6, 1), 0)
    lake.settle()
    put(lake, "old_1", items(0, 6, 2), 1)
    lake.settle()
    put(lake, "new_0", items(0, 5, 3), 0)
    lake.settle()
    assert current(lake) == shown(items(0, 5, 3))
    put(lake, "new_1", items(0, 4, 4), 1)
    lake.settle()
    assert current(lake) == shown(items(0, 4, 4))


def test_a_truncating_refresh_replaces_and_a_merging_one_only_appends(embedded_lake: EmbeddedLake) -> None:
    lake = embedded_lake
    (lake.root / "streams" / "shop" / "items.yml").write_text(
        (lake.root / "streams" / "shop" / "items.yml").read_text() + "settle_after: 1s\n"
    )
    first = put(lake, "g0", items(0, 6, 1), 0)
    lake.settle()
    second = put(lake, "g1", items(0, 2, 2), 1)
    lake.settle()
    assert current(lake) == shown([*items(0, 6, 1), *items(0, 2, 2)]), "merged: nothing is replaced"
    third = put(lake, "g2", items(0, 5, 3), 2)
    lake.vanish(first)
    lake.vanish(second)
    lake.settle()
    assert current(lake) == shown(items(0, 5, 3)), "truncated: of what was shown no file is left"
    assert lake.files == {third: items(0, 5, 3)}


def test_a_clear_is_held_back(embedded_lake: EmbeddedLake) -> None:
    """Everything vanishes and nothing takes its place: processed keeps what it knows, and a person is asked."""
    lake = embedded_lake
    first = put(lake, "g0", items(0, 6, 1), 0)
    lake.settle()
    lake.vanish(first)
    assert lake.run("register", "--full-sweep").exit_code == 5
    assert lake.run("transform").exit_code == 5
    assert current(lake) == shown(items(0, 6, 1))
