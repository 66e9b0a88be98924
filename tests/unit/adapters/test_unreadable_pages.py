"""Too little memory is no fault of a file."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lotuslake.adapters.local_store import LocalStore
from lotuslake.adapters.unreadable_pages import UnreadablePages
from lotuslake.core.errors import ConfigError
from lotuslake.core.field_types import VARCHAR

MIB = 1024**2


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """Of one file with one record, whose text has 80 MiB."""
    (tmp_path / "root").mkdir()
    pq.write_table(pa.table({"note": ["n" * 80 * MIB], "id": [1]}), tmp_path / "root" / "large.parquet")
    return LocalStore(tmp_path / "root", setting="LOTUSLAKE_LANDING_URL")


def pages(store: LocalStore, folder: Path, memory: int) -> UnreadablePages:
    instance: Any = SimpleNamespace(options=SimpleNamespace(memory_limit_bytes=memory, temp_dir=folder))
    return UnreadablePages(instance, store)


def test_a_large_value_asks_for_more_memory(store: LocalStore, tmp_path: Path) -> None:
    file = store.head("large.parquet")
    assert file is not None
    with pytest.raises(ConfigError, match=r"LOTUSLAKE_MEMORY_LIMIT grants while reading column note of large\.parquet"):
        pages(store, tmp_path, 32 * MIB).find_reason(file, [("note", VARCHAR)])
    assert pages(store, tmp_path, 1024 * MIB).find_reason(file, [("note", VARCHAR)]) is None


def test_what_another_reader_gives_up_on_too_is_damaged(store: LocalStore, tmp_path: Path) -> None:
    path = tmp_path / "root" / "large.parquet"
    body = bytearray(path.read_bytes())
    for at in range(64, 1024):
        body[at] ^= 0xFF
    path.write_bytes(body)
    file = store.head("large.parquet")
    assert file is not None
    reason = pages(store, tmp_path, 32 * MIB).find_reason(file, [("note", VARCHAR)])
    assert reason is not None
    assert "column note is damaged" in reason
