"""A history told by hand, on a real lake: each event one line, in the words of docs/histories.md."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lotuslake.core.stream import Field, Stream
from lotuslake.demo.parquet import META_TYPE
from tests.histories.play_duckdb import DuckPlay, Workshop
from tests.histories.shapes import MODEL, path_of, to_stream
from tests.histories.world import (
    Command,
    CommandName,
    Config,
    Configure,
    File,
    Happening,
    Pass,
    Record,
    Return,
    Touch,
    Vanish,
)


def row(id_: int | None, amount: int, *, deleted: bool = False, **changes: Any) -> Record:
    """A version of a record; a greater amount was updated later at the source."""
    raw_id = f"{id_}-{amount}{'-x' if deleted else ''}"
    return replace(Record(raw_id, id_, f"name {id_}", amount, amount, 2, deleted, amount), **changes)


def rows(ids: Iterable[int], amount: int) -> list[Record]:
    return [row(id_, amount) for id_ in ids]


@dataclass
class Scene:
    """A lake that things happen to one after the other."""

    lake: DuckPlay
    ended: str = ""

    def file(self, name: str, records: Iterable[Record], generation: int = 0, sync: int | None = None) -> None:
        """A sync writes a file."""
        self.happen(File(name, tuple(records), generation, sync))

    def happen(self, event: Happening) -> None:
        self.lake.happen(event)

    def gone(self, *names: str) -> None:
        self.happen(Vanish(names))

    def back(self, *names: str) -> None:
        self.happen(Return(names))

    def touched(self, name: str) -> None:
        self.happen(Touch(name))

    def later(self, *, minutes: int = 0, hours: int = 0, days: int = 0) -> None:
        self.happen(Pass(minutes + hours * 60 + days * 1440))

    def configure(self, **changes: Any) -> None:
        self.happen(Configure(tuple(changes.items())))

    def run(self, name: CommandName, **options: Any) -> int:
        """The exit code."""
        seen = self.lake.run(Command(name, **options))
        self.ended = seen.message
        return seen.exit_code

    def chain(self) -> int:
        """Register, then transform; the exit code of the second."""
        assert self.run("register") in {0, 5}, self.ended
        return self.run("transform")

    def accept(self, *kinds: str) -> None:
        assert self.run("accept", kinds=kinds) in {0, 5}, self.ended

    @property
    def kinds(self) -> set[str]:
        return {finding.kind for finding in self.lake.ledger.load_findings([self.lake.stream])}

    @property
    def amounts(self) -> dict[Any, Any]:
        """What processed shows: the amount by id."""
        found = self.query(f"SELECT id, amount FROM lakehouse.processed.{MODEL}")
        assert len(found) == len(dict(found)), found
        return dict(found)

    @property
    def landed(self) -> list[str]:
        """The raw ids that landing holds."""
        return sorted(self.lake.landing())

    @property
    def files(self) -> list[str]:
        """The names of the files of landing, by the ledger."""
        entries = self.lake.ledger.load_entries(self.lake.stream)
        names = {path: name for name, path in self.lake.paths.items()}
        return sorted(names[e.file.path] for e in entries if e.status in {"registered", "copied"})

    def query(self, text: str) -> list[tuple[Any, ...]]:
        return self.lake._rows(text)


class ShapePlay(DuckPlay):
    """A lake whose stream has any fields: ``shapes`` are their landing types, JSON schemas and Arrow types."""

    def __init__(self, workshop: Workshop, config: Config, shapes: Mapping[str, Any], select: str) -> None:
        self.shapes = dict(shapes)
        self.select = select
        super().__init__(config, workshop)

    @property
    def model_text(self) -> str:
        return f"select {self.select} from {{{{ landing() }}}}\n"

    @property
    def stream(self) -> Stream:
        fields = tuple(Field(name, type_, schema) for name, (type_, schema, _) in self.shapes.items())
        return replace(to_stream(self.config), fields=fields)

    def reshape(self, shapes: Mapping[str, Any]) -> None:
        """The stream's fields are edited."""
        self.shapes = dict(shapes)

    def land(self, name: str, records: list[dict[str, Any]], types: Mapping[str, Any], *, ago: int = 2) -> None:
        """A file whose columns are of these Arrow types."""
        self.paths[name] = path_of(name, self.now)
        self.put(self.paths[name], _parquet(name, records, types, self.now - timedelta(seconds=ago)), self.now)
        self.seconds += 11


def _parquet(name: str, records: list[dict[str, Any]], types: Mapping[str, Any], at: datetime) -> bytes:
    number = len(records)
    columns: dict[str, Any] = {
        "_airbyte_raw_id": pa.array([f"{name}-{n}" for n in range(number)], pa.string()),
        "_airbyte_extracted_at": pa.array([at] * number, pa.timestamp("ms", tz="UTC")),
        "_airbyte_meta": pa.array([{"sync_id": 1, "changes": []}] * number, META_TYPE),
        "_airbyte_generation_id": pa.array([0] * number, pa.int64()),
    }
    columns |= {field: pa.array([record.get(field) for record in records], type_) for field, type_ in types.items()}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, store_schema=False)
    return sink.getvalue()
