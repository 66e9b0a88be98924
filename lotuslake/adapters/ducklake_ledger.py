"""The ledger in the lake itself, so that it can be written in the commit that it tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from lotuslake import __version__
from lotuslake.adapters.duckdb_errors import translated
from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance, NoLakeError
from lotuslake.adapters.ducklake_version import LakeVersion, newest_version
from lotuslake.adapters.ledger_rows import aware, entry_of, finding_of, raised
from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.field_types import quote_identifier
from lotuslake.core.finding import Finding, TestOutcome
from lotuslake.core.head import Head
from lotuslake.core.retry import retrying
from lotuslake.core.run import Run
from lotuslake.core.stream import Stream
from lotuslake.ports.lock import NoLock, WorkLock
from lotuslake.sql import load_sql

SCHEMAS = ("landing", "processed", "enriched", "meta")
INLINED_ROWS = 1000
# As good as always: a file of the ledger would be lost with the reply to the commit that wrote it.
INLINED_ROWS_IN_POSTGRES = 100_000_000


class DuckLakeLedger:
    """`meta.files` and its companions; see the port for what the methods promise."""

    def __init__(self, instance: DuckDbInstance, lock: WorkLock | None = None) -> None:
        self._instance = instance
        self._lock = lock or NoLock()
        self._version = LakeVersion(instance)
        self._was_complete = False

    def exists(self) -> bool:
        """Whether there is a lake to read; attaches it read-only when nothing is attached yet."""
        if not self._instance.is_attached:
            if self._instance.options.is_embedded and not Path(self._instance.options.catalog).exists():
                return False
            try:
                self._instance.attach(read_only=True)
            except NoLakeError:
                return False
        if not self._is_complete():
            return False
        self._version.require_known()
        return True

    def prepare(self, streams: Sequence[Stream]) -> None:
        """Two programs may start on an empty or an older lake at once: the loser of the race finds everything made."""
        self._instance.attach(read_only=False)
        if not self._is_ready():
            with self._lock.held("the lake"):
                retrying("preparing the lake", self._prepare_meta)
        tables, freshness = self._meta_tables(), self._recorded_freshness()
        for stream in streams:
            if f"fence_{stream.slug}" not in tables or freshness.get(stream.id) != _freshness_seconds(stream):
                retrying(f"preparing {stream.id}", partial(self._prepare_stream, stream))

    def load_head(self, stream: Stream) -> Head:
        if not self.exists() or not self._has_table("meta", f"fence_{stream.slug}"):
            return Head()
        row = self._rows(f"SELECT head_seq, epoch FROM {fence_table(stream)}")
        return Head(*row[0])

    def load_entries(self, stream: Stream, *, since: date | None = None) -> list[LedgerEntry]:
        if not self.exists():
            return []
        rows = self._rows(load_sql("ledger")["load_entries"], {"stream": stream.id, "since": since})
        return [entry_of(row) for row in rows]

    def load_newest_partition(self, stream: Stream) -> date | None:
        return self._newest_known(stream)[0]

    def load_newest_file_at(self, stream: Stream, *, until: datetime) -> datetime | None:
        return aware(self._newest_known(stream, until)[1])

    def load_findings(self, streams: Sequence[Stream]) -> list[Finding]:
        if not self.exists():
            return []
        rows = self._rows(load_sql("ledger")["findings"], {"streams": [stream.id for stream in streams]})
        return [finding_of(*row) for row in rows]

    def load_raised(self, stream: Stream) -> list[Finding]:
        if not self.exists():
            return []
        rows = self._rows(load_sql("ledger")["load_raised"], {"stream": stream.id})
        return [finding_of(*row) for row in rows]

    def is_accepted(self, finding_id: str) -> bool:
        return bool(self._rows("SELECT 1 FROM lakehouse.meta.accepted WHERE finding_id = $id", {"id": finding_id}))

    def accept(self, findings: Sequence[Finding], reason: str, *, by: str, now: datetime) -> None:
        ids = [finding.id for finding in findings]
        self._write(load_sql("ledger")["accept"], {"ids": ids, "reason": reason, "by": by, "now": now})

    def raise_finding(self, finding: Finding) -> None:
        if self._rows(load_sql("ledger")["is_raised"], {"id": finding.id}) != [(True,)]:
            self._write(load_sql("ledger")["record_raised"], raised([finding], is_open=True))

    def close_findings(self, findings: Sequence[Finding]) -> None:
        if findings:
            self._write(load_sql("ledger")["record_raised"], raised(findings, is_open=False))

    def load_tested_versions(self) -> dict[str, int]:
        return dict(self._rows(load_sql("ledger")["load_tested"]))

    def record_tests(
        self, outcomes: Sequence[TestOutcome], versions: Mapping[str, int], *, run_id: str, now: datetime
    ) -> None:
        rows = [(outcome, stream) for outcome in outcomes for stream in outcome.streams]
        results = {
            "run_id": run_id,
            "test": [outcome.test for outcome, _ in rows],
            "model": [outcome.model for outcome, _ in rows],
            "stream": [stream for _, stream in rows],
            "status": [outcome.status for outcome, _ in rows],
            "failures": [outcome.failures for outcome, _ in rows],
            "message": [outcome.message for outcome, _ in rows],
            "now": now,
        }
        tested = {"run_id": run_id, "model": list(versions), "version": list(versions.values()), "now": now}
        sql = load_sql("ledger")
        with translated("recording test results"), self._instance.transaction() as connection:
            if rows:
                connection.execute(sql["record_tests"], results)
            connection.execute(sql["record_tested"], tested)

    def record_run(self, run: Run) -> None:
        self._write(
            load_sql("ledger")["record_run"],
            {
                "run_id": run.run_id,
                "command": run.command,
                "version": __version__,
                "started_at": run.started_at,
                "ended_at": run.ended_at,
                "exit_code": run.exit_code,
                "message": run.message,
            },
        )

    def _newest_known(self, stream: Stream, until: datetime | None = None) -> tuple[date | None, datetime | None]:
        if not self.exists():
            return None, None
        row = self._rows(load_sql("ledger")["newest_known"], {"stream": stream.id, "until": until})[0]
        return row[0], row[1]

    def _prepare_meta(self) -> None:
        if self._is_ready():
            return
        sql = load_sql("meta")
        # The option before anything is written: nothing is asked of a store that nobody has looked at yet. DuckLake of
        # DuckDB 1.5.5 crashes where a schema that has a view is given one: what its transaction sees has none.
        with translated("preparing the lake"), self._instance.transaction() as connection:
            for schema in SCHEMAS:
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {LAKE}.{schema}")
        with translated("preparing the lake"), self._instance.transaction() as connection:
            if not self._has_view("current_files"):
                connection.execute(
                    f"CALL {LAKE}.set_option('data_inlining_row_limit', {self._inlined_rows}, schema => 'meta')"
                )
        with translated("preparing the lake"), self._instance.transaction() as connection:
            if not self._has_table("meta", "files"):
                connection.execute(sql["tables"])
                self._version.begin()
        # DuckLake crashes on a view over a view of the same transaction as well.
        self._write(sql["current_files"])
        # The other views may read what an older lake lacks.
        self._version.upgrade()
        with translated("preparing the lake"), self._instance.transaction() as connection:
            connection.execute(sql["findings"])
            connection.execute(sql["stream_status"])

    @property
    def _inlined_rows(self) -> int:
        return INLINED_ROWS if self._instance.options.is_embedded else INLINED_ROWS_IN_POSTGRES

    def _is_ready(self) -> bool:
        """Whether nothing is to be made or changed. Raises ConfigError where the lake is newer than this program."""
        return self._version.require_known() == newest_version() and self._is_complete()

    def _is_complete(self) -> bool:
        """Whether the last object that preparing makes is there; once it is, it stays."""
        if not self._was_complete:
            self._was_complete = self._has_view("stream_status")
        return self._was_complete

    def _prepare_stream(self, stream: Stream) -> None:
        if not self._has_table("meta", f"fence_{stream.slug}"):
            columns = "0::BIGINT AS head_seq, 0::BIGINT AS epoch, now() AS updated_at"
            self._write(f"CREATE TABLE {fence_table(stream)} AS SELECT {columns}")
        wanted = _freshness_seconds(stream)
        if self._recorded_freshness().get(stream.id) != wanted:
            parameters = {"stream": stream.id, "warn_after": wanted[0], "error_after": wanted[1]}
            self._write(load_sql("ledger")["record_freshness"], parameters)

    def _recorded_freshness(self) -> dict[str, tuple[int | None, ...]]:
        return {row[0]: (row[1], row[2]) for row in self._rows(load_sql("ledger")["load_freshness"])}

    def _meta_tables(self) -> set[str]:
        # Not duckdb_tables(): it asks the catalog for the statistics of every table.
        sql = "SELECT DISTINCT table_name FROM duckdb_columns() WHERE database_name = $lake AND schema_name = 'meta'"
        return {row[0] for row in self._rows(sql, {"lake": LAKE})}

    def _has_table(self, schema: str, name: str) -> bool:
        found = self._rows(
            "SELECT 1 FROM duckdb_columns() WHERE database_name = $lake AND schema_name = $schema AND table_name = $name LIMIT 1",
            {"lake": LAKE, "schema": schema, "name": name},
        )
        return bool(found)

    def _has_view(self, name: str) -> bool:
        found = self._rows(
            "SELECT 1 FROM duckdb_views() WHERE database_name = $lake AND schema_name = 'meta' AND view_name = $name",
            {"lake": LAKE, "name": name},
        )
        return bool(found)

    def _rows(self, statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with translated("reading the catalog"):
            return self._instance.connection.execute(statement, parameters).fetchall()

    def _write(self, statement: str, parameters: dict[str, Any] | None = None) -> None:
        with translated("writing to the catalog"):
            self._instance.connection.execute(statement, parameters)


def fence_table(stream: Stream) -> str:
    """The one-row table that two registrars of a stream cannot both update."""
    return f"{LAKE}.meta.{quote_identifier(f'fence_{stream.slug}')}"


def _freshness_seconds(stream: Stream) -> tuple[int | None, ...]:
    ages = (stream.freshness.warn_after, stream.freshness.error_after)
    return tuple(None if age is None else int(age.total_seconds()) for age in ages)
