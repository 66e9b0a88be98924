"""Histories on the in-memory double: thousands of them in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lotuslake.commands.maintain import MaintainPorts
from lotuslake.commands.register import RegisterPorts
from lotuslake.commands.transform import TransformPorts
from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.stream import Stream
from lotuslake.ports.ledger import Ledger
from lotuslake.testing import MemoryLake, MemoryModel, MemoryStore, Row, data_file, processed
from tests.histories.lake import Play
from tests.histories.oracle_table import ShownRow
from tests.histories.shapes import MODEL, values_of
from tests.histories.world import Config, File

COLUMNS = {
    "id": "BIGINT",
    "name": "VARCHAR",
    "amount": "BIGINT",
    "updated_at": "TIMESTAMP",
    "edited_at": "TIMESTAMP",
    "deleted_at": "TIMESTAMP",
    "note": "VARCHAR",
    "extra": "BIGINT",
    "_airbyte_meta": "STRUCT(sync_id BIGINT)",
    "_airbyte_generation_id": "BIGINT",
    "_airbyte_raw_id": "VARCHAR",
    "_airbyte_extracted_at": "TIMESTAMP",
}


class NotTakenError(ValueError):
    """A row that the model leaves out."""


@dataclass
class MemoryUpkeep:
    """The Maintenance port: of upkeep, memory needs none but retention."""

    store: MemoryStore

    def merge_small_files(self) -> int:
        return 0

    def expire_snapshots(self, before: datetime) -> int:
        return 0

    def clean_up(self, before: datetime) -> int:
        return 0

    def delete_expired(self, stream: Stream, entries: Sequence[LedgerEntry]) -> int:
        going = [entry for entry in entries if self._etag(entry.file.path) == entry.file.etag]
        for entry in going:
            self.store.delete(entry.file.path)
        return len(going)

    def _etag(self, path: str) -> str | None:
        found = self.store.head(path)
        return found.etag if found else None


class MemoryPlay(Play):
    """A history in memory."""

    sees_touch = False

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._written_at: datetime | None = None
        self._built_by, self._built = "", config
        self.store = MemoryStore(clock=lambda: self._written_at or self.now)
        self.lake = MemoryLake(self.store, [_model(config)], clock=lambda: self.now)

    @property
    def register_ports(self) -> RegisterPorts:
        return RegisterPorts(self.store, self.lake.ledger, self.lake.landing)

    @property
    def transform_ports(self) -> TransformPorts:
        return TransformPorts(self.lake.ledger, self.lake.transformer, self.lake.landing)

    @property
    def maintain_ports(self) -> MaintainPorts:
        return MaintainPorts(self.lake.ledger, self.lake.landing, MemoryUpkeep(self.store), self.lake.transformer)

    @property
    def ledger(self) -> Ledger:
        return self.lake.ledger

    def body(self, file: File, written_at: datetime) -> bytes:
        rows: list[Row] = []
        for record in file.records:
            values = {name: _plain(value) for name, value in values_of(record).items()}
            at = written_at.timestamp() - record.ago
            rows.append(
                values
                | {
                    "_airbyte_raw_id": record.raw_id,
                    "_airbyte_extracted_at": datetime.fromtimestamp(at, written_at.tzinfo)
                    .replace(tzinfo=None)
                    .isoformat(),
                    "_airbyte_generation_id": file.generation,
                    "_airbyte_meta": {"sync_id": file.sync},
                }
            )
        present = set(rows[0]) if rows else set(COLUMNS)
        columns = {name: type_ for name, type_ in COLUMNS.items() if name in present}
        has_member = any("m" in record.raw_id for record in file.records)
        columns["info"] = "STRUCT(a BIGINT, b BIGINT)" if has_member else "STRUCT(a BIGINT)"
        return data_file(rows, columns)

    def put(self, path: str, body: bytes, at: datetime) -> None:
        self._written_at = at
        self.store.put(path, body)
        self._written_at = None

    def take(self, path: str) -> tuple[bytes, datetime]:
        found = self.store.head(path)
        assert found is not None
        body = self.store.read(path)
        self.store.delete(path)
        return body, found.last_modified_at

    def objects(self) -> list[str]:
        return sorted(file.path for file in self.store.list_objects(""))

    def landing(self) -> list[str]:
        return [row["_airbyte_raw_id"] for row in self.lake.landing_rows(self.stream)]

    def table(self) -> list[ShownRow] | None:
        if MODEL not in self.lake.tables:
            return None
        # The double's rows are of any columns; a table's are those of the model that it was built by.
        if self.lake.cursors[MODEL].model_hash != self._built_by:
            self._built_by, self._built = self.lake.cursors[MODEL].model_hash, self.config
        return sorted((self._shown(row) for row in self.lake.tables[MODEL]), key=repr)

    def _shown(self, row: Row) -> ShownRow:
        has = {"note": self._built.has_note, "extra": self._built.has_extra, "mark": self._built.sql == "marked"}
        names = ("id", "name", "amount", *(name for name, is_there in has.items() if is_there))
        columns = {name: row.get(name) for name in names}
        info = row.get("info") or {}
        columns |= {"info_a": info.get("a"), "info_b": info.get("b") if self._built.has_member else None}
        told = tuple(sorted((name, value) for name, value in columns.items() if value is not None))
        return (told, row.get("_airbyte_raw_id"), bool(row.get("is_deleted")))

    def close(self) -> None:
        """Memory needs no closing."""

    def reconfigured(self) -> None:
        self.lake.models[MODEL] = _model(self.config)


def _model(config: Config) -> MemoryModel:
    stream_fields = {"id", "name", "amount", "updated_at", "edited_at", "deleted_at", "info"}
    stream_fields |= {"note"} if config.has_note else set()
    stream_fields |= {"extra"} if config.has_extra else set()

    def select(row: Row) -> Row:
        columns: Row = {name: row.get(name) for name in row if name in stream_fields or name.startswith("_airbyte_")}
        columns |= {name: None for name in stream_fields if name not in columns}
        if columns["info"] is not None and not config.has_member:
            columns["info"] = {"a": columns["info"]["a"]}
        if config.sql == "marked":
            columns["mark"] = "x"
        if config.sql == "typed" and columns["amount"] is not None:
            columns["amount"] = str(columns["amount"])
        return columns

    model = processed(MODEL, hash=_hash(config), select=select)
    return replace(model)


def _hash(config: Config) -> str:
    """The SQL's: it names note and extra, and neither the members nor the tombstones."""
    return f"{config.sql} {config.has_note} {config.has_extra}"


def _plain(value: Any) -> Any:
    return value.replace(tzinfo=None).isoformat() if isinstance(value, datetime) else value
