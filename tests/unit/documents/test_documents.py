"""The generated documents of the streams that ship, and of streams without a discovery."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from airbyte_protocol.models import AirbyteCatalog, ConfiguredAirbyteCatalog

from lotuslake.config.airbyte_sources import load_airbyte_sources
from lotuslake.config.streams import load_streams
from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.discovery import DiscoveredStream, Discovery
from lotuslake.core.documents.generated import build_documents, generated_path, parse_generated_path
from lotuslake.core.json_schema import column_type

PROJECT = Path(__file__).parents[3]
SOURCES = {source.name: source for source in load_airbyte_sources(PROJECT, load_streams(PROJECT))}
# What the public API takes (ConnectionSyncModeEnum), as far as the S3 destination can.
PUBLIC_SYNC_MODES = {"incremental_append", "full_refresh_append", "full_refresh_overwrite"}

INVENTED = """\
sync_mode: incremental
destination_sync_mode: append
primary_key: [order-id, line]
cursor_field: changed at
fields:
  order-id: {type: integer, description: not for Airbyte}
  line: {type: integer}
  changed at: {type: string, format: date-time}
"""


def document(source: AirbyteSource, format_: str) -> Any:
    return json.loads(build_documents(source)[generated_path(source.name, format_)])


@pytest.fixture
def invented(tmp_path: Path) -> AirbyteSource:
    """A source that nobody has discovered, with names that Airbyte has to change."""
    folder = tmp_path / "streams" / "shop"
    folder.mkdir(parents=True)
    (folder / "order_lines.yml").write_text(INVENTED)
    (folder / "_source.yml").write_text("definition_id: 9da77001-af33-4bcd-be46-6252bf9342b9\nstart_date: 2024-01-31\n")
    (source,) = load_airbyte_sources(tmp_path, load_streams(tmp_path))
    return source


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_the_protocol_catalog_is_one(source: AirbyteSource) -> None:
    catalog = ConfiguredAirbyteCatalog.model_validate(document(source, "protocol"))
    assert [item.stream.name for item in catalog.streams] == sorted(stream.name for stream in source.streams)
    for item, stream in zip(catalog.streams, source.streams, strict=True):
        assert set(item.stream.model_extra or {}) == set()
        assert set(item.model_extra or {}) == set()
        assert item.stream.supported_sync_modes
        assert item.sync_mode in item.stream.supported_sync_modes
        assert item.cursor_field == item.stream.default_cursor_field
        assert item.primary_key == item.stream.source_defined_primary_key
        properties = item.stream.json_schema["properties"]
        assert {name: column_type(schema) for name, schema in properties.items()} == {
            field.source_name or field.name: field.type for field in stream.fields
        }, "the schema is pruned to what the stream file declares, and no type changes by it"


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_the_kept_discovery_is_a_catalog_of_the_protocol(source: AirbyteSource) -> None:
    kept = json.loads((PROJECT / "streams" / source.name / "_discovered.json").read_text())
    streams = [{"name": name, **entry} for name, entry in kept["streams"].items()]
    assert len(AirbyteCatalog.model_validate({"streams": streams}).streams) > len(source.streams)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_the_internal_catalog_keeps_the_servers_rules(source: AirbyteSource) -> None:
    for item in document(source, "internal")["syncCatalog"]["streams"]:
        stream, config = item["stream"], item["config"]
        selected = [field["fieldPath"] for field in config["selectedFields"]]
        assert config["selected"]
        assert config["fieldSelectionEnabled"]
        assert config["aliasName"] == stream["name"]
        assert config["syncMode"] in stream["supportedSyncModes"]
        assert selected, "an empty selection is refused"
        assert selected == sorted(selected)
        assert all(len(path) == 1 for path in selected), "only top-level fields can be selected"
        assert {path[0] for path in selected} <= set(stream["jsonSchema"]["properties"])
        assert config["cursorField"] in selected
        assert all(path in selected for path in config["primaryKey"])
        assert config["cursorField"] == stream["defaultCursorField"]
        assert config["primaryKey"] == stream["sourceDefinedPrimaryKey"]


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_the_public_configuration_leaves_out_what_the_source_defines(source: AirbyteSource) -> None:
    inputs = document(source, "terraform")
    assert inputs["namespace_format"] == source.name
    assert inputs["schedule"] == {"schedule_type": "cron", "cron_expression": source.source.schedule}
    assert inputs["secrets"] == list(source.source.secrets)
    for stream in inputs["configurations"]["streams"]:
        assert set(stream) == {"name", "sync_mode", "selected_fields"}
        assert stream["sync_mode"] in PUBLIC_SYNC_MODES


def test_undeclared_fields_are_not_selected_but_stay_in_the_servers_schema() -> None:
    customers = next(
        item
        for item in document(SOURCES["shopify"], "internal")["syncCatalog"]["streams"]
        if item["stream"]["name"] == "customers"
    )
    selected = {field["fieldPath"][0] for field in customers["config"]["selectedFields"]}
    assert selected < set(customers["stream"]["jsonSchema"]["properties"])


def test_original_names_go_to_airbyte_and_descriptions_do_not(invented: AirbyteSource) -> None:
    (stream,) = document(invented, "protocol")["streams"]
    assert stream["stream"]["json_schema"]["properties"] == {
        "changed at": {"type": "string", "format": "date-time"},
        "line": {"type": "integer"},
        "order-id": {"type": "integer"},
    }
    assert stream["cursor_field"] == ["changed at"]
    assert stream["primary_key"] == [["order-id"], ["line"]]


def test_without_a_discovery_the_stream_file_alone_says_cursor_and_key(invented: AirbyteSource) -> None:
    inputs = document(invented, "terraform")
    assert inputs["configuration"] == {"start_date": "2024-01-31"}
    assert inputs["schedule"] == {"schedule_type": "manual"}
    (stream,) = inputs["configurations"]["streams"]
    assert stream["cursor_field"] == ["changed at"]
    assert stream["primary_key"] == [["order-id"], ["line"]]
    assert [field["field_path"] for field in stream["selected_fields"]] == [["changed at"], ["line"], ["order-id"]]


def test_a_source_without_a_definition_has_nothing_for_terraform(tmp_path: Path) -> None:
    folder = tmp_path / "streams" / "shop"
    folder.mkdir(parents=True)
    (folder / "order_lines.yml").write_text(INVENTED)
    (source,) = load_airbyte_sources(tmp_path, load_streams(tmp_path))
    assert [parse_generated_path(path) for path in build_documents(source)] == [
        *(("shop", "protocol"), ("shop", "internal"), ("shop", "inputs"))
    ]


@pytest.mark.parametrize(
    "path",
    [
        "manifests/airbyte/generated/README.md",
        "manifests/airbyte/shopify.protocol.json",
        "a.protocol.json",
        "shop.json",
    ],
)
def test_other_files_are_not_ours(path: str) -> None:
    assert parse_generated_path(path) is None


def test_a_namespace_of_the_source_goes_into_every_document(invented: AirbyteSource) -> None:
    properties = {"order-id": {"type": "integer"}, "line": {"type": "integer"}, "changed at": {"type": "string"}}
    found = DiscoveredStream("order_lines", properties, ("incremental",), namespace="public")
    discovery = Discovery("airbyte-source-shop", "1.0.0", {"order_lines": found})
    source = replace(invented, discovery=discovery)
    assert document(source, "protocol")["streams"][0]["stream"]["namespace"] == "public"
    assert document(source, "internal")["syncCatalog"]["streams"][0]["stream"]["namespace"] == "public"
    assert document(source, "terraform")["configurations"]["streams"][0]["namespace"] == "public"
