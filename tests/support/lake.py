"""A small shop in the in-memory lake: streams, files and runs, each in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lotuslake.commands.backfill import BackfillOptions, backfill
from lotuslake.commands.context import RunContext
from lotuslake.commands.ingest_check import IngestCheckResult, ingest_check
from lotuslake.commands.register import RegisterOptions, RegisterPorts, RegisterResult, register
from lotuslake.commands.transform import TransformOptions, TransformPorts, TransformResult, transform
from lotuslake.core.data_file import DataFile, FileStatus, LedgerEntry
from lotuslake.core.field_types import BIGINT, VARCHAR
from lotuslake.core.stream import BatchLimits, Field, Stream
from lotuslake.testing import Call, MemoryLake, MemoryStore, Row, data_file, enriched, processed

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
WIDE = BatchLimits(max_files=500, max_bytes=2**29, max_rows=500_000)

ORDERS = Stream(
    source="shop",
    name="orders",
    description="Orders",
    sync_mode="incremental",
    destination_sync_mode="append",
    primary_key=("id",),
    cursor_field="updated_at",
    fields=(
        Field("id", BIGINT, {"type": "integer"}),
        Field("updated_at", VARCHAR, {"type": "string"}),
        Field("total", BIGINT, {"type": "integer"}),
    ),
    landing_path="shop/orders",
)
CUSTOMERS = replace(ORDERS, name="customers", landing_path="shop/customers")
CATALOGUE = replace(
    ORDERS, name="catalogue", landing_path="shop/catalogue", sync_mode="full_refresh", cursor_field=None
)


def a_file(path: str, *, size_bytes: int = 10, etag: str = "e1", at: datetime = NOW) -> DataFile:
    return DataFile(path, size_bytes, etag, at)


def an_entry(
    seq: int, path: str = "", *, status: FileStatus = FileStatus.REGISTERED, rows: int | None = 10, **kwargs: Any
) -> LedgerEntry:
    generation_id, newest_extracted_at = kwargs.pop("generation_id", None), kwargs.pop("newest_extracted_at", None)
    file = a_file(path or f"shop/orders/{seq}.parquet", **kwargs)
    return LedgerEntry(seq, file, status, rows, generation_id=generation_id, newest_extracted_at=newest_extracted_at)


def a_row(key: int | None, version: int = 1, *, generation: int | None = 1, **values: Any) -> Row:
    """Version ``version`` of a record; a greater one is newer."""
    return {
        "id": key,
        "updated_at": f"v{version:03}",
        "total": version,
        "_airbyte_raw_id": f"{key}-{version}-{generation}",
        "_airbyte_extracted_at": f"2026-01-01T00:{version:02}:00",
        "_airbyte_generation_id": generation,
        **values,
    }


def day_path(stream: Stream, day: int, name: str) -> str:
    """Day 0 is the tenth of March 2026, day -1 the one before."""
    at = NOW + timedelta(days=day)
    return f"{stream.landing_path}/year={at.year}/month={at.month:02}/day={at.day:02}/{name}.parquet"


def at(name: str, act: Callable[[int], None]) -> Callable[[Call], None]:
    """A hook that calls ``act`` with how often the moment came; not for calls that ``act`` makes itself."""
    seen = 0
    acting = False

    def hook(call: Call) -> None:
        nonlocal seen, acting
        if acting or f"{call.moment} {call.name}" != name:
            return
        seen += 1
        acting = True
        try:
            act(seen)
        finally:
            acting = False

    return hook


@dataclass
class Shop:
    """A lake, its store, and a clock that stands still until it is moved."""

    limits: BatchLimits = WIDE
    now: datetime = NOW
    lake: MemoryLake = field(init=False)
    store: MemoryStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=lambda: self.now)
        models = [
            processed("int_shop__orders"),
            processed("int_shop__customers"),
            processed("int_shop__catalogue"),
            enriched("fct_orders", ["int_shop__orders"], lambda tables: tables["int_shop__orders"]),
            enriched(
                "agg_days",
                ["fct_orders", "int_shop__customers"],
                lambda tables: [{"orders": len(tables["fct_orders"]), "customers": len(tables["int_shop__customers"])}],
            ),
        ]
        self.lake = MemoryLake(self.store, models, clock=lambda: self.now)

    def land(self, stream: Stream, name: str, *rows: Row, day: int = 0, columns: dict[str, str] | None = None) -> str:
        path = day_path(stream, day, name)
        self.store.put(path, data_file(rows, columns))
        return path

    def context(self, should_end: Callable[[], bool] = lambda: False) -> RunContext:
        return RunContext("run", "test", lambda: self.now, should_end)

    def check(self, *streams: Stream, **options: Any) -> IngestCheckResult:
        return ingest_check(streams or (ORDERS,), self.store, self.lake.ledger, self.limits, self.context(), **options)

    def register(
        self, *streams: Stream, should_end: Callable[[], bool] = lambda: False, **options: Any
    ) -> RegisterResult:
        ports = RegisterPorts(self.store, self.lake.ledger, self.lake.landing)
        return register(streams or (ORDERS,), ports, RegisterOptions(self.limits, **options), self.context(should_end))

    def transform(
        self, *streams: Stream, should_end: Callable[[], bool] = lambda: False, **options: Any
    ) -> TransformResult:
        ports = TransformPorts(self.lake.ledger, self.lake.transformer, self.lake.landing)
        return transform(
            streams or (ORDERS,), ports, TransformOptions(self.limits, **options), self.context(should_end)
        )

    def backfill(
        self, *streams: Stream, should_end: Callable[[], bool] = lambda: False, **options: Any
    ) -> TransformResult:
        landing = RegisterPorts(self.store, self.lake.ledger, self.lake.landing)
        ports = TransformPorts(self.lake.ledger, self.lake.transformer, self.lake.landing)
        return backfill(
            streams or (ORDERS,), landing, ports, BackfillOptions(self.limits, **options), self.context(should_end)
        )

    def table(self, model: str) -> dict[int, int]:
        """Totals by id: which version of each record a processed table shows."""
        return {row["id"]: row["total"] for row in self.lake.tables[model]}

    def mark(self, model: str, text: str) -> None:
        """Let what the model makes of a row from now on bear a mark; its hash stays, as if a function had changed."""
        known = self.lake.models[model]
        self.lake.models[model] = replace(known, select=lambda row: {**row, "mark": text})

    def marks(self, model: str) -> dict[int, str | None]:
        """Which mark each row of a processed table bears."""
        return {row["id"]: row.get("mark") for row in self.lake.tables[model]}

    def change_sql(self, model: str, hash_: str) -> None:
        known = self.lake.models[model]
        self.lake.models[model] = replace(known, model=replace(known.model, hash=hash_))
