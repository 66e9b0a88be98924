from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lotuslake.config.streams import load_streams
from lotuslake.core.stream import Stream
from lotuslake.demo import Shop, build_shop

PROJECT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def shop() -> Shop:
    return build_shop(seed=7, scale=0.2, now=NOW)


@pytest.fixture(scope="session")
def streams() -> tuple[Stream, ...]:
    return load_streams(PROJECT).all
