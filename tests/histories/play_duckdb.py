"""Histories on a real lake: DuckLake and dbt in this process, landing and data in folders, a catalog of either kind.

A folder holds the project and what dbt made of each text of the model, so that a lake of its own costs a history little.
"""

from __future__ import annotations

import io
import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lotuslake.cli.wiring import Wiring
from lotuslake.commands.maintain import MaintainPorts
from lotuslake.commands.register import RegisterPorts
from lotuslake.commands.transform import TransformPorts
from lotuslake.config.settings import load_settings
from lotuslake.demo.parquet import META_TYPE
from lotuslake.ports.ledger import Ledger
from tests.functional.program import make_project
from tests.histories.lake import Play
from tests.histories.oracle_table import ShownRow
from tests.histories.shapes import MODEL, NAME, SOURCE, values_of
from tests.histories.world import Config, File

UTC_MICROS = pa.timestamp("us", tz="UTC")
COLUMN_TYPES = {
    "id": pa.int64(),
    "name": pa.string(),
    "amount": pa.int64(),
    "updated_at": UTC_MICROS,
    "edited_at": UTC_MICROS,
    "deleted_at": UTC_MICROS,
    "note": pa.string(),
    "extra": pa.int64(),
}


@dataclass
class Workshop:
    """The project folder that the lakes of a test session share, and dbt's manifest for each text of the model."""

    root: Path
    parsed: dict[str, Any] = field(default_factory=dict)
    lakes: int = 0

    def __post_init__(self) -> None:
        make_project(self.root, {}, {f"processed/{MODEL}.sql": sql_of(Config())})

    def write_model(self, text: str) -> None:
        (self.root / "models" / "processed" / f"{MODEL}.sql").write_text(text)

    def make_folder(self) -> Path:
        self.lakes += 1
        return self.root / f"lake_{self.lakes}"

    def make_lake(self, config: Config, catalog_url: str | None = None) -> DuckPlay:
        return DuckPlay(config, self, catalog_url)


class DuckPlay(Play):
    """A history on DuckLake."""

    def __init__(self, config: Config, workshop: Workshop, catalog_url: str | None = None) -> None:
        super().__init__(config)
        self.workshop = workshop
        self.folder = folder = workshop.make_folder()
        self.root = folder / "landing"
        self.root.mkdir(parents=True)
        environ = {
            "LOTUSLAKE_PROJECT_DIR": str(workshop.root),
            "LOTUSLAKE_LANDING_URL": str(self.root),
            "LOTUSLAKE_DATA_URL": str(folder / "data"),
            "LOTUSLAKE_CATALOG_URL": catalog_url or str(folder / "catalog.ducklake"),
            "LOTUSLAKE_MEMORY_LIMIT": "512MiB",
            "LOTUSLAKE_THREADS": "1",
        }
        self.wiring = Wiring(load_settings(environ, {}, workshop.root), environ)
        self.reconfigured()

    @property
    def model_text(self) -> str:
        return sql_of(self.config)

    def close(self) -> None:
        self.wiring.close()
        shutil.rmtree(self.folder)

    @property
    def register_ports(self) -> RegisterPorts:
        return self.wiring.register_ports

    @property
    def transform_ports(self) -> TransformPorts:
        return self.wiring.transform_ports

    @property
    def maintain_ports(self) -> MaintainPorts:
        return MaintainPorts(self.wiring.ledger, self.wiring.landing, self.wiring.maintenance, self.wiring.models)

    @property
    def ledger(self) -> Ledger:
        return self.wiring.ledger

    def reconfigured(self) -> None:
        """Another text of the model is another project to dbt; what was parsed of it once serves all lakes."""
        self.wiring.__dict__.pop("models", None)
        self.workshop.write_model(self.model_text)
        # dbt's parsed project, where the product keeps it: there is no other way to hand over one that is known.
        project = self.wiring.models._project
        text = self.model_text
        if text not in self.workshop.parsed:
            self.workshop.parsed[text] = project.manifest, project.models
        project.__dict__["manifest"], project.__dict__["models"] = self.workshop.parsed[text]

    def body(self, file: File, written_at: datetime) -> bytes:
        return parquet(file, written_at)

    def put(self, path: str, body: bytes, at: datetime) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
        os.utime(target, (at.timestamp(), at.timestamp()))

    def take(self, path: str) -> tuple[bytes, datetime]:
        target = self.root / path
        body, at = target.read_bytes(), datetime.fromtimestamp(target.stat().st_mtime, UTC)
        target.unlink()
        return body, at

    def objects(self) -> list[str]:
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())

    def landing(self) -> list[str]:
        return [row[0] for row in self._rows(f"SELECT _airbyte_raw_id FROM lakehouse.landing.stg_{SOURCE}__{NAME}")]

    def table(self) -> list[ShownRow] | None:
        columns = [
            row[0]
            for row in self._rows(
                "SELECT column_name FROM duckdb_columns() WHERE database_name = 'lakehouse' AND schema_name = 'processed' "
                f"AND table_name = '{MODEL}' ORDER BY column_index"
            )
        ]
        if not columns:
            return None
        found = self._rows(f"SELECT * FROM lakehouse.processed.{MODEL}")
        return sorted((self._shown(dict(zip(columns, row, strict=True))) for row in found), key=repr)

    def _shown(self, row: dict[str, Any]) -> ShownRow:
        columns = {name: row.get(name) for name in ("id", "name", "amount", "note", "extra", "mark")}
        info = row.get("info") or {}
        columns |= {"info_a": info.get("a"), "info_b": info.get("b")}
        told = tuple(sorted((name, value) for name, value in columns.items() if value is not None))
        return (told, row["_airbyte_raw_id"], bool(row.get("is_deleted")))

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        self.wiring.instance.attach(read_only=False)
        return self.wiring.instance.connection.execute(query).fetchall()


def sql_of(config: Config) -> str:
    """The model's text."""
    amount = "amount::varchar as amount" if config.sql == "typed" else "amount"
    columns = ["id", "name", amount, "updated_at", "edited_at", "deleted_at", "info"]
    columns += ["note"] if config.has_note else []
    columns += ["extra"] if config.has_extra else []
    columns += ["'x' as mark"] if config.sql == "marked" else []
    where = " where id % 4 = 0" if config.sql == "few" else ""
    return f"select {', '.join(columns)}, {{{{ airbyte_columns() }}}} from {{{{ landing() }}}}{where}\n"


def parquet(file: File, written_at: datetime) -> bytes:
    """A data file as Airbyte writes it, with the columns that its sync's catalog selected."""
    rows = [values_of(record) for record in file.records]
    present = set(rows[0]) if rows else set(COLUMN_TYPES)
    columns: dict[str, Any] = {
        "_airbyte_raw_id": pa.array([record.raw_id for record in file.records], pa.string()),
        "_airbyte_extracted_at": pa.array(
            [written_at - timedelta(seconds=record.ago) for record in file.records], pa.timestamp("ms", tz="UTC")
        ),
        "_airbyte_meta": pa.array([{"sync_id": file.sync, "changes": []} for _ in rows], META_TYPE),
        "_airbyte_generation_id": pa.array([file.generation] * len(rows), pa.int64()),
    }
    columns |= {
        name: pa.array([row.get(name) for row in rows], type_)
        for name, type_ in COLUMN_TYPES.items()
        if name in present
    }
    members = [
        ("a", pa.int64()),
        *([("b", pa.int64())] if any("m" in record.raw_id for record in file.records) else []),
    ]
    columns["info"] = pa.array([row["info"] for row in rows], pa.struct(members))
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, store_schema=False)
    return sink.getvalue()
