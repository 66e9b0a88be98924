"""A small lake in memory and the dbt project that writes it: what the engine lays out for a model, in a few lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.results import NodeResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from lotuslake.core.field_types import TIMESTAMP, ColumnType, ListOf, Scalar, Struct
from lotuslake.core.stream import Stream
from lotuslake.sql import load_sql

START = datetime(2026, 11, 1, tzinfo=UTC)
ENGINES_OWN = frozenset({"_cursor", "is_deleted", "_deleted_extracted_at", "_deleted_raw_id"})

_PROFILE = """
lotuslake:
  target: lake
  outputs:
    lake:
      type: duckdb
      path: ':memory:{name}'
      database: lakehouse
      schema: processed
      threads: 1
      keep_open: true
      attach:
        - {{path: 'ducklake:{catalog}', alias: lakehouse, is_ducklake: true}}
"""
_CURSOR = """
create table lakehouse.meta.{name} (version bigint, position bigint, epoch bigint, generation_id bigint,
    model_hash varchar, upstreams varchar, read_snapshot bigint, run_id varchar, updated_at timestamptz, built_by varchar,
    null_keys bigint)
"""


class Step(NamedTuple):
    """What a model is to do next; `position` is that of the last file it reads."""

    model: str
    mode: str
    position: int
    primary_key: Sequence[str] = ("id",)
    has_cursor: bool = True
    has_tombstones: bool = False


class Lake:
    """A DuckLake below a folder, attached to a named DuckDB in memory that dbt opens as well."""

    def __init__(self, folder: Path, project_dir: Path) -> None:
        name = f"dbt_{folder.name}_{id(self)}"
        catalog = folder / "catalog.ducklake"
        self.connection = duckdb.connect(f":memory:{name}")
        extension = next(Path(str(resources.files("duckdb_extension_ducklake"))).rglob("*.duckdb_extension"))
        self.connection.execute(f"load '{extension}'")
        self.connection.execute("set timezone = 'UTC'")
        self.connection.execute(
            f"attach 'ducklake:{catalog}' as lakehouse (data_path '{folder / 'data'}', data_inlining_row_limit 0)"
        )
        self.connection.execute("create schema lakehouse.meta; create schema lakehouse.processed")
        self.connection.execute("create schema lakehouse.enriched")
        self.connection.execute(load_sql("models")["create_step"])
        (folder / "profiles.yml").write_text(_PROFILE.format(name=name, catalog=catalog))
        self._options = [
            *("--project-dir", str(project_dir), "--profiles-dir", str(folder)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "log")),
            *("--quiet", "--no-use-colors", "--log-level-file", "none"),
        ]
        self.manifest = self._parse()
        self._runner = dbtRunner(manifest=self.manifest)
        for node in self.manifest.nodes.values():
            if node.resource_type == "model":
                self._add_cursor(node.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        DuckDBConnectionManager.close_all_connections()
        self.connection.close()

    def _parse(self) -> Manifest:
        parsed = dbtRunner().invoke(["parse", *self._options])
        assert parsed.success, parsed.exception
        assert isinstance(parsed.result, Manifest)
        return parsed.result

    def _add_cursor(self, model: str) -> None:
        table = f"cursor_{model}"
        self.connection.execute(_CURSOR.format(name=table))
        self.connection.execute(
            f"call lakehouse.set_option('data_inlining_row_limit', 100, schema => 'meta', table_name => '{table}')"
        )
        self.connection.execute(f"insert into lakehouse.meta.{table} (version) values (0)")

    def begin_rebuild(self, model: str) -> None:
        """What the engine does before the first `append` of a model."""
        self.connection.execute(
            f"create table lakehouse.meta.rebuild_{model} as select 0::bigint as position, 1::bigint as until, "
            "1::bigint as epoch, 'hash' as model_hash, 0::bigint as generation_id, 1 as shards, now() as updated_at"
        )

    def lay_out(self, relation: str, columns: Mapping[str, ColumnType], rows: Iterable[Mapping[str, Any]]) -> None:
        """Give `relation` the rows, as JSON values of its columns' types; what a row lacks is NULL.

        The engine's own columns are called as it calls them where a model reads.
        """
        marked = {name: f"lotuslake:{name}" if name in ENGINES_OWN else name for name in columns}
        types = ", ".join(f'"{marked[name]}" {type_}' for name, type_ in columns.items())
        self.connection.execute(f"create or replace table memory.main.{relation} ({types})")
        shape = json.dumps({name: _json_shape(type_) for name, type_ in columns.items()})
        texts = [json.dumps(row, default=str) for row in rows]
        self.connection.execute(
            f"insert into memory.main.{relation} select unnest(record) from ("
            f"select from_json(line, '{shape}') as record from (select unnest(cast(? as varchar[])) as line))",
            [texts],
        )

    def lay_out_stream(self, stream: Stream, records: Iterable[Mapping[str, Any]]) -> None:
        """Lay out records of a stream, extracted a minute after each other; `_at` and `_raw_id` say otherwise."""
        columns = {field.name: field.type for field in stream.fields} | bookkeeping(stream)
        rows = [landed(stream, number, record) for number, record in enumerate(records)]
        self.lay_out(stream.landing_table, columns, rows)

    def run(self, *steps: Step) -> dbtRunnerResult:
        """One `dbt run` of the steps' models, each a commit of its own."""
        self.plan(*steps)
        return self.run_planned(*(step.model for step in steps))

    def plan(self, *steps: Step) -> None:
        """Say what each model is to do next, from where it stands now."""
        self.connection.execute("delete from memory.main.step")
        for step in steps:
            (version,) = self.row(f"select version from lakehouse.meta.cursor_{step.model}")
            rebuilt = None
            if step.mode in {"append", "publish"}:
                (rebuilt,) = self.row(f"select position from lakehouse.meta.rebuild_{step.model}")
            self.connection.execute(
                "insert into memory.main.step by name select ? as model, ? as mode, ? as version, "
                "?::bigint as rebuild_position, ? as position, ? as progress, ? as primary_key, ? as has_cursor, "
                "? as has_tombstones, 1 as epoch, 0 as generation_id, 'hash' as model_hash, 1 as read_snapshot, "
                "'run' as run_id, '' as part, 1 as shards, ? as version_columns, false as drop_null_keys",
                [
                    *(step.model, step.mode, version, rebuilt, step.position, step.position),
                    *(json.dumps(step.primary_key), step.has_cursor, step.has_tombstones, _version_columns(step)),
                ],
            )

    def run_planned(self, *models: str) -> dbtRunnerResult:
        return self.invoke("run", "--no-populate-cache", "--select", *models)

    def invoke(self, *arguments: str) -> dbtRunnerResult:
        """One dbt command on the manifest that was parsed first."""
        command, *rest = arguments
        return self._runner.invoke([command, *rest, *self._options])

    def row(self, query: str) -> tuple[Any, ...]:
        """The only row of a query."""
        found = self.connection.execute(query).fetchall()
        assert len(found) == 1, found
        return tuple(found[0])

    def records(self, query: str) -> list[dict[str, Any]]:
        """A query's rows by column name."""
        cursor = self.connection.execute(query)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _version_columns(step: Step) -> str:
    names = {"cursor": "_cursor" if step.has_cursor else None}
    if step.has_tombstones:
        names |= {name: f"_{name}" for name in ("deleted_extracted_at", "deleted_raw_id")}
        names |= {"is_deleted": "is_deleted", "tombstone": "deleted_at"}
    return json.dumps(names)


def bookkeeping(stream: Stream) -> dict[str, ColumnType]:
    """The columns that the engine adds to a stream's fields."""
    varchar, bigint = Scalar("VARCHAR"), Scalar("BIGINT")
    columns: dict[str, ColumnType] = {
        "_airbyte_raw_id": varchar,
        "_airbyte_extracted_at": TIMESTAMP,
        "_airbyte_generation_id": bigint,
    }
    if stream.cursor_field:
        columns["_cursor"] = next(field.type for field in stream.fields if field.name == stream.cursor_field)
    if stream.tombstone_field:
        columns |= {"is_deleted": Scalar("BOOLEAN"), "_deleted_extracted_at": TIMESTAMP, "_deleted_raw_id": varchar}
    return columns


def landed(stream: Stream, number: int, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the bookkeeping of the engine."""
    fields = {name: value for name, value in record.items() if not name.startswith("_")}
    extracted_at = record.get("_at") or (START + timedelta(minutes=number)).strftime("%Y-%m-%d %H:%M:%S")
    raw_id = record.get("_raw_id") or f"raw-{number}"
    row = {**fields, "_airbyte_raw_id": raw_id, "_airbyte_extracted_at": extracted_at, "_airbyte_generation_id": 0}
    if stream.cursor_field:
        row["_cursor"] = fields.get(stream.cursor_field)
    if stream.tombstone_field:
        deleted = fields.get(stream.tombstone_field) is not None
        row["is_deleted"] = deleted
        row["_deleted_extracted_at"] = extracted_at if deleted else None
        row["_deleted_raw_id"] = raw_id if deleted else None
    return row


def outcomes(result: dbtRunnerResult) -> dict[str, str]:
    """Status of each node by name; with the message where it is neither success nor pass."""
    found: Iterable[NodeResult] = result.result or ()
    return {
        item.node.name: str(item.status) if item.status in {"success", "pass"} else f"{item.status}: {item.message}"
        for item in found
    }


def _json_shape(type_: ColumnType) -> Any:
    match type_:
        case ListOf(element):
            return [_json_shape(element)]
        case Struct(fields):
            return {name: _json_shape(field) for name, field in fields}
    # As an instant, whose offset counts; the table then takes it in UTC.
    return "TIMESTAMPTZ" if type_ == TIMESTAMP else str(type_)
