"""Lakes to measure on, and programs run on them: their wall time, their peak memory, when they logged what."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.proxy import TcpProxy
from tools.services import ObjectStorage, Postgres, running

ROOT = Path(__file__).parents[2]
OWN_PROJECT = Path(__file__).parent / "project"
# So many objects are uploaded at once.
UPLOADS = 4
FOREIGN = ("AWS_", "PG", "LOTUSLAKE_")
LOTUSLAKE = (sys.executable, "-c", "from lotuslake.cli.main import run; run()")


@dataclass(frozen=True, slots=True)
class Ran:
    """One process that has ended: seconds from its start to its end, those on a processor, its peak resident size, its log."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    stdout: str
    lines: tuple[tuple[float, str], ...]

    def answer(self) -> dict[str, Any]:
        """The JSON document on its last line of output."""
        found: dict[str, Any] = json.loads(self.stdout.splitlines()[-1])
        return found

    def batches(self) -> list[float]:
        """When each batch was committed, by the log."""
        return [at for at, line in self.lines if " rows" in line]


@dataclass(frozen=True, slots=True)
class Lake:
    """An empty project with the benchmark's streams and models; ``environment`` says where its roots are."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    bucket: str | None = None
    storage: ObjectStorage | None = None

    def having(self, **settings: str) -> Lake:
        """The same lake under other settings."""
        return replace(self, environment={**self.environment, **settings})

    def run(self, *arguments: str) -> Ran:
        """A `lotuslake` process, which must succeed."""
        return self._process((*LOTUSLAKE, *arguments, "--json", "--log-format", "json"))

    def help(self) -> Ran:
        """`lotuslake --help`."""
        return self._process((*LOTUSLAKE, "--help"))

    def inside(self, operation: str, **given: Any) -> dict[str, Any]:
        """What `tests.bench.inside` answers to an operation, in a process of its own: start-up is not in its times."""
        command = (sys.executable, "-m", "tests.bench.inside", operation, json.dumps(given))
        return self._process(command).answer()

    def land(self, folder: Path, stream: str) -> None:
        """Put the files of a folder into the landing root, as the stream's."""
        if self.storage is None:
            shutil.copytree(folder, self.folder / f".lotuslake/landing/bench/{stream}", copy_function=os.link)
            return
        client = self.storage.client()
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        todo = iter([(path, f"landing/bench/{stream}/{path.relative_to(folder)}") for path in paths])

        def upload() -> None:
            for path, key in todo:
                client.put_object(Bucket=self.bucket, Key=key, Body=path.read_bytes())

        threads = [threading.Thread(target=upload) for _ in range(UPLOADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def urls(self, folder: Path, stream: str) -> list[str]:
        """Where DuckDB reads the files that were landed."""
        root = f"s3://{self.bucket}/landing" if self.storage else str(self.folder / ".lotuslake/landing")
        paths = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        return [f"{root}/bench/{stream}/{path}" for path in paths]

    def _process(self, command: Sequence[str]) -> Ran:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return run_process(command, inherited | dict(self.environment) | {"PYTHONPATH": str(ROOT)}, self.folder)


def run_process(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Ran:
    """Run a program to its end; raises where it fails."""
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        lines = tuple((time.monotonic() - begun, line) for line in process.stderr)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
        output.seek(0)
        stdout = output.read()
    if process.returncode:
        tail = "".join(line for _, line in lines[-15:])
        raise RuntimeError(f"{' '.join(command[2:5])} ended with {process.returncode}:\n{tail}{stdout[-2000:]}")
    return Ran(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, stdout, lines)


@dataclass
class Machine:
    """Makes lakes below one folder, on services that are started when first asked for and ended with it."""

    folder: Path
    _open: ExitStack
    _services: tuple[ObjectStorage, Postgres] | None = None
    _made: int = 0
    _parsed: Path | None = None

    def embedded(self, *, parsed: bool = False) -> Lake:
        """Files and catalog in the project's folder; ``parsed``: with what dbt keeps of a project, as an image has it."""
        self._made += 1
        folder = self.folder / f"lake_{self._made}"
        shutil.copytree(OWN_PROJECT, folder)
        shutil.copytree(ROOT / "models/macros", folder / "models/macros")
        shutil.copy(ROOT / "models/dbt_project.yml", folder / "models")
        if parsed:
            shutil.copytree(self._dbt_state(), folder / ".lotuslake/temp/dbt")
        return Lake(folder, {"LOTUSLAKE_PROJECT_DIR": str(folder)})

    def _dbt_state(self) -> Path:
        if self._parsed is None:
            lake = self.embedded()
            lake.run("transform")
            self._parsed = lake.folder / ".lotuslake/temp/dbt"
        return self._parsed

    def on_postgres(self) -> Lake:
        """Files in the project's folder, catalog in a database of Postgres."""
        _, postgres = self.services()
        return self.embedded().having(
            LOTUSLAKE_CATALOG_URL=postgres.make_database(), PGPASSWORD=postgres.password, PGSSLMODE="disable"
        )

    def cluster(self) -> Lake:
        """A bucket of SeaweedFS and a database of Postgres."""
        storage, postgres = self.services()
        bucket = storage.make_bucket()
        lake = self.embedded().having(
            **storage.environment(),
            AWS_CONFIG_FILE=os.devnull,
            AWS_SHARED_CREDENTIALS_FILE=os.devnull,
            AWS_EC2_METADATA_DISABLED="true",
            LOTUSLAKE_LANDING_URL=f"s3://{bucket}/landing",
            LOTUSLAKE_DATA_URL=f"s3://{bucket}/data",
            LOTUSLAKE_CATALOG_URL=postgres.make_database(),
            PGPASSWORD=postgres.password,
            PGSSLMODE="disable",
        )
        return replace(lake, bucket=bucket, storage=storage)

    @contextmanager
    def slow(self, lake: Lake, *, store_ms: float = 0, catalog_ms: float = 0) -> Iterator[Lake]:
        """A lake with so much more time on each round trip to its store and to its catalog."""
        url = lake.environment["LOTUSLAKE_CATALOG_URL"]
        ports = [urlsplit(lake.environment["AWS_ENDPOINT_URL_S3"]).port, urlsplit(url).port]
        assert ports[0] is not None
        assert ports[1] is not None
        with (
            TcpProxy(ports[0], one_way_ms=store_ms / 2) as store,
            TcpProxy(ports[1], one_way_ms=catalog_ms / 2) as catalog,
        ):
            changed = {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{store.port}"} if store_ms else {}
            if catalog_ms:
                changed["LOTUSLAKE_CATALOG_URL"] = url.replace(f":{ports[1]}/", f":{catalog.port}/")
            yield lake.having(**changed)

    def services(self) -> tuple[ObjectStorage, Postgres]:
        """The real SeaweedFS and Postgres, with fsync."""
        if self._services is None:
            # Postgres runs as a user of its own, who must be able to enter its folder.
            place = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="lotuslake-bench-")))
            place.chmod(0o711)
            storage = self._open.enter_context(running(ObjectStorage(place / "seaweedfs")))
            self._services = storage, self._open.enter_context(running(Postgres(place / "postgres")))
        return self._services


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """A machine whose lakes and services are gone at the end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with ExitStack() as stack:
            yield Machine(folder, stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
