"""A store and Postgres under one folder, started once and found again by later processes."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.services.minio import Minio
from tools.services.postgres import Postgres
from tools.services.seaweedfs import ObjectStorage
from tools.services.service import Service, ServiceError

BUCKET = "lake"
DATABASE = "lakehouse"


STORES: dict[str, type[ObjectStorage]] = {"seaweedfs": ObjectStorage, "minio": Minio}


class Stack:
    """A store and Postgres below ``folder``; without a ``store`` the one that was started there before, else SeaweedFS.

    `services.json` and `env` in it hold secrets and can be read by their owner alone. Keys, passwords and data outlive
    `down`; ports do if nobody else took them.
    """

    def __init__(self, folder: Path, store: str | None = None) -> None:
        self.folder = folder.absolute()
        present = self._store_present()
        chosen = store or present or "seaweedfs"
        if present is not None and present != chosen:
            raise ServiceError(
                f"{self.folder} holds {STORES[present].name}, not {STORES[chosen].name}: `make services-clean` removes it, or "
                "choose another folder with SERVICES_DIR"
            )
        self.storage = STORES[chosen](self.folder / chosen)
        self.postgres = Postgres(self.folder / "postgres")
        self._services: dict[str, Service] = {chosen: self.storage, "postgres": self.postgres}
        for service in self._services.values():
            service.on_start = self._write_state

    def _store_present(self) -> str | None:
        try:
            document = json.loads(self._state_file.read_text())
        except (OSError, ValueError):
            return None  # A damaged file is told by `up` and `down`.
        return next((name for name in STORES if name in document), None)

    @property
    def env_file(self) -> Path:
        """A file of `export` lines for a shell."""
        return self.folder / "env"

    def up(self) -> None:
        """Start what is not running, make the bucket and the database, write the env file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self._read_state()
            self._write_state()
            for service in self._services.values():
                _start(service)
            self._write_state()
            self.storage.make_bucket(BUCKET)
            self.postgres.make_database(DATABASE)
            _write_secret(self.env_file, self._env_text())

    def down(self) -> list[str]:
        """Stop what this folder's `up` started and nothing else; returns the names of what was running."""
        if not self._state_file.exists():
            return []
        with self._locked():
            self._read_state()
            found = [service for service in self._services.values() if service.is_running()]
            for service in found:
                service.stop()
            self.env_file.unlink(missing_ok=True)
        return [service.name for service in found]

    def clean(self) -> list[str]:
        """`down`, then remove all that `up` made; returns the names of what was running."""
        if not self._state_file.exists():
            return []
        stopped = self.down()
        for name in self._services:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for file in (self._state_file, self._lock_file):
            file.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()
        return stopped

    def environment(self) -> dict[str, str]:
        """What `lotuslake` needs to work on these services."""
        return {
            **self.storage.environment(),
            "LOTUSLAKE_LANDING_URL": f"s3://{BUCKET}/landing",
            "LOTUSLAKE_DATA_URL": f"s3://{BUCKET}/data",
            "LOTUSLAKE_CATALOG_URL": self.postgres.url(DATABASE),
            "PGPASSWORD": self.postgres.password,
        }

    def _env_text(self) -> str:
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.environment().items()]
        head = "# Written by `make services-up`. Holds secrets of these local services."
        # Left over from work on AWS, a token would be sent along with these keys; a proxy cannot reach loopback.
        rest = ["unset AWS_SESSION_TOKEN AWS_PROFILE", 'export NO_PROXY="127.0.0.1${NO_PROXY:+,$NO_PROXY}"']
        return "\n".join([head, *lines, *rest, ""])

    @property
    def _state_file(self) -> Path:
        return self.folder / "services.json"

    @property
    def _lock_file(self) -> Path:
        return self.folder / "lock"

    def _read_state(self) -> None:
        if not self._state_file.exists():
            return
        try:
            document = json.loads(self._state_file.read_text())
            for name, service in self._services.items():
                service.restore(document[name])
        except (ValueError, KeyError, TypeError):
            raise ServiceError(
                f"{self._state_file} is damaged: stop the services by hand and remove {self.folder}"
            ) from None

    def _write_state(self) -> None:
        document = {name: service.document() for name, service in self._services.items()}
        _write_secret(self._state_file, json.dumps(document, indent=1))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One `up` or `down` at a time: a second one waits."""
        with self._lock_file.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _start(service: Service) -> None:
    if service.is_running() and service.answers():
        return
    # Running but deaf: start it afresh on the same data.
    service.stop()
    if service.ports:
        try:
            service.start()
        except ServiceError:
            # Somebody else may hold a port by now.
            service.start_on_free_ports()
    else:
        service.start_on_free_ports()


def _write_secret(path: Path, text: str) -> None:
    """Write at once or not at all, for the owner alone."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
