"""The ports of one lake, in memory or real, and what a test arranges and looks at behind them."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lotuslake.cli.wiring import Wiring
from lotuslake.config.settings import load_settings
from lotuslake.core.data_file import DataFile
from lotuslake.core.field_types import VARCHAR
from lotuslake.core.stream import Field, Stream
from lotuslake.ports import ObjectStore
from lotuslake.ports.known_streams import KnownStreams
from lotuslake.ports.landing import Landing
from lotuslake.ports.ledger import Ledger
from lotuslake.ports.transformer import Transformer
from lotuslake.testing import DataTest, MemoryLake, MemoryStore, Row, data_file, enriched, processed
from tests.support.lake import ORDERS as SHOP_ORDERS

# With tombstones.
ORDERS = replace(
    SHOP_ORDERS,
    fields=(*SHOP_ORDERS.fields, Field("deleted_at", VARCHAR, {"type": "string"})),
    tombstone_field="deleted_at",
)
# Streams that have a processed model `int_shop__built_…` and an enriched one, `fct_built_…`, that counts its rows.
BUILT = tuple(f"built_{number:02}" for number in range(28))
_MODEL = "select id, updated_at, total, deleted_at, {{ airbyte_columns() }} from {{ landing() }}"
_COUNT = "select count(*) as orders from {{ ref('int_shop__%s') }}"
_TESTS = "models:\n  - {name: fct_%s, columns: [{name: orders, data_tests: [{accepted_values: {arguments: {values: [2]}}}]}]}\n"


class LakeUnderTest(ABC):
    """One lake for many tests: each takes a stream of its own."""

    ledger: Ledger
    landing: Landing
    transformer: Transformer
    known_streams: KnownStreams
    store: ObjectStore

    def __init__(self) -> None:
        self._streams = 0
        self._built = iter(BUILT)

    def stream(self, **changes: Any) -> Stream:
        """A stream that no other test has, prepared."""
        self._streams += 1
        return self._prepared(f"orders_{self._streams:02}", changes)

    def built_stream(self, **changes: Any) -> Stream:
        """The same, with models."""
        stream = self._prepared(next(self._built), changes)
        models = self.transformer.load_models()
        names = (stream.processed_model, enriched_model(stream))
        self.transformer.prepare([models[name] for name in names])
        return stream

    def _prepared(self, name: str, changes: Mapping[str, Any]) -> Stream:
        stream = replace(ORDERS, name=name, landing_path=f"shop/{name}", **changes)
        self.ledger.prepare([stream])
        return stream

    def put(self, path: str, *rows: Row) -> DataFile:
        """Write a data file and return it as the store shows it; its columns are those of the first row."""
        return self.put_body(path, self.body(rows))

    def put_body(self, path: str, body: bytes) -> DataFile:
        """Write an object and return it as the store shows it."""
        self.store.put(path, body)
        file = self.store.head(path)
        assert file is not None
        return file

    @abstractmethod
    def body(self, rows: Sequence[Row]) -> bytes:
        """A data file of this lake's store."""

    @abstractmethod
    def landed(self, stream: Stream) -> list[Row]:
        """What a query of the landing table shows."""

    @abstractmethod
    def table(self, model: str) -> list[Row]:
        """What a query of a processed or enriched table shows."""

    @abstractmethod
    def runs(self) -> list[tuple[str, str, int]]:
        """Run id, command and exit code of each recorded run."""


class InMemory(LakeUnderTest):
    """`lotuslake.testing.MemoryLake`, or one that lies."""

    def __init__(self, make: Callable[..., MemoryLake] = MemoryLake) -> None:
        super().__init__()
        models = [processed(f"int_shop__{name}") for name in BUILT]
        models += [enriched(f"fct_{name}", [f"int_shop__{name}"], _counts(f"int_shop__{name}")) for name in BUILT]
        tests = [DataTest(f"two_{name}", f"fct_{name}", _is_not_two) for name in BUILT]
        self.memory = MemoryStore()
        self.lake = make(self.memory, models, tests=tests)
        self.store, self.ledger, self.landing = self.memory, self.lake.ledger, self.lake.landing
        self.transformer, self.known_streams = self.lake.transformer, self.lake.known_streams

    def body(self, rows: Sequence[Row]) -> bytes:
        return data_file(rows)

    def landed(self, stream: Stream) -> list[Row]:
        return self.lake.landing_rows(stream)

    def table(self, model: str) -> list[Row]:
        return self.lake.tables[model]

    def runs(self) -> list[tuple[str, str, int]]:
        return [(run.run_id, run.command, run.exit_code) for run in self.lake.runs]


def _counts(model: str) -> Callable[[Mapping[str, list[Row]]], list[Row]]:
    return lambda tables: [{"orders": len(tables[model])}]


def _is_not_two(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["orders"] != 2]


class Real(LakeUnderTest):
    """A lake as `Wiring` opens it for these variables."""

    def __init__(self, project: Path, environment: Mapping[str, str]) -> None:
        super().__init__()
        self.wiring = Wiring(load_settings(environment, {}, project), environment)
        self.store, self.ledger, self.landing = self.wiring.store, self.wiring.ledger, self.wiring.landing
        self.transformer, self.known_streams = self.wiring.models, self.wiring.known_streams

    def body(self, rows: Sequence[Row]) -> bytes:
        return parquet(rows)

    def landed(self, stream: Stream) -> list[Row]:
        return self._rows(f"landing.{stream.landing_table}")

    def table(self, model: str) -> list[Row]:
        return self._rows(f"{'processed' if model.startswith('int_') else 'enriched'}.{model}")

    def runs(self) -> list[tuple[str, str, int]]:
        rows = self.wiring.query.ask("SELECT run_id, command, exit_code FROM meta.runs").rows
        return [(run_id, command, exit_code) for run_id, command, exit_code in rows]

    def _rows(self, table: str) -> list[Row]:
        answer = self.wiring.query.ask(f"SELECT * FROM {table}")
        return [dict(zip(answer.columns, map(_plain, row), strict=True)) for row in answer.rows]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def make_project(folder: Path) -> None:
    """Models for the streams of `BUILT`; the commands' stream files are not needed behind the ports."""
    root = Path(__file__).parents[3]
    (folder / "streams").mkdir(parents=True)
    models = folder / "models"
    for name in ("processed", "enriched"):
        (models / name).mkdir(parents=True)
    (models / "macros").symlink_to(root / "models" / "macros")
    (models / "dbt_project.yml").write_text((root / "models" / "dbt_project.yml").read_text())
    for name in BUILT:
        (models / "processed" / f"int_shop__{name}.sql").write_text(_MODEL)
        (models / "enriched" / f"fct_{name}.sql").write_text(_COUNT % name)
        (models / "enriched" / f"fct_{name}.yml").write_text(_TESTS % name)


def enriched_model(stream: Stream) -> str:
    """The enriched model of a built stream."""
    return f"fct_{stream.name}"


def a_row(key: int | None, version: int = 1, *, generation: int | None = 1, **values: Any) -> Row:
    """Version ``version`` of a record; a greater one is newer."""
    return {
        "_airbyte_raw_id": f"{key}-{version}-{generation}",
        "_airbyte_extracted_at": f"2026-01-01T00:{version:02}:00",
        "_airbyte_meta": {"sync_id": 1, "changes": []},
        "_airbyte_generation_id": generation,
        "id": key,
        "updated_at": f"v{version:03}",
        "total": version,
        "deleted_at": None,
        **values,
    }


CHANGE = pa.struct([(name, pa.string()) for name in ("field", "change", "reason")])
META = pa.struct([("sync_id", pa.int64()), ("changes", pa.list_(CHANGE))])
_TYPES = {
    "_airbyte_extracted_at": pa.timestamp("ms", tz="UTC"),
    "_airbyte_meta": META,
    "_airbyte_generation_id": pa.int64(),
}


def parquet(rows: Sequence[Row]) -> bytes:
    """A Parquet file as Airbyte's destination shapes it; the first row says which columns there are."""
    arrays: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name == "_airbyte_extracted_at":
            values = [datetime.fromisoformat(value).replace(tzinfo=UTC) for value in values]
        numbers = any(isinstance(value, int) for value in values)
        arrays[name] = pa.array(values, _TYPES.get(name, pa.int64() if numbers else pa.string()))
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays), sink)
    return sink.getvalue()
