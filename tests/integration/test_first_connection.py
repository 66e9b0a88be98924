"""The program in a pod whose network comes late: it waits for its first connections, and for nothing else."""

from __future__ import annotations

import shutil
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from lotuslake.core.errors import ExitCode
from tests.support.cluster import ClusterLake
from tools.services import free_ports

PATIENCE = {"LOTUSLAKE_CONNECT_SECONDS": "40", "LOTUSLAKE_LOG_FORMAT": "text"}


class Way(socketserver.ThreadingTCPServer):
    """A port that leads to another."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, target: int) -> None:
        self.target = target
        super().__init__(("127.0.0.1", port), Line)


class Line(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Way)
        with socket.create_connection(("127.0.0.1", self.server.target)) as onward:
            back = threading.Thread(target=pipe, args=(onward, self.request), daemon=True)
            back.start()
            pipe(self.request, onward)
            back.join()


def pipe(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def way(port: int, target: int) -> Iterator[None]:
    with Way(port, target) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def lake(cluster_lake: ClusterLake) -> ClusterLake:
    """One source is enough."""
    shutil.rmtree(cluster_lake.project / "streams" / "klaviyo")
    return cluster_lake


def catalog_at(lake: ClusterLake, port: int) -> dict[str, str]:
    return {"LOTUSLAKE_CATALOG_URL": lake.postgres.url(lake.database, port=port)}


@pytest.mark.parametrize("late", ["Postgres", "the object store"])
def test_what_comes_late_is_waited_for(lake: ClusterLake, late: str) -> None:
    """The way is opened once the program has said that it waits."""
    (port,) = free_ports(1)
    target = lake.postgres.port if late == "Postgres" else lake.storage.ports[0]
    changed = catalog_at(lake, port) if late == "Postgres" else {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}"}
    process = lake.start("ingest-check", **PATIENCE, **changed)
    assert process.stderr is not None
    told = process.stderr.readline()
    with way(port, target):
        _, rest = process.communicate(timeout=60)
    assert told == f"{late}: 127.0.0.1:{port} refuses connections: waiting, 0 of 40 s\n"
    assert process.returncode == 0, rest


@pytest.mark.parametrize(("patience", "waits"), [({}, False), ({"LOTUSLAKE_CONNECT_SECONDS": "2"}, True)])
def test_what_stays_away_ends_as_ever(lake: ClusterLake, patience: dict[str, str], waits: bool) -> None:
    (port,) = free_ports(1)
    done = lake.run("ingest-check", LOTUSLAKE_LOG_FORMAT="text", **patience, **catalog_at(lake, port))
    assert done.exit_code == ExitCode.UNREACHABLE
    assert "Connection refused" in done.stderr.splitlines()[-1]
    assert ("waiting" in done.stderr) is waits


@pytest.mark.parametrize(
    "wrong", [{"PGPASSWORD": "no such password"}, {"AWS_ACCESS_KEY_ID": "nobody"}], ids=["Postgres", "the store"]
)
def test_refused_credentials_are_not_waited_for(lake: ClusterLake, wrong: dict[str, str]) -> None:
    done = lake.run("register", **PATIENCE, **wrong)
    assert done.exit_code == ExitCode.USAGE, done.stderr
    assert "waiting" not in done.stderr
