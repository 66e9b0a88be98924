"""Services that several test folders share."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drills.table import told as drills_told
from tests.support.cluster import ClusterLake
from tests.support.leaks import leaks_in, leaks_in_heard, listen, remember_secret
from tests.support.tally import TALLY, told
from tools.services import Minio, ObjectStorage, Postgres, running

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    """The real SeaweedFS, one for the whole run; make a bucket of your own with `make_bucket()`."""
    with running(ObjectStorage(tmp_path_factory.mktemp("seaweedfs"))) as storage:
        remember_secret("the store's secret key", storage.secret_key)
        yield storage


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Minio]:
    """MinIO's S3 code, one for the whole run."""
    with running(Minio(tmp_path_factory.mktemp("minio"))) as storage:
        remember_secret("MinIO's secret key", storage.secret_key)
        yield storage


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The real Postgres, one for the whole run; make a database of your own with `make_database()`."""
    # Not below pytest's folder, which is closed to the user whom Postgres runs as when started by root.
    with tempfile.TemporaryDirectory(prefix="lotuslake-postgres-") as folder:
        Path(folder).chmod(0o711)
        with running(Postgres(Path(folder), durable=False)) as server:
            for name, value in server.secrets().items():
                remember_secret(f"the database's {name}", value)
            yield server


@pytest.fixture
def cluster_lake(request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path) -> ClusterLake:
    """An empty bucket, an empty database, and a project folder with the repository's streams and models.

    The store is SeaweedFS, or the fixture that is named by `parametrize("cluster_lake", BOTH_STORES, indirect=True)`.
    """
    storage: ObjectStorage = request.getfixturevalue(getattr(request, "param", "seaweedfs"))
    project = tmp_path / "project"
    for folder in ("streams", "models"):
        shutil.copytree(ROOT / folder, project / folder)
    bucket, database_url = storage.make_bucket(), postgres.make_database()
    environment = {
        **storage.environment(),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "LOTUSLAKE_PROJECT_DIR": str(project),
        "LOTUSLAKE_LANDING_URL": f"s3://{bucket}/landing",
        "LOTUSLAKE_DATA_URL": f"s3://{bucket}/data",
        "LOTUSLAKE_CATALOG_URL": database_url,
        "LOTUSLAKE_MEMORY_LIMIT": "1GiB",
        "LOTUSLAKE_THREADS": "2",
        "PGPASSWORD": postgres.password,
        "PGSSLMODE": "disable",
    }
    return ClusterLake(project, bucket, database_url, storage, postgres, environment)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """No test passes that had a secret told: all that it, and every program it ran, printed or logged is searched."""
    report = yield
    told = [text for _, text in report.sections] + [report.longreprtext]
    leaks = sorted({leak for text in told for leak in leaks_in(text)} | set(leaks_in_heard()))
    if leaks:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: the output of {call.when} holds {', '.join(leaks)}"
    return report


@pytest.fixture
def s3_environment(
    seaweedfs: ObjectStorage, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> ObjectStorage:
    """SeaweedFS, with this process's environment pointing at it."""
    request.getfixturevalue("no_aws")
    for name, value in seaweedfs.environment().items():
        monkeypatch.setenv(name, value)
    return seaweedfs


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An environment that knows nothing of AWS, whatever the developer's own holds."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    empty = tmp_path_factory.mktemp("aws")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(empty / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(empty / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long-faults", action="store_true", help="the long form of tests/faults and tests/histories")
    parser.addoption("--histories-seed", help="the seed of tests/histories; without it the short form has its own")


def pytest_configure(config: pytest.Config) -> None:
    listen()
    config.addinivalue_line(
        "markers", "drill(what, comes_back, by): a row of the table of drills in docs/reliability.md"
    )
    config.addinivalue_line("markers", "long: a scene of the fault suite's long form, left out without --long-faults")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long-faults"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session: pytest.Session) -> None:
    # A worker of xdist hands its numbers to the process that tells them.
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["faults"] = dict(TALLY)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    TALLY.update(getattr(node, "workeroutput", {}).get("faults", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    passed = terminalreporter.stats.get("passed", [])
    properties = [one for report in passed if report.when == "call" for one in report.user_properties]
    for line in [*told(TALLY), *drills_told(properties)]:
        terminalreporter.write_line(line)
