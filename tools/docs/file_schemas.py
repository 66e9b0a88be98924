"""`python -m tools.docs.file_schemas FOLDER`: JSON Schemas of stream files and of `_source.yml`, for editors.

Made from the very names that the program knows; what a key means beyond its shape is checked by the program alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lotuslake.config.options import BATCH_KEYS, FRESHNESS_KEYS, OPTION_KEYS
from lotuslake.config.source_file import SOURCE_KEYS
from lotuslake.config.stream_file import STREAM_KEYS
from lotuslake.core.json_schema import AIRBYTE_TYPES, KNOWN_KEYS, TYPES, UNION_KEYS

DRAFT = "http://json-schema.org/draft-07/schema#"
COUNT = {"type": "integer", "minimum": 1}
SIZE = {"anyOf": [COUNT, {"type": "string", "pattern": r"^\s*\d{1,15}(\.\d{1,3})?\s*[A-Za-z]*\s*$"}]}
DURATION = {
    "type": "string",
    "pattern": r"^\s*(\d{1,9}[dD])?\s*(\d{1,9}[hH])?\s*(\d{1,9}[mM])?\s*(\d{1,9}[sS])?\s*$",
    "examples": ["45s", "30m", "2h", "1d 12h"],
}
UUID = {"type": "string", "pattern": "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$"}
NAME = {"type": "string", "minLength": 1}
FIELD_NAME = {"anyOf": [NAME, {"type": "array", "items": NAME, "minItems": 1, "maxItems": 1}]}

SAYS = {
    "description": "What the records are, in a sentence.",
    "sync_mode": "incremental: new and changed records; full_refresh: everything at every sync.",
    "destination_sync_mode": "append keeps older versions in landing; overwrite replaces them (full_refresh alone).",
    "primary_key": "The fields that identify a record, such as [id].",
    "cursor_field": "The field that tells newer from older; an incremental stream needs one.",
    "fields": "JSON schema properties: only these are synced and typed.",
    "landing_path": "Folder below the landing root; SOURCE/STREAM where it is not given.",
    "tombstone_field": "The field that is filled in on a deletion record; null for none.",
    "batch": "Bounds of a batch, where they are lower than the program's.",
    "freshness": "How old the newest file may be before a warning, and before a finding.",
    "landing": "reference: raw files are read where they lie; copy: they are rewritten into the lake.",
    "lookback_days": "How many days before the newest are listed for late files.",
    "max_shrink": "The share of rows that a replacement may lack before it is held back, from 0 to 1.",
    "null_keys": "What becomes of a record without a key.",
    "retention_days": "Raw objects older than so many days are deleted by `lotuslake maintain`; null keeps all.",
    "settle_after": "How long no newer file must have come before a generation counts as complete.",
    "definition_id": "The UUID of the Airbyte connector's definition.",
    "start_date": "From when on the source is read, such as 2024-01-31.",
    "schedule": "manual, or a Quartz cron expression of six fields in UTC, such as 0 0 * * * ?",
    "namespace": "Airbyte's namespace of the streams.",
    "secrets": "Names of secrets, never values: environment variables, or keys of a Kubernetes secret.",
    "configuration": "What the connector is told and is no secret, in its own words.",
    "connection_id": "The UUID of the connection in a running Airbyte.",
    "defaults": "Options for all streams of the source.",
}
OPTIONS: dict[str, dict[str, Any]] = {
    "batch": {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {key: SIZE if key == "max_bytes" else COUNT for key in BATCH_KEYS},
    },
    "freshness": {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {key: {"anyOf": [DURATION, {"type": "null"}]} for key in FRESHNESS_KEYS},
    },
    "landing": {"enum": ["reference", "copy"]},
    "lookback_days": {"type": "integer", "minimum": 0},
    "max_shrink": {"type": "number", "minimum": 0, "maximum": 1},
    "null_keys": {"enum": ["keep", "drop"]},
    "retention_days": {"type": ["integer", "null"], "minimum": 1},
    "settle_after": DURATION,
}
STREAM: dict[str, dict[str, Any]] = {
    "description": {"type": "string"},
    "sync_mode": {"enum": ["incremental", "full_refresh"]},
    "destination_sync_mode": {"enum": ["append", "overwrite"]},
    "primary_key": {"anyOf": [NAME, {"type": "array", "items": FIELD_NAME, "minItems": 1}]},
    "cursor_field": {"anyOf": [*FIELD_NAME["anyOf"], {"type": "null"}]},
    "fields": {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/definitions/field"}},
    "landing_path": {"type": "string", "pattern": r"^[^/*?\[\]\\:][^*?\[\]\\:]*$"},
    "tombstone_field": {"anyOf": [*FIELD_NAME["anyOf"], {"type": "null"}]},
}
SOURCE: dict[str, dict[str, Any]] = {
    "description": {"type": "string"},
    "definition_id": UUID,
    "start_date": {"type": "string", "pattern": r"^(\d{4}-\d{2}-\d{2})?$"},
    "schedule": {"type": "string"},
    "namespace": {"type": ["string", "null"]},
    "secrets": {"type": "array", "items": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"}},
    "configuration": {"type": ["object", "null"]},
    "connection_id": UUID,
}
ONE_FIELD = {"$ref": "#/definitions/field"}
FIELD_KEYS: dict[str, Any] = {
    "type": {"anyOf": [{"enum": list(TYPES)}, {"type": "array", "items": {"enum": list(TYPES)}, "minItems": 1}]},
    "airbyte_type": {"enum": list(AIRBYTE_TYPES)},
    "description": {"type": "string"},
    "properties": {"type": ["object", "null"], "additionalProperties": ONE_FIELD},
    "items": {"anyOf": [ONE_FIELD, {"type": "array", "items": ONE_FIELD}, {"enum": [None, {}]}]},
    **{key: {"type": "array", "items": ONE_FIELD, "minItems": 1} for key in UNION_KEYS},
}


def render() -> dict[str, str]:
    """The texts of the schemas by file name."""
    options = {key: _said(key, OPTIONS[key]) for key in OPTION_KEYS}
    stream = {key: options[key] if key in options else _said(key, STREAM[key]) for key in STREAM_KEYS}
    defaults = {"type": "object", "additionalProperties": False, "properties": options}
    source = {key: _said(key, defaults if key == "defaults" else SOURCE[key]) for key in SOURCE_KEYS}
    required = ["sync_mode", "destination_sync_mode", "primary_key", "fields"]
    documents = {
        "stream.json": _document("A stream of Lotus Lake", stream)
        | {
            "required": required,
            "if": {"properties": {"sync_mode": {"const": "incremental"}}},
            "then": {
                "required": ["cursor_field"],
                "properties": {"destination_sync_mode": {"const": "append"}, "cursor_field": FIELD_NAME},
            },
            "definitions": {"field": _field()},
        },
        "source.json": _document("A source of Lotus Lake", source),
    }
    return {name: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for name, document in documents.items()}


def _field() -> dict[str, Any]:
    known = {key: FIELD_KEYS.get(key, True) for key in sorted(KNOWN_KEYS)}
    some_type = [{"required": [key]} for key in ("type", *UNION_KEYS, "properties")]
    return {"type": "object", "additionalProperties": False, "properties": known, "anyOf": some_type}


def _said(key: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": SAYS[key], **schema}


def _document(title: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": DRAFT,
        "title": title,
        "$comment": "Made by `make docs`; do not edit.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def main() -> None:
    """Write the schemas into a folder."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in render().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
