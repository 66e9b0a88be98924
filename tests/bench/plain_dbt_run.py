"""`dbt run` as a person would start it, with the extension from its wheel instead of a download: PROJECT STATE."""

from __future__ import annotations

import sys

import duckdb
from dbt.cli.main import dbtRunner

from lotuslake.adapters.duckdb_opening import extension_path

project, state = sys.argv[1:]
connect = duckdb.connect


def connect_with_ducklake(*given: object, **named: object) -> duckdb.DuckDBPyConnection:
    connection = connect(*given, **named)  # type: ignore[arg-type]
    connection.execute(f"LOAD '{extension_path('ducklake')}'")
    return connection


duckdb.connect = connect_with_ducklake
options = ["--project-dir", project, "--profiles-dir", project, "--target-path", f"{state}/target"]
result = dbtRunner().invoke(["run", *options, "--log-path", f"{state}/logs", "--no-version-check"])
sys.exit(0 if result.success else 1)
