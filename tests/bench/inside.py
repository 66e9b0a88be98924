"""Run in a process of its own: a command or a rival, timed from when everything is imported.

`python -m tests.bench.inside OPERATION '{"json": "arguments"}'` prints one JSON document. Lakes come from the environment.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb

from lotuslake.cli.main import app
from lotuslake.cli.wiring import Wiring
from lotuslake.config.settings import load_settings

ADD = (
    "CALL ducklake_add_data_files('rival', 'orders', $files, allow_missing => true, ignore_extra_columns => true, "
    "hive_partitioning => false)"
)
LEDGER = (
    "INSERT INTO rival.ledger SELECT 'bench/orders', $seq, $file, 'etag', 1000, now(), 20, 'registered', NULL, 'batch', "
    "now()"
)


def command(arguments: list[str]) -> dict[str, Any]:
    """A `lotuslake` command in this process."""
    with contextlib.redirect_stdout(io.StringIO()) as output, _timed() as took:
        try:
            app([*arguments, "--json", "--log-format", "json"], prog_name="lotuslake")
        except SystemExit as end:
            assert not end.code, output.getvalue()  # noqa: PT017 - a program's end, no test's error
    return {"seconds": took()}


def add_list(files: list[str]) -> dict[str, Any]:
    """The rival: one `ducklake_add_data_files` with all files."""
    connection = _rival_lake(files)
    with _timed() as took:
        connection.execute(ADD, {"files": files})
    return {"seconds": took()}


def add_each(files: list[str]) -> dict[str, Any]:
    """The rival: a call for each file in autocommit."""
    return _add_each(files, ledger=False)


def add_each_with_ledger(files: list[str]) -> dict[str, Any]:
    """The rival: a transaction for each file, of a call and a row that tells of it."""
    return _add_each(files, ledger=True)


def _add_each(files: list[str], *, ledger: bool) -> dict[str, Any]:
    connection = _rival_lake(files)
    connection.execute(
        "CREATE TABLE rival.ledger (stream VARCHAR, seq BIGINT, path VARCHAR, etag VARCHAR, size_bytes BIGINT, "
        "last_modified TIMESTAMPTZ, rows BIGINT, status VARCHAR, reason VARCHAR, batch_id VARCHAR, recorded_at TIMESTAMPTZ)"
    )
    with _timed() as took:
        for seq, file in enumerate(files):
            if ledger:
                connection.execute("BEGIN")
            connection.execute(ADD, {"files": [file]})
            if ledger:
                connection.execute(LEDGER, {"seq": seq, "file": file})
                connection.execute("COMMIT")
    return {"seconds": took()}


def idle_check() -> dict[str, Any]:
    """LIST requests of an `ingest-check` that finds nothing, and its seconds."""
    from lotuslake.commands.context import RunContext
    from lotuslake.commands.ingest_check import ingest_check

    wiring = _wiring()
    context = RunContext("bench", "ingest-check", _now)
    with _timed() as took:
        result = ingest_check(
            wiring.streams.select(["bench/orders"]), wiring.store, wiring.ledger, wiring.settings.batch, context
        )
    assert result.streams[0].plan.is_empty
    return {"seconds": took(), "lists": wiring.store.requests.lists}


def fill_ledger(files: int) -> dict[str, Any]:
    """Give stream bench/orders a ledger of so many files, those of the landing folder, without registering them."""
    wiring = _wiring()
    streams = wiring.streams.select(["bench/orders"])
    wiring.ledger.prepare(streams)
    listed = list(wiring.store.list_objects(streams[0].landing_path))
    assert len(listed) == files
    wiring.instance.connection.execute(
        "INSERT INTO lakehouse.meta.files BY NAME SELECT 'bench/orders' AS stream, unnest(range(1, $n + 1)) AS seq, "
        "unnest($path::VARCHAR[]) AS path, unnest($etag::VARCHAR[]) AS etag, unnest($size::BIGINT[]) AS size_bytes, "
        "unnest($at::TIMESTAMPTZ[]) AS last_modified, 20 AS rows, 'registered' AS status, 'batch' AS batch_id, "
        "now() AS recorded_at, unnest($day::DATE[]) AS partition_date, md5(path) AS content_hash",
        {
            "n": files,
            "path": [file.path for file in listed],
            "etag": [file.etag for file in listed],
            "size": [file.size_bytes for file in listed],
            "at": [file.last_modified_at for file in listed],
            "day": ["-".join(part.split("=")[1] for part in file.path.split("/")[2:5]) for file in listed],
        },
    )
    wiring.instance.connection.execute("UPDATE lakehouse.meta.fence_bench__orders SET head_seq = $n", {"n": files})
    wiring.close()
    return {}


def plan(*, full_sweep: bool) -> dict[str, Any]:
    """Seconds that planning bench/orders takes."""
    from lotuslake.commands.ingest_check import plan_stream

    wiring = _wiring()
    stream = wiring.streams.select(["bench/orders"])[0]
    wiring.ledger.exists()
    with _timed() as took:
        found, _ = plan_stream(
            stream, wiring.store, wiring.ledger, wiring.settings.batch, _now().date(), full_sweep=full_sweep
        )
    assert found.is_empty
    return {"seconds": took()}


def transform_sql() -> dict[str, Any]:
    """A `lotuslake transform`: how long each step took beside the SQL that dbt sent, and dbt's start."""
    from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper

    from lotuslake.adapters.ducklake_models import DuckLakeModels

    sql_seconds = 0.0
    steps: list[tuple[float, float]] = []
    execute, run = DuckDBCursorWrapper.execute, DuckLakeModels.run

    def timed_execute(self: Any, *given: Any) -> Any:
        nonlocal sql_seconds
        with _timed() as took:
            result = execute(self, *given)
        sql_seconds += took()
        return result

    def timed_run(self: Any, *given: Any, **named: Any) -> None:
        nonlocal sql_seconds
        sql_seconds = 0.0
        with _timed() as took:
            run(self, *given, **named)
        steps.append((took(), sql_seconds))

    DuckDBCursorWrapper.execute = timed_execute
    DuckLakeModels.run = timed_run  # type: ignore[method-assign]
    answer = command(["transform", "bench/sales", "--skip-tests"])
    return {**answer, "steps": steps}


def newest_of_each(files: list[str], to: str) -> dict[str, Any]:
    """The limit: plain DuckDB that reads the files, keeps the newest version of each record and writes one Parquet file."""
    with _timed() as took:
        duckdb.connect().execute(
            "COPY (SELECT * FROM read_parquet($files) QUALIFY row_number() OVER (PARTITION BY id ORDER BY "
            f"_airbyte_extracted_at DESC, updated_at DESC, _airbyte_raw_id DESC) = 1) TO '{to}'",
            {"files": files},
        )
    return {"seconds": took()}


def _rival_lake(files: list[str]) -> duckdb.DuckDBPyConnection:
    """The lake of the environment's services, or one in files, with the product's extensions, secrets and attach options."""
    wiring = _wiring()
    connection = wiring.instance.connection
    catalog = wiring.settings.catalog_url
    target = f"ducklake:{catalog}.rival" if wiring.settings.catalog_is_embedded else f"ducklake:postgres:{catalog}"
    data = str(wiring.settings.data_url).rstrip("/")
    # Its tables have a schema of their own in a database of Postgres: the catalog is empty, as ours was.
    connection.execute(f"ATTACH '{target}' AS rival (DATA_PATH '{data}/', DATA_INLINING_ROW_LIMIT 0)")
    connection.execute(
        f"CREATE TABLE rival.orders AS SELECT * FROM read_parquet('{files[0]}', hive_partitioning = false) LIMIT 0"
    )
    return connection


def _wiring() -> Wiring:
    return Wiring(load_settings(os.environ, {}, Path.cwd()), os.environ)


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


@contextlib.contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    begun = time.monotonic()
    ended: list[float] = []
    try:
        yield lambda: ended[0]
    finally:
        ended.append(time.monotonic() - begun)


OPERATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    operation.__name__: operation
    for operation in (
        command,
        add_list,
        add_each,
        add_each_with_ledger,
        idle_check,
        fill_ledger,
        plan,
        transform_sql,
        newest_of_each,
    )
}

if __name__ == "__main__":
    print(json.dumps(OPERATIONS[sys.argv[1]](**json.loads(sys.argv[2]))))  # noqa: T201 - the answer
