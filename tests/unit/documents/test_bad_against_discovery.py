"""Stream files that Airbyte would refuse, or land otherwise than declared: each is refused here, in its own words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lotuslake.adapters.project_files import FolderFiles
from lotuslake.commands.generate_catalog import generate_catalog
from lotuslake.config.airbyte_sources import load_airbyte_sources
from lotuslake.config.streams import load_streams
from lotuslake.core.errors import ConfigError, ExitCode
from lotuslake.core.json_text import render_json

GOOD = """\
sync_mode: incremental
destination_sync_mode: append
primary_key: [id]
cursor_field: updated_at
fields:
  id: {type: integer}
  updated_at: {type: string, format: date-time}
"""
FULL = """\
sync_mode: full_refresh
destination_sync_mode: overwrite
primary_key: [id]
fields:
  id: {type: integer}
"""
TEXT: dict[str, Any] = {"type": ["null", "string"]}
WHOLE = {"type": "integer"}
INSTANT = {"type": ["null", "string"], "format": "date-time"}
NUMBER = {"type": ["null", "number"]}
ADDRESS = {"type": "object", "properties": {"city": TEXT}}
LINE = {"type": "object", "properties": {"sku": TEXT, "quantity": WHOLE, "price": NUMBER}}
ORDER = {
    "id": WHOLE,
    "updated_at": INSTANT,
    "created_at": INSTANT,
    "name": TEXT,
    "total": NUMBER,
    "test": {"type": ["null", "boolean"]},
    "day": {"type": "string", "format": "date"},
    "tags": {"type": "array", "items": TEXT},
    "customer": {"type": ["null", "object"], "properties": {"id": WHOLE, "email": TEXT, "address": ADDRESS}},
    "lines": {"type": ["null", "array"], "items": LINE},
    "note": {"oneOf": [TEXT, NUMBER]},
    "raw": {"type": "object"},
}


def offered(modes: list[str], properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"supported_sync_modes": modes, **more, "json_schema": {"type": "object", "properties": dict(properties)}}


BOTH = ["full_refresh", "incremental"]
OWN_CURSOR: dict[str, Any] = {"source_defined_cursor": True, "default_cursor_field": ["updated_at"]}
OWN_KEY: dict[str, Any] = {"source_defined_primary_key": [["id"]]}
DISCOVERED = {
    "connector": "airbyte-source-shop",
    "version": "1.2.0",
    "streams": {
        "orders": offered(BOTH, ORDER, **OWN_CURSOR, **OWN_KEY),
        "places": offered(["full_refresh"], ORDER, **OWN_KEY),
        "bare": offered([], ORDER),
        "feed": offered(["incremental"], ORDER, **OWN_CURSOR),
        "deep_cursor": offered(BOTH, ORDER, source_defined_cursor=True, default_cursor_field=["customer", "seen_at"]),
        "deep_key": offered(BOTH, ORDER, source_defined_primary_key=[["customer", "id"]]),
        "links": offered(BOTH, ORDER, source_defined_primary_key=[["id"], ["name"]]),
    },
}


def with_field(text: str) -> str:
    return f"{GOOD}  {text}\n"


def changed(old: str, new: str, text: str = GOOD) -> str:
    assert old in text
    return text.replace(old, new)


# What is wrong: (stream, its file, what the message says)
BAD: dict[str, tuple[str, str, str]] = {
    "misspelt stream": ("ordrs", GOOD, "airbyte-source-shop 1.2.0 has no stream 'ordrs'; did you mean 'orders'?"),
    "unknown stream": ("weather", GOOD, "airbyte-source-shop 1.2.0 has no stream 'weather'"),
    "incremental where only full refresh is": (
        *("places", GOOD),
        "key 'sync_mode' is incremental, but airbyte-source-shop 1.2.0 reads 'places' by full_refresh",
    ),
    "incremental where nothing is said": ("bare", GOOD, "1.2.0 reads 'bare' by full_refresh"),
    "full refresh where only incremental is": (
        *("feed", FULL),
        "key 'sync_mode' is full_refresh, but airbyte-source-shop 1.2.0 reads 'feed' by incremental",
    ),
    "another cursor": (
        *(
            "orders",
            changed("cursor_field: updated_at", "cursor_field: created_at", with_field("created_at: " + str(INSTANT))),
        ),
        "key 'cursor_field' is 'created_at', but the source defines its own cursor: write updated_at",
    ),
    "the key as cursor": (
        *("orders", changed("cursor_field: updated_at", "cursor_field: id")),
        "key 'cursor_field' is 'id', but the source defines its own cursor: write updated_at",
    ),
    "a nested cursor of the source": (
        *("deep_cursor", GOOD),
        "key 'cursor_field' cannot be chosen: the source defines the nested path 'customer.seen_at'",
    ),
    "no cursor": ("orders", changed("cursor_field: updated_at\n", ""), "key 'cursor_field' is missing"),
    "another key": (
        *("orders", changed("[id]", "[name]", with_field("name: {type: string}"))),
        "key 'primary_key' is [name], but the source defines its own key: write [id]",
    ),
    "a wider key": (
        *("orders", changed("[id]", "[id, name]", with_field("name: {type: string}"))),
        "key 'primary_key' is [id, name], but the source defines its own key: write [id]",
    ),
    "a narrower key": (
        "links",
        GOOD,
        "key 'primary_key' is [id], but the source defines its own key: write [id, name]",
    ),
    "a nested key of the source": (
        *("deep_key", GOOD),
        "key 'primary_key' cannot be used: the source defines the nested key customer.id",
    ),
    "no key": ("orders", changed("primary_key: [id]\n", ""), "key 'primary_key' is missing"),
    "misspelt field": (
        *("orders", with_field("totl: {type: number}")),
        "key 'fields.totl' is unknown: airbyte-source-shop 1.2.0 has no such field; did you mean 'total'?",
    ),
    "unknown field": ("orders", with_field("zzz: {type: string}"), "key 'fields.zzz' is unknown: airbyte-source-shop"),
    "field in capitals": ("orders", with_field("NAME: {type: string}"), "key 'fields.NAME' is unknown"),
    "unknown property": (
        *("orders", with_field("customer: {type: object, properties: {emial: {type: string}}}")),
        "key 'fields.customer.emial' is unknown at the source; did you mean 'email'?",
    ),
    "unknown property further down": (
        *(
            "orders",
            with_field(
                "customer: {type: object, properties: {address: {type: object, properties: {zip: {type: string}}}}}"
            ),
        ),
        "key 'fields.customer.address.zip' is unknown at the source",
    ),
    "unknown property of a list's items": (
        *("orders", with_field("lines: {type: array, items: {type: object, properties: {size: {type: string}}}}")),
        "key 'fields.lines[].size' is unknown at the source",
    ),
    "integer as text": (
        *("orders", changed("id: {type: integer}", "id: {type: string}")),
        "key 'fields.id' lands as BIGINT, but is declared as VARCHAR",
    ),
    "number as integer": (
        *("orders", with_field("total: {type: integer}")),
        "key 'fields.total' lands as DOUBLE, but is declared as BIGINT",
    ),
    "instant as text": (
        *("orders", changed(", format: date-time", "")),
        "key 'fields.updated_at' lands as TIMESTAMP, but is declared as VARCHAR",
    ),
    "day as instant": (
        *("orders", with_field("day: {type: string, format: date-time}")),
        "key 'fields.day' lands as DATE, but is declared as TIMESTAMP",
    ),
    "boolean as text": (
        *("orders", with_field("test: {type: string}")),
        "key 'fields.test' lands as BOOLEAN, but is declared as VARCHAR",
    ),
    "object without its properties": (
        *("orders", with_field("customer: {type: object}")),
        "key 'fields.customer' lands as STRUCT(",
    ),
    "JSON text with properties": (
        *("orders", with_field("raw: {type: object, properties: {a: {type: string}}}")),
        "key 'fields.raw' lands as VARCHAR, but is declared as STRUCT(",
    ),
    "list as text": (
        *("orders", with_field("tags: {type: string}")),
        "key 'fields.tags' lands as VARCHAR[], but is declared as VARCHAR",
    ),
    "text as list": (
        *("orders", with_field("name: {type: array, items: {type: string}}")),
        "key 'fields.name' lands as VARCHAR, but is declared as VARCHAR[]",
    ),
    "list of other items": (
        *("orders", with_field("tags: {type: array, items: {type: integer}}")),
        "key 'fields.tags[]' lands as VARCHAR, but is declared as BIGINT",
    ),
    "property of another type": (
        *("orders", with_field("customer: {type: object, properties: {id: {type: string}}}")),
        "key 'fields.customer.id' lands as BIGINT, but is declared as VARCHAR",
    ),
    "items' property of another type": (
        *("orders", with_field("lines: {type: array, items: {type: object, properties: {price: {type: string}}}}")),
        "key 'fields.lines[].price' lands as DOUBLE, but is declared as VARCHAR",
    ),
    "union as text": (
        *("orders", with_field("note: {type: string}")),
        'key \'fields.note\' lands as STRUCT("type" VARCHAR, "string" VARCHAR, "number" DOUBLE), but is declared as',
    ),
    "union with a part that is not there": (
        *("orders", with_field("note: {oneOf: [{type: string}, {type: boolean}]}")),
        "key 'fields.note.boolean' is unknown at the source",
    ),
}


def messages(project: Path, stream: str, text: str) -> list[str]:
    folder = project / "streams" / "shop"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "_discovered.json").write_text(render_json(DISCOVERED))
    (folder / f"{stream}.yml").write_text(text)
    try:
        streams = load_streams(project)
        streams.check([])
        result = generate_catalog(load_airbyte_sources(project, streams), FolderFiles(project))
    except ConfigError as error:
        return [error.message]
    assert result.exit_code == (ExitCode.USAGE if result.errors else ExitCode.DONE)
    assert (project / "manifests").exists() == (not result.errors), "nothing is written beside an error"
    return [item.error.message for item in result.errors]


@pytest.mark.parametrize("case", BAD)
def test_a_bad_stream_file_is_refused_in_its_own_words(case: str, tmp_path: Path) -> None:
    stream, text, expected = BAD[case]
    found = messages(tmp_path, stream, text)
    assert len(found) == 1, found
    assert found[0].startswith(f"streams/shop/{stream}.yml: ")
    assert expected in found[0]
    assert "\n" not in found[0]


def test_there_are_enough_of_them_and_no_two_read_alike(tmp_path: Path) -> None:
    told = [messages(tmp_path / str(number), stream, text)[0] for number, (stream, text, _) in enumerate(BAD.values())]
    assert len(BAD) >= 25
    assert len(set(told)) == len(told)


def test_the_good_ones_are_taken(tmp_path: Path) -> None:
    whole = """\
  customer: {type: object, properties: {email: {type: string}}}
  lines: {type: array, items: {type: object, properties: {sku: {type: string}}}}
  note: {type: [string, number]}
  tags: {type: array, items: {type: string}}
"""
    assert messages(tmp_path / "orders", "orders", GOOD + whole) == []
    assert messages(tmp_path / "places", "places", FULL) == []
    assert messages(tmp_path / "bare", "bare", FULL) == []
    links = changed("[id]", "[name, id]", with_field("name: {type: string}"))
    assert messages(tmp_path / "links", "links", links) == []


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = changed("id: {type: integer}", "id: {type: string}", with_field("zzz: {type: string}"))
    assert len(messages(tmp_path, "orders", text)) == 2
