"""A lake whose making was stopped halfway is made to its end by the next program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest

from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.cli.wiring import Wiring
from lotuslake.config.settings import load_settings
from tests.support.fault_lake import EmbeddedLake, items, path_of


class StoppedError(Exception):
    """The program was stopped."""


@pytest.mark.parametrize("commits", [0, 1, 2, 3, 4])
def test_a_lake_made_in_part_is_taken_up(
    embedded_lake: EmbeddedLake, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    left = iter(range(commits))
    transaction = DuckDbInstance.transaction

    @contextmanager
    def stopping(instance: DuckDbInstance) -> Iterator[duckdb.DuckDBPyConnection]:
        if next(left, None) is None:
            raise StoppedError
        with transaction(instance) as connection:
            yield connection

    environ = {"LOTUSLAKE_PROJECT_DIR": str(embedded_lake.root), "LOTUSLAKE_MEMORY_LIMIT": "512MiB"}
    wiring = Wiring(load_settings(environ, {}, embedded_lake.root), environ)
    with monkeypatch.context() as patched:
        patched.setattr(DuckDbInstance, "transaction", stopping)
        if commits < 4:
            with pytest.raises(StoppedError):
                wiring.ledger.prepare([])
        else:
            wiring.ledger.prepare([])
    wiring.close()
    embedded_lake.put(path_of("a"), items(0, 3))
    embedded_lake.run("register", expect=(0,))
    embedded_lake.check_landing()
    assert embedded_lake.rows(
        "SELECT value FROM lakehouse.options() WHERE option_name = 'data_inlining_row_limit' AND scope = 'SCHEMA'"
    ) == [("1000",)]
