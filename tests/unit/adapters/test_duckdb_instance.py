"""Attaching a lake that another process is making at the same moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from lotuslake.adapters import duckdb_instance
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.instance_options import InstanceOptions

CREATE = (
    'Failed to initialize DuckLake: Failed to execute query "CREATE TABLE ducklake_metadata(key VARCHAR)": ERROR:  '
)


class Connection:
    """Refuses the first ATTACH, as Postgres lets the loser of the race do."""

    def __init__(self, refusal: str) -> None:
        self._refusals = [refusal]
        self.attached = 0

    def execute(self, statement: str, *_: object) -> Connection:
        if statement.startswith("ATTACH"):
            if self._refusals:
                raise duckdb.Error(self._refusals.pop())
            self.attached += 1
        return self

    def fetchone(self) -> None:
        return None


@pytest.mark.parametrize(
    "refusal",
    [
        'duplicate key value violates unique constraint "pg_type_typname_nsp_index"',
        'type "ducklake_metadata" already exists',
        'relation "ducklake_metadata" already exists',
    ],
)
def test_the_loser_of_the_race_for_an_empty_catalog_tries_again(
    refusal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb_instance, "LOCK_POLL_SECONDS", 0.0)
    options = InstanceOptions("postgresql://lake@db/lake", "s3://lake/data", 2**30, 1, tmp_path)
    instance = DuckDbInstance(options)
    connection: Any = Connection(CREATE + refusal)
    instance._connection = connection
    instance.attach(read_only=False)
    assert connection.attached == 1
