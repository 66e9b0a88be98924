"""The YAML of a new stream file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lotuslake.core.scaffold.new_stream import NewStream

WIDTH = 120
# By this an editor knows the keys of the file, says what they mean and underlines what is wrong.
EDITORS = "# yaml-language-server: $schema=../_schemas/stream.json"
MAX_DESCRIPTION = 160

# Texts that need no quotes, also within { }.
_PLAIN = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_./() '-]*[A-Za-z0-9_.)])?")
_ORDER = ("type", "format", "airbyte_type", "description")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def render_stream_file(stream: NewStream) -> str:
    """The text of `streams/{source}/{stream}.yml`."""
    destination = "append" if stream.sync_mode == "incremental" else "overwrite"
    lines = [
        EDITORS,
        f"description: {scalar(stream_description(stream))}",
        f"sync_mode: {stream.sync_mode}",
        f"destination_sync_mode: {destination}",
        f"primary_key: {_flow(list(stream.primary_key))}",
        *([f"cursor_field: {scalar(stream.cursor_field)}"] if stream.cursor_field else []),
        "",
        "fields:",
    ]
    for name, schema in stream.fields.items():
        lines.extend(_lines(name, declared_schema(schema), "  "))
    return "\n".join(lines) + "\n"


def stream_description(stream: NewStream) -> str:
    """What can be said of a stream that nobody has described yet."""
    records = "one record per version" if stream.sync_mode == "incremental" else "as of the newest sync"
    return f"{stream.name.replace('_', ' ').capitalize()}, {records}."


def declared_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A discovered schema as a stream file writes it: without null, which every column allows."""
    declared: dict[str, Any] = {}
    for key, value in schema.items():
        match key:
            case "type" if isinstance(value, list):
                named = [name for name in value if name != "null"]
                declared["type"] = named[0] if len(named) == 1 else named
            case "description":
                declared["description"] = _short(str(value))
            case "properties":
                declared[key] = {name: declared_schema(inner) for name, inner in value.items()}
            case "items" if isinstance(value, Mapping):
                declared[key] = declared_schema(value)
            case _:
                declared[key] = value
    return {key: declared[key] for key in sorted(declared, key=_place)}


def _place(key: str) -> int:
    """What a field is stands before what it holds."""
    return _ORDER.index(key) if key in _ORDER else len(_ORDER)


def scalar(value: Any) -> str:
    """A plain text where YAML reads it as that text, else quoted."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return '"' + "".join(_quoted_char(char) for char in value) + '"'


def _quoted_char(char: str) -> str:
    if char in ('"', "\\"):
        return "\\" + char
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def _lines(name: str, value: Any, indent: str) -> list[str]:
    """On one line what fits; else an object opens, key by key."""
    flat = f"{indent}{scalar(name)}: {_flow(value)}"
    if len(flat) <= WIDTH or not isinstance(value, Mapping):
        return [flat]
    inner = [line for key, item in value.items() for line in _lines(key, item, indent + "  ")]
    return [f"{indent}{scalar(name)}:", *inner]


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return scalar(value)


def _short(text: str) -> str:
    """The first sentence, without the full stop."""
    sentence = re.split(r"(?<=[.!?])\s", " ".join(text.split()), maxsplit=1)[0].rstrip(".")
    return sentence if len(sentence) <= MAX_DESCRIPTION else sentence[: MAX_DESCRIPTION - 1].rstrip() + "…"
