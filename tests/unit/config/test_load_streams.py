"""Stream files that are right: what they become."""

import json
import sys
from datetime import date, timedelta
from pathlib import Path

from lotuslake.config.streams import load_streams
from lotuslake.core.source import Source
from lotuslake.core.stream import BatchLimits, Freshness, Stream

ORDERS = """\
sync_mode: incremental
destination_sync_mode: append
primary_key: [id]
cursor_field: updated_at
fields:
  id: {type: integer, description: The key}
  updated_at: {type: string, format: date-time}
"""


def write(project: Path, name: str, text: str) -> None:
    path = project / "streams" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def load_one(project: Path, text: str, name: str = "shop/orders.yml") -> Stream:
    write(project, name, text)
    (stream,) = load_streams(project).all
    return stream


def test_a_stream_needs_no_source_file(tmp_path: Path) -> None:
    stream = load_one(tmp_path, ORDERS)
    assert (stream.id, stream.landing_path, stream.landing) == ("shop/orders", "shop/orders", "reference")
    assert (stream.primary_key, stream.cursor_field, stream.tombstone_field) == (("id",), "updated_at", None)
    assert [(field.name, str(field.type), field.description) for field in stream.fields] == [
        ("id", "BIGINT", "The key"),
        ("updated_at", "TIMESTAMP", ""),
    ]
    assert (stream.batch, stream.null_keys) == (None, "keep")
    assert stream.freshness == Freshness()
    assert load_streams(tmp_path).sources == {"shop": Source("shop")}


def test_airbyte_writes_keys_and_cursors_as_lists(tmp_path: Path) -> None:
    text = ORDERS.replace("[id]", "[[id]]").replace("cursor_field: updated_at", "cursor_field: [updated_at]")
    assert load_one(tmp_path, text).primary_key == ("id",)
    assert load_one(tmp_path, text).cursor_field == "updated_at"


def test_a_key_may_be_one_name_or_several(tmp_path: Path) -> None:
    assert load_one(tmp_path, ORDERS.replace("[id]", "id")).primary_key == ("id",)
    several = load_one(tmp_path, ORDERS.replace("[id]", "[[id], [updated_at]]"))
    assert several.primary_key == ("id", "updated_at")


def test_every_option(tmp_path: Path) -> None:
    options = """\
landing_path: raw/orders/
landing: copy
batch: {max_files: 10, max_bytes: 10MB, max_rows: 1_000}
lookback_days: 0
freshness: {warn_after: 12h, error_after: 1d 12h}
retention_days: 90
settle_after: 45m
max_shrink: 0.25
null_keys: drop
tombstone_field: updated_at
"""
    stream = load_one(tmp_path, ORDERS + options)
    assert (stream.landing_path, stream.landing) == ("raw/orders", "copy")
    assert stream.batch == BatchLimits(10, 10_000_000, 1000)
    assert stream.freshness == Freshness(timedelta(hours=12), timedelta(hours=36))
    assert (stream.lookback_days, stream.retention_days, stream.max_shrink) == (0, 90, 0.25)
    assert stream.settle_after == timedelta(minutes=45)
    assert (stream.tombstone_field, stream.null_keys) == ("updated_at", "drop")


def test_a_field_may_have_any_name_but_one_of_airbytes(tmp_path: Path) -> None:
    names = ["rowid", "_cursor", "is_deleted", "_deleted_raw_id", "s", '"null"', "select", "__index_level_0__"]
    stream = load_one(tmp_path, ORDERS + "".join(f"  {name}: {{type: string}}\n" for name in names))
    assert [field.name for field in stream.fields[2:]] == [name.strip('"') for name in names]


def test_a_bound_that_is_not_given_does_not_bound(tmp_path: Path) -> None:
    stream = load_one(tmp_path, ORDERS + "batch: {max_files: 7}\n")
    assert stream.batch == BatchLimits(7, sys.maxsize, sys.maxsize)


def test_an_overwritten_stream_is_copied_and_needs_no_cursor(tmp_path: Path) -> None:
    text = ORDERS.replace("incremental", "full_refresh").replace("append", "overwrite")
    stream = load_one(tmp_path, text.replace("cursor_field: updated_at\n", ""))
    assert (stream.landing, stream.cursor_field) == ("copy", None)


def test_tombstones_are_found_by_their_field_unless_turned_off(tmp_path: Path) -> None:
    text = ORDERS + "  deleted_at: {type: string, format: date-time}\n"
    assert load_one(tmp_path, text).tombstone_field == "deleted_at"
    assert load_one(tmp_path, text + "tombstone_field: null\n").tombstone_field is None
    assert load_one(tmp_path, text.replace("incremental", "full_refresh")).tombstone_field is None


def test_names_are_those_of_the_landing_columns(tmp_path: Path) -> None:
    stream = load_one(tmp_path, ORDERS.replace("updated_at", "updated-at"))
    assert stream.cursor_field == "updated_at"
    assert [(field.name, field.source_name) for field in stream.fields] == [("id", None), ("updated_at", "updated-at")]


def test_words_of_old_yaml_are_text(tmp_path: Path) -> None:
    stream = load_one(tmp_path, "description: no\n" + ORDERS + "  on: {type: string, default: 2024-01-01}\n")
    assert stream.description == "no"
    assert (stream.fields[-1].name, stream.fields[-1].schema["default"]) == ("on", "2024-01-01")


def test_anchors_and_merges_work(tmp_path: Path) -> None:
    more = "  a: &money {type: number}\n  b: *money\n  c: {<<: *money, description: The third}\n"
    assert [str(field.type) for field in load_one(tmp_path, ORDERS + more).fields[2:]] == ["DOUBLE"] * 3


def test_json_is_read_too(tmp_path: Path) -> None:
    values = {
        "description": "caf\u00e9 \U0001f600",
        "sync_mode": "full_refresh",
        "destination_sync_mode": "append",
        "primary_key": [["id"]],
        "fields": {"id": {"type": ["null", "string"]}},
    }
    stream = load_one(tmp_path, json.dumps(values, indent="\t"), "shop/orders.json")
    assert (stream.id, stream.description) == ("shop/orders", "caf\u00e9 \U0001f600")


def test_a_source_gives_defaults_that_a_stream_overrides(tmp_path: Path) -> None:
    source = """\
description: The shop
definition_id: 9DA77001-AF33-4BCD-BE46-6252BF9342B9
start_date: 2020-01-01
schedule: 0 0 * * * ?
namespace: shopify
secrets: [SHOPIFY_TOKEN]
defaults:
  freshness: {warn_after: 12h, error_after: 36h}
  batch: {max_files: 5}
  settle_after: 1h
"""
    write(tmp_path, "shop/_source.yml", source)
    write(tmp_path, "shop/orders.yml", ORDERS)
    write(tmp_path, "shop/lists.yml", ORDERS + "freshness: {warn_after: 2d}\nbatch: null\n")
    streams = load_streams(tmp_path)
    assert streams.sources["shop"] == Source(
        "shop",
        "The shop",
        "9da77001-af33-4bcd-be46-6252bf9342b9",
        date(2020, 1, 1),
        "0 0 * * * ?",
        "shopify",
        ("SHOPIFY_TOKEN",),
    )
    lists, orders = streams.all
    assert orders.freshness == Freshness(timedelta(hours=12), timedelta(hours=36))
    assert orders.batch == BatchLimits(5, sys.maxsize, sys.maxsize)
    assert (lists.freshness, lists.batch) == (Freshness(timedelta(days=2)), None)
    assert lists.settle_after == orders.settle_after == timedelta(hours=1)


def test_files_for_other_uses_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "shop/_discovered.json", "{ not even json")
    write(tmp_path, "shop/.orders.yml.swp", "\0")
    write(tmp_path, "shop/README.md", "words")
    write(tmp_path, "README.md", "words")
    assert load_one(tmp_path, "\ufeff" + ORDERS.replace("\n", "\r\n")).id == "shop/orders"


def test_landing_paths_may_begin_alike(tmp_path: Path) -> None:
    write(tmp_path, "shop/a.yml", ORDERS + "landing_path: raw/x\n")
    write(tmp_path, "shop/b.yml", ORDERS + "landing_path: raw/x-y\n")
    write(tmp_path, "shop/c.yml", ORDERS + "landing_path: raw/x2\n")
    assert [stream.landing_path for stream in load_streams(tmp_path).all] == ["raw/x", "raw/x-y", "raw/x2"]


def test_streams_are_sorted_by_id(tmp_path: Path) -> None:
    for name in ("shop/b.yml", "shop/a.yaml", "crm/z.yml"):
        write(tmp_path, name, ORDERS)
    assert [stream.id for stream in load_streams(tmp_path).all] == ["crm/z", "shop/a", "shop/b"]
