"""A lake as on the cluster: a bucket of SeaweedFS, a database of Postgres, and the program in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.leaks import leaks_below, leaks_in
from tools.services import ObjectStorage, Postgres

RUN_TIMEOUT_SECONDS = 300
BOTH_STORES = ("seaweedfs", "minio")
# What a developer's own shell may hold and a test must not see.
FOREIGN = ("AWS_", "PG", "LOTUSLAKE_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and what it told."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def envelope(self) -> dict[str, Any]:
        """What `--json` printed."""
        parsed: dict[str, Any] = json.loads(self.stdout)
        return parsed

    @property
    def messages(self) -> list[str]:
        """The log lines at warning or above, as JSON was logged."""
        documents = [json.loads(line) for line in self.stderr.splitlines()]
        return [one["message"] for one in documents if one["level"] not in {"info", "debug"}]

    def stream(self, name: str) -> dict[str, Any]:
        """One stream's part of the envelope."""
        found: dict[str, Any] = next(item for item in self.envelope["data"]["streams"] if item["stream"] == name)
        return found


@dataclass(frozen=True, slots=True)
class ClusterLake:
    """``environment`` is all that the program needs; nothing of it is in the process's own environment."""

    project: Path
    bucket: str
    database_url: str
    storage: ObjectStorage
    postgres: Postgres
    environment: dict[str, str] = field(repr=False)

    @property
    def database(self) -> str:
        """The name of the catalog's database."""
        return self.database_url.rpartition("/")[2]

    def run(self, *arguments: str, **changed: str) -> Outcome:
        """Run `lotuslake` with these arguments, with some variables changed; fails when a secret was told."""
        return run_cli(*arguments, environment=self.environment | changed, cwd=self.project)

    def start(self, *arguments: str, **changed: str) -> subprocess.Popen[str]:
        """The same, not waited for."""
        return start_cli(*arguments, environment=self.environment | changed, cwd=self.project)

    def put(self, path: str, body: bytes) -> None:
        """An object below the landing root."""
        self.storage.client().put_object(Bucket=self.bucket, Key=f"landing/{path}", Body=body)

    def objects(self, prefix: str = "") -> dict[str, str]:
        """Key → etag of the bucket's objects."""
        pages = self.storage.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", ())}

    def tables(self) -> list[str]:
        """What lies in the catalog's database."""
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        with self.postgres.admin(self.database) as connection:
            return [row[0] for row in connection.execute(query)]


def run_cli(*arguments: str, environment: Mapping[str, str], cwd: Path) -> Outcome:
    """Run `lotuslake` in a process of its own; fails when what it told holds a secret."""
    process = start_cli(*arguments, environment=environment, cwd=cwd)
    stdout, stderr = process.communicate(timeout=RUN_TIMEOUT_SECONDS)
    assert not (leaks := leaks_in(stdout + stderr)), f"lotuslake {' '.join(arguments)} told {leaks}"
    assert not (leaks := leaks_below(cwd)), f"lotuslake {' '.join(arguments)} wrote {leaks}"
    return Outcome(process.returncode, stdout, stderr)


def start_cli(*arguments: str, environment: Mapping[str, str], cwd: Path) -> subprocess.Popen[str]:
    """Start `lotuslake`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return subprocess.Popen(
        [sys.executable, "-c", "from lotuslake.cli.main import run; run()", *arguments],
        env=inherited | dict(environment),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
