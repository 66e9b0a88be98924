"""The services that `make services-up` starts: found again, stopped by pid and never a stranger's, data kept."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import psutil
import psycopg
import pytest

from tests.support.leaks import leaks_in, remember_secret
from tests.support.proxy import TcpProxy, saw
from tools.services import ObjectStorage, Postgres, ServiceError, Stack, running

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the user whom Postgres runs as may enter, even when root runs the tests."""
    with tempfile.TemporaryDirectory(prefix="lotuslake-services-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def make(target: str, services: Path) -> str:
    """Run a make target and return what it printed; no secret is in it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", target, f"SERVICES_DIR={services}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def exported(services: Path) -> dict[str, str]:
    """The variables of the env file, as a shell reads them."""
    lines = [line for line in (services / "env").read_text().splitlines() if line.startswith("export ")]
    pairs = [shlex.split(line)[1].split("=", 1) for line in lines]
    return {name: value for name, value in pairs if name != "NO_PROXY"}


def pids(services: Path) -> list[int]:
    document = json.loads((services / "services.json").read_text())
    return [service["program"]["pid"] for service in document.values()]


def connect(environment: dict[str, str]) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        environment["LOTUSLAKE_CATALOG_URL"], password=environment["PGPASSWORD"], sslmode="disable", autocommit=True
    )


def test_up_down_up_clean(folder: Path) -> None:
    services = folder / "services"
    printed = make("services-up", services)
    try:
        assert f". {services}/env" in printed
        assert ((services / "env").stat().st_mode & 0o777, (services / "services.json").stat().st_mode & 0o777) == (
            0o600,
            0o600,
        )
        environment = exported(services)
        for name in ("AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
            remember_secret(f"the services' {name}", environment[name])
        assert set(environment) == {
            *("AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"),
            *("LOTUSLAKE_LANDING_URL", "LOTUSLAKE_DATA_URL", "LOTUSLAKE_CATALOG_URL", "PGPASSWORD"),
        }
        first = pids(services)
        assert all(psutil.pid_exists(pid) for pid in first)
        printed += make("services-up", services)
        assert pids(services) == first, "a second `up` starts nothing"
        with connect(environment) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")

        assert "Stopped SeaweedFS and Postgres" in make("services-down", services)
        assert not any(psutil.pid_exists(pid) for pid in first)
        assert not (services / "env").exists()
        assert "Nothing was running" in make("services-down", services)

        printed += make("services-up", services)
        assert exported(services) == environment, "the same ports and keys"
        with connect(environment) as connection:
            assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]
        assert leaks_in(printed) == []
    finally:
        make("services-clean", services)
    assert not services.exists()


def test_down_leaves_a_stranger_with_the_recorded_pid_alone(folder: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        stack = Stack(folder)
        stack.postgres.ports = [1]
        document: dict[str, dict[str, object]] = {
            name: {"ports": [1], "program": None, "secrets": secrets} for name, secrets in secrets_of(stack)
        }
        document["postgres"]["program"] = {"pid": stranger.pid, "started_at": 1.0}
        (folder / "services.json").write_text(json.dumps(document))
        assert Stack(folder).down() == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def secrets_of(stack: Stack) -> list[tuple[str, dict[str, str]]]:
    return [("seaweedfs", stack.storage.secrets()), ("postgres", stack.postgres.secrets())]


def test_clean_leaves_a_folder_alone_that_is_not_its_own(folder: Path) -> None:
    (folder / "postgres").mkdir()
    assert Stack(folder).clean() == []
    assert (folder / "postgres").exists()


def test_a_damaged_state_is_told(folder: Path) -> None:
    (folder / "services.json").write_text("{")
    with pytest.raises(ServiceError, match=r"services\.json is damaged"):
        Stack(folder).down()


def test_postgres_keeps_what_was_committed_through_a_kill(folder: Path) -> None:
    with running(Postgres(folder, durable=False)) as server:
        url, first = server.make_database(), server.pid
        environment = {"LOTUSLAKE_CATALOG_URL": url, "PGPASSWORD": server.password}
        with connect(environment) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
            server.kill()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        server.start()
        assert server.pid != first
        with connect(environment) as connection:
            assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(environment | {"PGPASSWORD": "another"})


def test_a_commit_whose_reply_is_lost_stands_and_one_that_never_came_does_not(folder: Path) -> None:
    with running(Postgres(folder, durable=False)) as server, TcpProxy(server.port) as proxy:
        name = server.make_database().rpartition("/")[2]
        through = {"LOTUSLAKE_CATALOG_URL": server.url(name, port=proxy.port), "PGPASSWORD": server.password}
        with connect(through) as connection:
            connection.execute("CREATE TABLE told (who text)")
        moments: tuple[Literal["before", "after"], ...] = ("before", "after")
        for when in moments:
            proxy.cut_when(saw(b"COMMIT"), when)
            with connect(through) as connection:
                connection.execute("BEGIN")
                connection.execute("INSERT INTO told VALUES (%s)", [when])
                with pytest.raises(psycopg.OperationalError):
                    connection.execute("COMMIT")
        with connect(through) as connection:
            assert connection.execute("SELECT who FROM told").fetchall() == [("after",)]


def test_seaweedfs_keeps_its_objects_through_a_restart(tmp_path: Path) -> None:
    with running(ObjectStorage(tmp_path)) as storage:
        bucket, endpoint = storage.make_bucket(), storage.endpoint
        storage.client().put_object(Bucket=bucket, Key="a", Body=b"kept")
        storage.stop()
        assert not storage.is_running()
        storage.start()
        assert storage.endpoint == endpoint
        assert storage.client().get_object(Bucket=bucket, Key="a")["Body"].read() == b"kept"


def test_a_service_that_cannot_start_shows_its_log(folder: Path) -> None:
    with running(Postgres(folder, durable=False)) as server:
        other = Postgres(folder / "other", durable=False)
        other.ports = server.ports
        with pytest.raises(ServiceError, match=r"(?s)Postgres did not start.*could not bind|Address already in use"):
            other.start()
        assert server.answers()


def test_a_ctrl_c_in_the_terminal_is_not_for_the_services(folder: Path) -> None:
    with running(Postgres(folder, durable=False)) as server:
        assert os.getsid(server.pid) != os.getsid(0)
