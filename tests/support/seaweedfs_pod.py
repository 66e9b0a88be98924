"""The pod of manifests/components/seaweedfs on this machine: its containers' own arguments, with other ports and folders."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.leaks import remember_secret
from tests.support.manifests import MANIFESTS, Document, build, named
from tests.support.programs import BIN
from tools.services import ObjectStorage, running
from tools.services.seaweedfs import PORT_FLAGS

COMPONENT = MANIFESTS / "components" / "seaweedfs"
KEYS_FOLDER = "/etc/seaweedfs/keys"
POLICIES_FOLDER = "/etc/seaweedfs/policies"
# Every identity of Secret lotuslake-seaweedfs; the first has all rights and is given to no pod.
IDENTITIES = ("admin", "landing", "retention", "data", "backups", "airbyte")


def containers() -> dict[str, Document]:
    """The pod's containers by name, as rendered for dev."""
    pod = named(build("overlays/dev"), "StatefulSet")["seaweedfs"]["spec"]["template"]["spec"]
    return {one["name"]: one for one in pod["containers"]}


def example_of(secret: str) -> dict[str, str]:
    """The values of a Secret of secrets.example.yaml: empty, or a file with empty places."""
    text = (MANIFESTS / "foundation" / "secrets.example.yaml").read_text(encoding="utf-8")
    values: dict[str, str] = named(list(yaml.safe_load_all(text)), "Secret")[secret]["stringData"]
    return values


class Keys:
    """A pair for each identity, and the files that the Secrets hold, filled in as docs/secrets.md says."""

    def __init__(self) -> None:
        self.pairs = {name: (f"{name}{secrets.token_hex(6)}", secrets.token_hex(20)) for name in IDENTITIES}
        for name, (_, secret) in self.pairs.items():
            remember_secret(f"the store's secret key of {name}", secret)

    def identities(self) -> str:
        """`s3.json` of Secret lotuslake-seaweedfs."""
        document = json.loads(example_of("lotuslake-seaweedfs")["s3.json"])
        assert tuple(one["name"] for one in document["identities"]) == IDENTITIES
        for one in document["identities"]:
            access, secret = self.pairs[one["name"]]
            one["credentials"] = [{"accessKey": access, "secretKey": secret}]
        return json.dumps(document)

    def profile(self, name: str) -> str:
        """The profile file of Secret `lotuslake-{name}`."""
        access, secret = self.pairs[name]
        (text,) = example_of(f"lotuslake-{name}").values()
        return text.replace("_id =", f"_id = {access}").replace("access_key =", f"access_key = {secret}")


class Store(ObjectStorage):
    """The container `store`, its postStart included."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        super().__init__(folder)
        self.access_key, self.secret_key = keys.pairs["admin"]
        self.keys = keys

    def prepare(self) -> None:
        super().prepare()
        (self.folder / "s3.json").write_text(self.keys.identities())

    def command(self) -> list[str]:
        """The manifest's arguments, with the ports of PORT_FLAGS in place of its own."""
        ports = [f"-{flag}={port}" for flag, port in zip(PORT_FLAGS, self.ports, strict=True)]
        own = [one for one in containers()["store"]["args"] if one.partition("=")[0].lstrip("-") not in PORT_FLAGS]
        placed = [one.replace("/data", str(self.folder / "data")).replace(KEYS_FOLDER, str(self.folder)) for one in own]
        return [str(BIN / "weed"), *placed, *ports]

    def own_environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return clean | {"HOME": str(self.folder), "PATH": f"{BIN}:{clean['PATH']}"}

    def address(self, part: str) -> str:
        """Of the master or the filer, with its gRPC port, which is 10000 above in the pod."""
        port = self.ports[PORT_FLAGS.index(f"{part}.port")]
        return f"127.0.0.1:{port}.{self.ports[PORT_FLAGS.index(f'{part}.port.grpc')]}"

    def post_start(self) -> None:
        """As the kubelet does, before it starts the next container."""
        command = containers()["store"]["lifecycle"]["postStart"]["exec"]["command"]
        script, policies = f"{POLICIES_FOLDER}/buckets.sh", POLICIES_FOLDER
        here = {
            script: str(COMPONENT / "buckets.sh"),
            policies: str(COMPONENT / "policies"),
            "127.0.0.1:9333": self.address("master"),
            "127.0.0.1:8888": self.address("filer"),
        }
        subprocess.run([here.get(word, word) for word in command], env=self.own_environment(), check=True, timeout=90)


class Gateway(ObjectStorage):
    """The container `gateway`: the endpoint that Service seaweedfs leads to."""

    port_count = 2

    def __init__(self, folder: Path, store: Store) -> None:
        super().__init__(folder)
        self.access_key, self.secret_key = store.keys.pairs["admin"]
        self.store = store

    @property
    def master(self) -> str:
        return self.store.master

    def prepare(self) -> None:
        """Nothing: its files are the store's."""

    def command(self) -> list[str]:
        """The manifest's arguments, on free ports."""
        here = {"-filer": self.store.address("filer"), "-port": str(self.ports[0])}
        words = [one.partition("=") for one in containers()["gateway"]["args"]]
        placed = [f"{flag}{sign}{here.get(flag, value)}" for flag, sign, value in words]
        placed = [one.replace(KEYS_FOLDER, str(self.store.folder)) for one in placed]
        return [str(BIN / "weed"), *placed, f"-port.grpc={self.ports[1]}"]

    def own_environment(self) -> dict[str, str]:
        return self.store.own_environment()

    def client_as(self, identity: str) -> Any:
        """An S3 client with one key of the cluster."""
        from botocore.config import Config
        from botocore.session import Session

        access, secret = self.store.keys.pairs[identity]
        return Session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}, proxies={}, retries={"total_max_attempts": 1}),
        )


@contextmanager
def seaweedfs_pod(folder: Path) -> Iterator[Gateway]:
    """The pod, ready, with keys of its own."""
    for name in ("store", "gateway"):
        (folder / name).mkdir(parents=True)
    with running(Store(folder / "store", Keys())) as store:
        store.post_start()
        with running(Gateway(folder / "gateway", store)) as gateway:
            yield gateway
