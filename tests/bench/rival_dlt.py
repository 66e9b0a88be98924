"""The rival, run by the Python of its own venv: dlt's filesystem source into its DuckLake destination.

`rival_dlt.py SOURCE FOLDER rows|arrow` reads the Parquet files below SOURCE, merges them by key, and prints what is there.
"""

# mypy: ignore-errors
# dlt is installed in its own venv alone.

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import duckdb

source, folder, form = sys.argv[1:]
os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "DLT_DATA_DIR": f"{folder}/dlt"}

import dlt  # noqa: E402 - it reads its settings when it is imported
import duckdb_extension_ducklake  # noqa: E402
from dlt.destinations.impl.ducklake.configuration import DuckLakeCredentials  # noqa: E402
from dlt.sources.filesystem import filesystem, read_parquet  # noqa: E402

EXTENSION = next(Path(str(duckdb_extension_ducklake.__file__)).parent.rglob("*.duckdb_extension"))
connect = duckdb.connect


def connect_with_ducklake(*given: object, **named: object) -> duckdb.DuckDBPyConnection:
    connection = connect(*given, **named)
    connection.execute(f"LOAD '{EXTENSION}'")
    return connection


duckdb.connect = connect_with_ducklake
credentials = DuckLakeCredentials("lake", catalog=f"duckdb:///{folder}/catalog.duckdb", storage=f"{folder}/data")
pipeline = dlt.pipeline(
    "bench", destination=dlt.destinations.ducklake(credentials=credentials), dataset_name="processed"
)
records = filesystem(bucket_url=Path(source).as_uri(), file_glob="**/*.parquet") | read_parquet(
    use_pyarrow=form == "arrow"
)
records.apply_hints(write_disposition="merge", primary_key="id", columns={"updated_at": {"dedup_sort": "desc"}})
pipeline.run(records.with_name("sales"))
with pipeline.sql_client() as client:
    found = client.execute_sql("SELECT count(*), sum(round(total * 100)::BIGINT)::BIGINT FROM sales")
print(json.dumps({"n": int(found[0][0]), "total": int(found[0][1])}))  # noqa: T201 - the answer
