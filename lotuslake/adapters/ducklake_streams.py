"""The streams that a DuckLake lakehouse knows."""

from __future__ import annotations

from functools import partial

from lotuslake.adapters.duckdb_errors import translated
from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.adapters.ducklake_ledger import DuckLakeLedger
from lotuslake.core.field_types import quote_identifier
from lotuslake.core.retry import retrying
from lotuslake.sql import load_sql

FENCE = "fence_"


class DuckLakeStreams:
    """See the port for what the methods promise."""

    def __init__(self, instance: DuckDbInstance, ledger: DuckLakeLedger) -> None:
        self._instance = instance
        self._ledger = ledger

    def load_ids(self) -> list[str]:
        if not self._ledger.exists():
            return []
        with translated("reading which streams the lake knows"):
            rows = self._instance.connection.execute(load_sql("streams")["fences"], {"prefix": FENCE}).fetchall()
        # Neither a source's name nor a stream's has two underscores in a row.
        return sorted(name.removeprefix(FENCE).replace("__", "/", 1) for (name,) in rows)

    def forget(self, stream_id: str) -> None:
        self._ledger.prepare([])
        retrying(f"letting go of {stream_id}", partial(self._forget, stream_id))

    def _forget(self, stream_id: str) -> None:
        sql = load_sql("streams")
        with translated(f"letting go of {stream_id}"), self._instance.transaction() as connection:
            tables = connection.execute(sql["tables_of"], {"slug": stream_id.replace("/", "__")}).fetchall()
            for schema, table in tables:
                connection.execute(f"DROP TABLE IF EXISTS {LAKE}.{schema}.{quote_identifier(table)}")
            for name in ("files", "streams", "raised", "test_results"):
                connection.execute(f"DELETE FROM {LAKE}.meta.{name} WHERE stream = $stream", {"stream": stream_id})
            connection.execute(sql["forget_accepted"], {"stream": stream_id})
