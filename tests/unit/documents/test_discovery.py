"""What a connector says, kept and compared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lotuslake.core.airbyte_messages import ConnectorError, read_catalog, read_saved
from lotuslake.core.discovery import (
    DiscoveredStream,
    Discovery,
    DiscoveryChange,
    compare_discoveries,
    discovered_type,
    discovery_document,
    simplify_schema,
)

STREAM: dict[str, Any] = {
    "name": "orders",
    "json_schema": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "id": {"type": "integer", "description": "The\n key.", "multipleOf": 1},
            "customer": {
                "type": ["null", "object"],
                "additionalProperties": True,
                "properties": {"name": {"type": "string", "description": "gone"}, "age": {"type": "integer"}},
            },
            "parts": {"type": "array", "items": [{"type": "string", "title": "x"}]},
            "either": {"anyOf": [{"type": "string", "x": 1}, {"type": "number"}]},
            "odd": True,
        },
    },
    "supported_sync_modes": ["full_refresh", "incremental"],
    "source_defined_cursor": True,
    "default_cursor_field": ["updated_at"],
    "source_defined_primary_key": [["id"]],
    "namespace": "public",
}
CATALOG = {"type": "CATALOG", "catalog": {"streams": [STREAM]}}
NOISE = [
    "starting up",
    "{ not json",
    "[1]",
    json.dumps({"type": "LOG", "log": {"level": "INFO", "message": "hello"}}),
    json.dumps({"type": "CONTROL", "control": {"type": "CONNECTOR_CONFIG", "emitted_at": 1}}),
    json.dumps({"type": "TRACE", "trace": {"type": "ESTIMATE", "emitted_at": 1}}),
]


def trace(failure_type: str | None = None, message: str | None = "Bad\n key") -> str:
    error = {"message": message, "internal_message": "KeyError", "stack_trace": "…", "failure_type": failure_type}
    return json.dumps({"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": error}})


def test_what_does_not_decide_a_type_is_left_out() -> None:
    stream = read_catalog([*NOISE, json.dumps(CATALOG)])["orders"]
    assert stream == DiscoveredStream(
        name="orders",
        properties={
            "id": {"type": "integer", "description": "The key."},
            "customer": {
                "type": ["null", "object"],
                "properties": {"age": {"type": "integer"}, "name": {"type": "string"}},
            },
            "parts": {"type": "array", "items": [{"type": "string"}]},
            "either": {"anyOf": [{"type": "string"}, {"type": "number"}]},
            "odd": {},
        },
        sync_modes=("full_refresh", "incremental"),
        has_own_cursor=True,
        default_cursor=("updated_at",),
        primary_key=(("id",),),
        namespace="public",
    )
    assert discovered_type(stream.properties["odd"]) is None


def test_the_kept_document_reads_as_the_same_streams() -> None:
    streams = read_catalog([json.dumps(CATALOG)])
    kept = discovery_document(Discovery("airbyte-source-shop", "1.0.0", streams))
    again = [{"name": name, **entry} for name, entry in kept["streams"].items()]
    assert read_saved(json.dumps({"streams": again})) == streams


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(CATALOG),
        json.dumps(CATALOG, indent=2),
        json.dumps(CATALOG["catalog"], indent=2),
        "\n".join([*NOISE, json.dumps(CATALOG)]),
    ],
    ids=["message", "message over lines", "catalog alone", "whole output"],
)
def test_every_form_of_a_saved_output_is_read(text: str) -> None:
    assert list(read_saved(text)) == ["orders"]


@pytest.mark.parametrize(
    ("lines", "told", "is_reported", "is_configuration"),
    [
        ([], "it ended without a catalog", False, False),
        (NOISE, "it ended without a catalog", False, False),
        ([trace("config_error")], "Bad key", True, True),
        ([trace("system_error")], "Bad key", True, False),
        ([trace(message=None)], "no message", True, False),
        ([json.dumps({"type": "CATALOG", "catalog": {}})], "its catalog holds no list of streams", False, False),
        (
            [json.dumps({"type": "CATALOG", "catalog": {"streams": [{"json_schema": {}}]}})],
            "its catalog holds a stream without a name",
            False,
            False,
        ),
    ],
)
def test_a_connector_that_fails_is_quoted(
    lines: list[str], told: str, is_reported: bool, is_configuration: bool
) -> None:
    with pytest.raises(ConnectorError, match=told) as raised:
        read_catalog(lines)
    assert (raised.value.is_reported, raised.value.is_configuration) == (is_reported, is_configuration)


@pytest.mark.parametrize("text", ["[]", "3", '{"catalog": 3}', "nothing"])
def test_a_saved_file_that_is_no_catalog_is_refused(text: str) -> None:
    with pytest.raises(ConnectorError):
        read_saved(text)


def discovery(**streams: DiscoveredStream) -> Discovery:
    return Discovery("airbyte-source-shop", "1.0.0", streams)


def stream(name: str, fields: dict[str, Any], **more: Any) -> DiscoveredStream:
    return DiscoveredStream(name, {key: simplify_schema(schema) for key, schema in fields.items()}, **more)


def test_the_first_discovery_only_has_streams_that_appeared() -> None:
    after = discovery(orders=stream("orders", {"id": {"type": "integer"}}, sync_modes=()))
    assert compare_discoveries(None, after) == [DiscoveryChange("orders", "", "appeared")]
    assert compare_discoveries(after, after) == []


def test_what_appeared_vanished_and_changed_is_named() -> None:
    before = discovery(
        gone=stream("gone", {}, sync_modes=("full_refresh",)),
        orders=stream(
            "orders",
            {"id": {"type": "integer"}, "old": {"type": "string"}, "null": {"type": "null"}},
            sync_modes=("full_refresh",),
        ),
    )
    after = discovery(
        new=stream("new", {}, sync_modes=("full_refresh",)),
        orders=stream(
            "orders",
            {"id": {"type": "string"}, "fresh": {"type": ["null", "string"], "format": "date"}, "null": {}},
            sync_modes=("full_refresh", "incremental"),
            has_own_cursor=True,
            default_cursor=("fresh",),
            primary_key=(("id",),),
        ),
    )
    assert compare_discoveries(before, after) == [
        DiscoveryChange("gone", "", "vanished"),
        DiscoveryChange("new", "", "appeared"),
        DiscoveryChange("orders", "(sync modes)", "changed", "full_refresh", "full_refresh, incremental"),
        DiscoveryChange("orders", "(cursor)", "changed", "- (free)", "fresh (the source's own)"),
        DiscoveryChange("orders", "(primary key)", "changed", "-", "id"),
        DiscoveryChange("orders", "fresh", "appeared", "", "DATE"),
        DiscoveryChange("orders", "id", "changed", "BIGINT", "VARCHAR"),
        DiscoveryChange("orders", "old", "vanished", "VARCHAR", ""),
    ]


def test_another_order_or_description_is_no_change() -> None:
    one = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
    two = {"type": ["object", "null"], "properties": {"b": {"type": "integer"}, "a": {"type": "string", "title": "A"}}}
    assert (
        compare_discoveries(
            discovery(x=stream("x", {"f": one}, sync_modes=())), discovery(x=stream("x", {"f": two}, sync_modes=()))
        )
        == []
    )
