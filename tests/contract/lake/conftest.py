"""The three lakes, one each for all tests of a file, and a fresh one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from tests.contract.lake.ports import InMemory, LakeUnderTest, Real, make_project

# What dbt has parsed in one project serves for all: they are alike.
_parsed: list[Path] = []
KINDS = ("memory", "embedded", "services")


@contextmanager
def opened(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[LakeUnderTest]:
    """A lake that nobody has prepared."""
    if kind == "memory":
        yield InMemory()
        return
    make_project(folder)
    state = folder / ".lotuslake" / "temp" / "dbt"
    if _parsed:
        shutil.copytree(_parsed[0], state)
    environment = _environment(kind, folder, request)
    foreign = {name for name in os.environ if name.startswith(("LOTUSLAKE_", "AWS_", "PG"))}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    with mock.patch.dict(os.environ, kept | environment, clear=True):
        lake = Real(folder, environment)
        try:
            yield lake
        finally:
            lake.wiring.close()
            if (state / "models.json").is_file():
                _parsed.append(state)


def _environment(kind: str, folder: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    common = {"LOTUSLAKE_PROJECT_DIR": str(folder), "LOTUSLAKE_MEMORY_LIMIT": "512MiB", "LOTUSLAKE_THREADS": "2"}
    if kind == "embedded":
        (folder / ".lotuslake" / "landing").mkdir(parents=True)
        return common
    storage, postgres = request.getfixturevalue("seaweedfs"), request.getfixturevalue("postgres")
    bucket = storage.make_bucket()
    return {
        **common,
        **storage.environment(),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "LOTUSLAKE_LANDING_URL": f"s3://{bucket}/landing",
        "LOTUSLAKE_DATA_URL": f"s3://{bucket}/data",
        "LOTUSLAKE_CATALOG_URL": postgres.make_database(),
        "PGPASSWORD": postgres.password,
        "PGSSLMODE": "disable",
    }


@pytest.fixture(scope="module", params=KINDS)
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakeUnderTest]:
    """A prepared lake."""
    with opened(request.param, tmp_path_factory.mktemp("project"), request) as lake:
        lake.ledger.prepare([])
        yield lake


@pytest.fixture(params=KINDS)
def no_lake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LakeUnderTest]:
    """The ports of a lake that does not exist yet."""
    with opened(request.param, tmp_path / "project", request) as lake:
        yield lake
