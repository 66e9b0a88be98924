"""What the macros are told of a stream, and whether the project's own copy of them is new enough to understand it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from lotuslake.adapters.dbt_project import DbtProject
from lotuslake.core.errors import ConfigError
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Step
from lotuslake.core.version_columns import VersionColumns, bears_a_usual_name, name_version_columns

# Macros of before it know the lake's own columns by their usual names alone, and nothing of records without a key.
_SINCE_NAMES_ARE_FREE = "led_columns"


def know_marks(project: DbtProject) -> bool:
    """Whether the project's macros look for the lake's own columns under their marks."""
    return _SINCE_NAMES_ARE_FREE in project.macros


def describe_stream(stream: Stream | None) -> dict[str, Any]:
    """The columns of `memory.main.step` that come of the stream's file; those of an enriched model, which has no stream."""
    return {
        "primary_key": json.dumps(stream.primary_key if stream else ()),
        "has_cursor": stream is not None and stream.cursor_field is not None,
        "has_tombstones": stream is not None and stream.tombstone_field is not None,
        "version_columns": json.dumps(asdict(name_version_columns(stream) if stream else VersionColumns())),
        "drop_null_keys": stream is not None and stream.null_keys == "drop",
    }


def require_macros(project: DbtProject, stream: Stream, step: Step) -> None:
    """Refuse what older macros would get wrong: fields of some names, and a table that is written anew on terms.

    Raises:
        ConfigError: saying what to copy.
    """
    has_terms = step.terms.least_rows is not None or step.terms.carry_until is not None
    asks_for_more = bears_a_usual_name(stream) or stream.null_keys == "drop" or has_terms
    if asks_for_more and not know_marks(project):
        raise ConfigError(
            f"models/macros is older than this program, and would get {stream.id} wrong (its fields' names, `null_keys: drop`, "
            "or a rebuild that has to keep rows). Copy the macros that come with the program over it",
            stream=stream.id,
        )
