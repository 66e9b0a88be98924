"""Models in the lake: their cursors and rebuilds, and laying out what a dbt run reads."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import duckdb

from lotuslake.adapters.batch_rows import batch_rows
from lotuslake.adapters.dbt_errors import DbtError, model_error
from lotuslake.adapters.dbt_project import DbtProject
from lotuslake.adapters.duckdb_errors import first_line, translate, translate_text, translated
from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.adapters.ducklake_lost_files import DamagedTable, can_follow, find_damaged_tables, put_back
from lotuslake.adapters.landing_view import held_columns, landing_view
from lotuslake.adapters.model_steps import WRITTEN_ANEW, refused, step_values
from lotuslake.adapters.model_tables import cursor_table, find_cursors, make_cursor, rebuild_name, rebuild_table
from lotuslake.adapters.project_macros import know_marks, require_macros
from lotuslake.core.build import parse_built_by
from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.errors import LostRaceError, UnreachableError
from lotuslake.core.field_types import quote_identifier
from lotuslake.core.finding import TestOutcome
from lotuslake.core.model import Model
from lotuslake.core.retry import retrying
from lotuslake.core.schema_comparison import Columns
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor, Rebuild, Step, TableRows
from lotuslake.sql import load_sql

logger = logging.getLogger("lotuslake")

_OVERTAKEN = "lost race: another process has moved"
_GONE = re.compile(r"404|No files found|No such file", re.IGNORECASE)


class DuckLakeModels:
    """See the transformer port for what the methods promise.

    ``load_columns`` gives the landing table's columns, ``read_url`` where an entry's rows are read.
    """

    def __init__(
        self,
        instance: DuckDbInstance,
        project: DbtProject,
        load_columns: Callable[[Stream], Columns],
        read_url: Callable[[LedgerEntry], str],
    ) -> None:
        self._instance = instance
        self._project = project
        self._load_columns = load_columns
        self._read_url = read_url

    def warm_up(self) -> None:
        self._project.warm_up()

    def load_models(self) -> dict[str, Model]:
        return self._project.models

    def prepare(self, models: Sequence[Model]) -> None:
        found = find_cursors(self._instance)
        for model in models:
            if found.get(model.name) != []:
                retrying(f"preparing {model.name}", partial(make_cursor, self._instance, model.name))
        self._mend_lost_files()

    def load_cursor(self, model: str) -> Cursor:
        columns = "version, position, epoch, generation_id, model_hash, upstreams, built_by, null_keys"
        try:
            row = self._rows(f"SELECT {columns} FROM {cursor_table(model)}")[0]
        except duckdb.CatalogException:
            return Cursor()
        upstreams = tuple(sorted(json.loads(row[5] or "{}").items()))
        return Cursor(row[0], row[1] or 0, row[2] or 0, row[3], row[4] or "", upstreams, parse_built_by(row[6]), row[7])

    def load_rebuild(self, model: str, part: str = "") -> Rebuild | None:
        if not self._has_table("meta", rebuild_name(model, part)):
            return None
        columns = "position, until, epoch, model_hash, generation_id, shards"
        return Rebuild(*self._rows(f"SELECT {columns} FROM {rebuild_table(model, part)}")[0])

    def begin_rebuild(self, model: str, rebuild: Rebuild, part: str = "", *, instead_of: Rebuild | None = None) -> None:
        with translated(f"beginning the rebuild of {model}"), self._instance.transaction() as connection:
            if self.load_rebuild(model, part) != instead_of:
                raise LostRaceError(f"another process has begun a rebuild of {model}")
            self._drop(model, part)
            connection.execute(
                f"CREATE TABLE {rebuild_table(model, part)} AS SELECT $position AS position, $until AS until, "
                "$epoch AS epoch, $model_hash AS model_hash, $generation_id::BIGINT AS generation_id, $shards AS shards, "
                "now() AS updated_at",
                asdict(rebuild),
            )

    def drop_rebuild(self, model: str, part: str = "") -> None:
        with translated(f"dropping the rebuild of {model}"), self._instance.transaction():
            self._drop(model, part)

    def _drop(self, model: str, part: str) -> None:
        if part:
            staging = quote_identifier(f"{model}__rebuild_{part}")
            self._instance.connection.execute(f"DROP TABLE IF EXISTS {LAKE}.processed.{staging}")
        else:
            self._drop_parts(model)
        self._instance.connection.execute(f"DROP TABLE IF EXISTS {rebuild_table(model, part)}")

    def _drop_parts(self, model: str) -> None:
        found = self._rows(
            "SELECT DISTINCT schema_name, table_name FROM duckdb_columns() WHERE database_name = $lake AND "
            "((schema_name = 'processed' AND regexp_full_match(table_name, $model || '__rebuild(_shard_[0-9]+)?')) "
            "OR (schema_name = 'meta' "
            "AND regexp_full_match(table_name, 'rebuild_' || $model || '_(shard_[0-9]+|replay_[0-9]*_[0-9]*)')))",
            {"lake": LAKE, "model": model},
        )
        for schema, table in found:
            self._instance.connection.execute(f"DROP TABLE {LAKE}.{schema}.{quote_identifier(table)}")

    def count_rows(self, model: str) -> int:
        if not self._has_table("processed", model):
            return 0
        return int(self._rows(f"SELECT count(*) FROM {LAKE}.processed.{quote_identifier(model)}")[0][0])

    def run(self, step: Step, *, stream: Stream | None, run_id: str) -> TableRows | None:
        is_anew = step.mode in WRITTEN_ANEW
        before = self.count_rows(step.model) if is_anew else 0
        self._run(step, stream, run_id, before)
        return TableRows(before, self.count_rows(step.model)) if is_anew else None

    def _run(self, step: Step, stream: Stream | None, run_id: str, rows_before: int) -> None:
        if stream is not None:
            require_macros(self._project, stream, step)
        with translated(f"laying out the input of {step.model}"):
            if stream is not None:
                self._lay_out_landing(stream, step.entries)
            self._lay_out(step, stream, run_id)
        try:
            self._project.run(step.model)
        except DbtError as error:
            known = translate_text(str(error), f"building {step.model}")
            if known is None:
                if told := refused(str(error), step.model, rows_before):
                    raise told from error
                raise model_error(step.model, str(error)) from error
            # The step's own first statement: nothing of it was written, whoever has moved the model.
            if _OVERTAKEN in str(error) or not self._moved(step):
                raise known from error
            if self._mend_lost_files():
                raise LostRaceError(f"the reply to a commit of {step.model} was lost, and files with it") from error

    def test(self, models: Sequence[Model]) -> list[TestOutcome]:
        return self._project.test(models)

    def _lay_out(self, step: Step, stream: Stream | None, run_id: str) -> None:
        self._instance.connection.execute(load_sql("models")["create_step"])
        self._instance.connection.execute(load_sql("models")["lay_out_step"], step_values(step, stream, run_id))

    def _lay_out_landing(self, stream: Stream, entries: Sequence[LedgerEntry]) -> None:
        try:
            urls = [self._read_url(entry) for entry in entries]
            columns = self._load_columns(stream)
            selects = batch_rows(self._instance.connection, held_columns(stream, columns), urls)
            self._instance.connection.execute(landing_view(stream, columns, selects, marked=know_marks(self._project)))
        except (duckdb.HTTPException, duckdb.IOException) as error:
            if not _GONE.search(str(error)):
                raise
            copies = [
                entry for entry in entries if entry.data_path and entry.data_path.rpartition("/")[2] in str(error)
            ]
            told = (
                f"a converted copy of {stream.id} is gone from the data root; lotuslake backfill {stream.id} --reregister "
                "makes it anew"
                if copies
                else f"a registered object of {stream.id} is gone from the store; lotuslake register {stream.id} --full-sweep "
                "takes it out of landing"
            )
            raise UnreachableError(f"{told}: {first_line(error)}", stream=stream.id) from error

    def _mend_lost_files(self) -> bool:
        """Put back tables with lost files, so that what they lack is done once more; whether there was anything."""
        damaged = find_damaged_tables(self._instance)
        for table in damaged:
            logger.warning("%s.%s has lost %s of its files: mending it", table.schema, table.name, table.files)
            retrying(f"mending {table.name}", partial(self._put_back, table))
        return bool(damaged)

    def _put_back(self, table: DamagedTable) -> None:
        model, is_staging, _ = table.name.partition("__rebuild")
        if is_staging:
            self.drop_rebuild(model)
            return
        with translated(f"mending {model}"), self._instance.transaction() as connection:
            cursor = self.load_cursor(model)
            version, place = cursor.version + 1, cursor_table(model)
            at = table.whole_at if table.schema == "processed" else None
            if at is not None and can_follow(self._instance, model, place, cursor.position, at):
                name = f"{LAKE}.{table.schema}.{quote_identifier(table.name)}"
                put_back(self._instance, name, place, version, at)
            elif cursor.model_hash:
                # It is to be built anew, and what can no longer be read for that is for a person to decide.
                connection.execute(f"UPDATE {place} SET version = $version, model_hash = ''", {"version": version})

    def _moved(self, step: Step) -> bool:
        """Whether the step's commit stands although it was answered with an error: its reply may have been lost."""
        try:
            self._instance.reconnect()
            if step.mode == "append":
                rebuild = self.load_rebuild(step.model, step.part)
                return rebuild is not None and rebuild.position == step.progress != step.rebuild_position
            cursor = self.load_cursor(step.model)
            return cursor.version == step.cursor.version + 1 and cursor.position == step.position
        except duckdb.Error as error:
            raise translate(error, f"looking up {step.model}") or error from error

    def _has_table(self, schema: str, name: str) -> bool:
        return bool(
            self._rows(
                "SELECT 1 FROM duckdb_columns() "
                "WHERE database_name = $lake AND schema_name = $schema AND table_name = $name LIMIT 1",
                {"lake": LAKE, "schema": schema, "name": name},
            )
        )

    def _rows(self, statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with translated("reading the catalog"):
            return self._instance.connection.execute(statement, parameters).fetchall()
