"""The files of a new stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lotuslake.config.airbyte_sources import load_discovery
from lotuslake.config.options import Options
from lotuslake.config.section import Section
from lotuslake.config.stream_file import parse_stream
from lotuslake.core.agreement import find_disagreements
from lotuslake.core.discovery import DiscoveredStream
from lotuslake.core.errors import ConfigError
from lotuslake.core.scaffold.model_files import KEYWORDS, render_model, render_model_properties
from lotuslake.core.scaffold.new_stream import NewStream, Wishes, plan_new_stream
from lotuslake.core.scaffold.stream_file import WIDTH, render_stream_file, scalar

PROJECT = Path(__file__).parents[3]
TEXT = {"type": ["null", "string"]}
FIELDS: dict[str, Any] = {
    "updated_at": {"type": "string", "format": "date-time", "description": "When it changed. In UTC."},
    "id": {"type": "integer", "description": "The key"},
    "order": {"type": "array", "items": TEXT, "description": "no: 'yes' # <b>" + " long" * 60},
    "Größe": {"type": ["number", "null"]},
    "_airbyte_thing": TEXT,
    "is_deleted": {"type": "boolean"},
    "nothing": {"type": "null"},
}


def offered(**more: Any) -> DiscoveredStream:
    settings: dict[str, Any] = {"sync_modes": ("full_refresh", "incremental")} | more
    return DiscoveredStream("big_orders", settings.pop("properties", FIELDS), **settings)


OWN: dict[str, Any] = {"has_own_cursor": True, "default_cursor": ("updated_at",), "primary_key": (("id",),)}


def plan(found: DiscoveredStream, **wishes: Any) -> NewStream:
    return plan_new_stream("shop", found, Wishes(**wishes))


def test_the_connector_decides_and_key_and_cursor_come_first() -> None:
    stream = plan(offered(**OWN))
    assert (stream.sync_mode, stream.primary_key, stream.cursor_field) == ("incremental", ("id",), "updated_at")
    assert list(stream.fields) == ["id", "updated_at", "order", "Größe", "is_deleted"]
    assert stream.left_out == ("_airbyte_thing", "nothing")


def test_chosen_fields_bring_key_and_cursor_along() -> None:
    assert list(plan(offered(**OWN), fields=("order",)).fields) == ["id", "updated_at", "order"]
    assert plan(offered(**OWN), fields=("order",)).left_out == ()


@pytest.mark.parametrize(
    ("found", "wishes", "expected"),
    [
        (offered(sync_modes=("full_refresh",)), {}, ("full_refresh", ("id",), "")),
        (offered(sync_modes=()), {}, ("full_refresh", ("id",), "")),
        (offered(**OWN), {"sync_mode": "full_refresh"}, ("full_refresh", ("id",), "")),
        (offered(), {}, ("full_refresh", ("id",), "")),
        (offered(), {"cursor_field": "updated_at"}, ("incremental", ("id",), "updated_at")),
        (offered(), {"primary_key": ("Größe", "id")}, ("full_refresh", ("Größe", "id"), "")),
        (offered(primary_key=(("id",), ("updated_at",))), {}, ("full_refresh", ("id", "updated_at"), "")),
    ],
)
def test_what_is_left_open_is_chosen(
    found: DiscoveredStream, wishes: dict[str, Any], expected: tuple[str, tuple[str, ...], str]
) -> None:
    stream = plan(found, **wishes)
    assert (stream.sync_mode, stream.primary_key, stream.cursor_field) == expected


@pytest.mark.parametrize(
    ("found", "wishes", "told"),
    [
        (offered(), {"fields": ("odrer",)}, "which the source does not have; did you mean 'order'?"),
        (offered(), {"fields": ("nothing",)}, "names 'nothing', which cannot become a column"),
        (offered(**OWN), {"primary_key": ("order",)}, r"the source defines its own key \[id\]"),
        (offered(properties={"name": TEXT}), {}, "the source defines no key; name one with --primary-key"),
        (offered(), {"primary_key": ("order",)}, "the primary key 'order' is no top-level field with a single value"),
        (offered(primary_key=(("a", "b"),)), {}, "the primary key 'a.b' is no top-level field"),
        (offered(sync_modes=("full_refresh",)), {"sync_mode": "incremental"}, "reads it by full_refresh alone"),
        (offered(), {"sync_mode": "incremental"}, "the source names no cursor; choose one with --cursor-field"),
        (offered(**OWN), {"cursor_field": "id"}, "the source defines its own cursor 'updated_at'"),
        (offered(), {"cursor_field": "order"}, "the cursor 'order' is no top-level field"),
    ],
)
def test_what_cannot_be_is_refused(found: DiscoveredStream, wishes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        plan(found, **wishes)


def test_the_stream_file_is_short_and_plain() -> None:
    text = render_stream_file(plan(offered(**OWN)))
    assert text.startswith(
        """\
# yaml-language-server: $schema=../_schemas/stream.json
description: "Big orders, one record per version."
sync_mode: incremental
destination_sync_mode: append
primary_key: [id]
cursor_field: updated_at

fields:
  id: {type: integer, description: The key}
  updated_at: {type: string, format: date-time, description: When it changed}
  order:
    type: array
"""
    )
    assert '  "Größe": {type: number}\n' in text


def test_a_full_refresh_overwrites_and_has_no_cursor() -> None:
    text = render_stream_file(plan(offered(sync_modes=("full_refresh",))))
    assert "sync_mode: full_refresh\ndestination_sync_mode: overwrite\nprimary_key: [id]\n\nfields:\n" in text


def test_keywords_are_quoted_in_the_model_and_names_are_columns() -> None:
    lines = render_model(plan(offered(**OWN))).splitlines()
    columns = ["    id,", "    updated_at,", '    "order",', "    Große,".replace("ß", "_"), "    is_deleted,"]
    assert lines == ["select", *columns, "    {{ airbyte_columns() }}", "from {{ landing() }}"]


def test_a_field_that_is_called_as_the_lakes_own_flag_gets_another_name_in_the_model() -> None:
    fields = {**FIELDS, "deleted_at": {"type": "string", "format": "date-time"}, "source_is_deleted": TEXT}
    lines = render_model(plan(offered(**OWN, properties=fields))).splitlines()
    assert "    is_deleted as source_source_is_deleted," in lines
    assert "    source_is_deleted," in lines


def test_a_key_that_is_a_keyword_is_quoted_in_its_tests() -> None:
    fields = {**FIELDS, "select": {"type": "integer"}}
    found = offered(properties=fields, primary_key=(("select",),))
    (model,) = yaml.safe_load(render_model_properties(plan(found)))["models"]
    assert (model["columns"][0]["name"], model["columns"][0]["quote"]) == ("select", True)


def test_the_models_tests_follow_the_key_and_the_tombstones() -> None:
    fields = {**FIELDS, "deleted_at": {"type": "string", "format": "date-time"}}
    (model,) = yaml.safe_load(render_model_properties(plan(offered(**OWN, properties=fields))))["models"]
    assert model["name"] == "int_shop__big_orders"
    assert {column["name"]: column["data_tests"] for column in model["columns"]} == {
        "id": ["unique", "not_null"],
        "is_deleted": ["not_null"],
        "_airbyte_extracted_at": ["not_null"],
    }
    assert all(column["description"] for column in model["columns"])


def test_a_key_of_several_columns_is_unique_as_a_whole() -> None:
    stream = plan(offered(primary_key=(("id",), ("updated_at",))))
    (model,) = yaml.safe_load(render_model_properties(stream))["models"]
    assert model["data_tests"] == [
        {"unique": {"name": "unique_int_shop__big_orders_key", "arguments": {"column_name": "(id, updated_at)"}}}
    ]
    assert [column["data_tests"] for column in model["columns"][:2]] == [["not_null"], ["not_null"]]
    assert model["description"] == "The big orders of the newest complete sync."


@given(st.text(max_size=40))
def test_every_text_survives_yaml(text: str) -> None:
    assert yaml.safe_load(f"{{a: {scalar(text)}}}") == {"a": text}
    assert yaml.safe_load(f"a: {scalar(text)}") == {"a": text}


@pytest.mark.parametrize("word", ["yes", "No", "null", "true", "on", "y", "a b", "it's", "3", "x:y", "a #b", "- x"])
def test_words_stay_words(word: str) -> None:
    assert yaml.safe_load(f"[{scalar(word)}]") == [word]


def test_every_name_that_the_engine_refuses_unquoted_is_known() -> None:
    found = duckdb.sql("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'").fetchall()
    assert {name for (name,) in found if name not in KEYWORDS and not _stands_alone(name)} == set()


def _stands_alone(name: str) -> bool:
    try:
        duckdb.sql(f'SELECT {name} FROM (SELECT 1 AS "{name}")').fetchall()
    except duckdb.Error:
        return False
    return True


@pytest.mark.parametrize("source", ["klaviyo", "shopify"])
def test_every_stream_of_the_real_connectors_can_be_added(source: str) -> None:
    discovery = load_discovery(PROJECT, source)
    assert discovery is not None
    for found in discovery.streams.values():
        new = plan_new_stream(source, found, Wishes())
        text = render_stream_file(new)
        stream = parse_stream(Section("x.yml", yaml.safe_load(text)), source, found.name, Options())
        assert find_disagreements(stream, discovery) == []
        assert len(stream.fields) == len(new.fields)
        assert max(map(len, text.splitlines())) <= WIDTH + 120, found.name
        assert yaml.safe_load(render_model_properties(new))
