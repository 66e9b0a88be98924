"""Streams whose fields bear every name that a statement of the program uses for something else, and their data files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from lotuslake.core.scaffold.model_files import render_model, render_model_properties
from lotuslake.core.scaffold.new_stream import NewStream
from lotuslake.core.scaffold.stream_file import render_stream_file
from tests.functional.things import parquet
from tests.support.names import FURTHER, hostile_names, names_in_statements

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
INSTANT = {"type": "string", "format": "date-time"}
MEMBERS = ("id", "s", "rowid", "_airbyte_raw_id")

# Of the first stream the key, the cursor field and the tombstone; everything else is text.
KEY, CURSOR, TOMBSTONE = "rowid", "_cursor", "deleted_at"
WORDS = [name for name in hostile_names() if name not in (KEY, CURSOR, TOMBSTONE)]
# Of the second one the key and the cursor field; everything else has members.
SHAPE_KEY, SHAPE_CURSOR = "t", "r"
SHAPES = sorted({*names_in_statements(), *FURTHER[:40]} & {*WORDS, KEY, CURSOR} - {SHAPE_KEY, SHAPE_CURSOR})


@dataclass(frozen=True)
class Version:
    """A version of a record; one of a later minute was extracted later. A tombstone says who deleted it and no more."""

    key: int
    minute: int
    is_tombstone: bool = False

    @property
    def extracted_at(self) -> datetime:
        return TODAY + timedelta(minutes=self.minute)

    @property
    def raw_id(self) -> str:
        return f"raw {self.key}.{self.minute}{'gone' if self.is_tombstone else ''}"

    def word(self, name: str) -> str | None:
        """The value of a field. Two records have the same in `_row`, so that no numbering of rows can be made of it."""
        if self.is_tombstone and not name.startswith("deleted_"):
            return None
        return "1" if name == "_row" else f"{name} {self.key}.{self.minute}"

    def shape(self, name: str) -> dict[str, str]:
        return {member: f"{name} {member} {self.key}.{self.minute}" for member in MEMBERS}


def words_stream() -> NewStream:
    text: dict[str, Any] = {name: {"type": "string"} for name in WORDS}
    fields = {KEY: {"type": "integer"}, CURSOR: INSTANT, TOMBSTONE: INSTANT, **text}
    return NewStream("test", "words", "incremental", (KEY,), CURSOR, fields)


def shapes_stream() -> NewStream:
    members: dict[str, Any] = {"type": "object", "properties": {name: {"type": "string"} for name in MEMBERS}}
    fields = {SHAPE_KEY: {"type": "integer"}, SHAPE_CURSOR: INSTANT, **dict.fromkeys(SHAPES, members)}
    return NewStream("test", "shapes", "incremental", (SHAPE_KEY,), SHAPE_CURSOR, fields)


def meta(versions: Sequence[Version]) -> dict[str, Any]:
    return {
        "_airbyte_raw_id": pa.array([one.raw_id for one in versions], pa.string()),
        "_airbyte_extracted_at": pa.array([one.extracted_at for one in versions], pa.timestamp("ms", tz="UTC")),
        "_airbyte_generation_id": pa.array([0 for _ in versions], pa.int64()),
    }


def instants(versions: Sequence[Version], *, of_tombstones: bool) -> Any:
    moments = [one.extracted_at if one.is_tombstone == of_tombstones else None for one in versions]
    return pa.array(moments, pa.timestamp("us", tz="UTC"))


def words_file(versions: Sequence[Version]) -> bytes:
    columns = {
        KEY: pa.array([one.key for one in versions], pa.int64()),
        CURSOR: instants(versions, of_tombstones=False),
        TOMBSTONE: instants(versions, of_tombstones=True),
        **{name: pa.array([one.word(name) for one in versions], pa.string()) for name in WORDS},
    }
    return parquet(meta(versions) | columns)


def shapes_file(versions: Sequence[Version], *, as_text: bool = False, renamed: bool = False) -> bytes:
    """Members as structs, or as JSON text; ``renamed`` gives one more member, so that the file has to be converted."""
    type_ = pa.struct([pa.field(name, pa.string()) for name in (*MEMBERS, *(["more"] if renamed else []))])
    columns = {
        SHAPE_KEY: pa.array([one.key for one in versions], pa.int32()),
        SHAPE_CURSOR: instants(versions, of_tombstones=False),
    }
    for name in SHAPES:
        shapes = [one.shape(name) for one in versions]
        columns[name] = pa.array([json.dumps(shape) for shape in shapes]) if as_text else pa.array(shapes, type_)
    return parquet(meta(versions) | columns)


def path_of(stream: str, name: str) -> str:
    return f"test/{stream}/year={TODAY:%Y}/month={TODAY:%m}/day={TODAY:%d}/{name}.parquet"


def stream_files(*streams: NewStream) -> tuple[dict[str, str], dict[str, str]]:
    models: dict[str, str] = {}
    for stream in streams:
        models[f"processed/{stream.model}.sql"] = render_model(stream)
        models[f"processed/{stream.model}.yml"] = render_model_properties(stream)
    return {stream.id: render_stream_file(stream) for stream in streams}, models
