"""The restore runbook, carried out: what docs/backup-and-restore.md tells to put into the overlay, step by step, twice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests.test_overlays import container
from tests.manifests.test_schemas import SKIPPED, validate
from tests.support.flux import is_kept
from tests.support.manifests import MANIFESTS, ROOT, Document, build, cron_jobs, kustomize, named
from tests.support.network import Network
from tests.support.pages import blocks
from tests.support.policies import problems
from tests.support.programs import BIN, find_program

PAGE = ROOT / "docs" / "backup-and-restore.md"
FIRST = "lotuslake-postgres"
PLUGIN = "barman-cloud.cloudnative-pg.io"


class Runbook:
    """A copy of the manifests, and the page's blocks by the file that each belongs to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "manifests"
        shutil.copytree(MANIFESTS, self.folder, ignore=shutil.ignore_patterns(".terraform"))
        found = [block.body for block in blocks(PAGE) if block.info == "yaml"]
        self.made, self.listed, self.settings, self.patched = (re.sub("^   ", "", b, flags=re.MULTILINE) for b in found)

    def restore(self, number: int, lost: str, *, empty: bool = False) -> list[Document]:
        """Steps 2 and 3 for the Cluster with this number; ``empty``: without any backup."""
        text = self._numbered(self.made, number)
        text = text.replace(f"serverName: {FIRST}}}", f"serverName: {lost}}}")
        document = yaml.safe_load(text)
        if empty:
            (patch,) = document["patches"]
            cluster = yaml.safe_load(patch["patch"])
            for key in ("bootstrap", "externalClusters"):
                del cluster["spec"][key]
            document["patches"] = [{"patch": yaml.safe_dump(cluster)}]
        self._write(f"overlays/prod/postgres-{number}/kustomization.yaml", document)
        self._merge("overlays/prod/kustomization.yaml", self.listed, number)
        beside = self.built()
        self._merge("overlays/prod/settings.yaml", self.settings, number)
        self._merge("overlays/prod/kustomization.yaml", self.patched, number)
        return beside

    def end(self, folder: str) -> None:
        """Step 5: the old one goes."""
        path = self.folder / "overlays" / "prod" / "kustomization.yaml"
        document = yaml.safe_load(path.read_text())
        document["resources"].remove(folder)
        path.write_text(yaml.safe_dump(document, sort_keys=False))

    def built(self) -> list[Document]:
        """The cluster's documents as they are then; the settings' last patch wins."""
        return [*build("foundation/prod"), *yaml.safe_load_all(kustomize(self.folder / "overlays" / "prod"))]

    def _numbered(self, text: str, number: int) -> str:
        return text.replace("-2", f"-{number}") if number != 2 else text

    def _write(self, name: str, document: Document) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(document, sort_keys=False))

    def _merge(self, name: str, block: str, number: int) -> None:
        document = yaml.safe_load((self.folder / name).read_text())
        for key, value in yaml.safe_load(self._numbered(block, number)).items():
            document[key] = document[key] + value if isinstance(value, list) else document[key] | value
        self._write(name, document)


@pytest.fixture
def runbook(tmp_path: Path) -> Runbook:
    return Runbook(tmp_path)


def archives(documents: list[Document]) -> dict[str, str]:
    """Where each Cluster archives to."""
    return {
        name: one["spec"]["plugins"][0]["parameters"]["serverName"] for name, one in named(documents, "Cluster").items()
    }


def check_program_is_led_to(documents: list[Document], name: str) -> None:
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    assert settings["LOTUSLAKE_CATALOG_URL"] == f"postgresql://lotuslake@{name}-rw:5432/lotuslake"
    for job in cron_jobs(documents).values():
        volumes = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
        (ca,) = [one["secret"] for one in volumes if one["name"] == "postgres-ca"]
        assert ca["secretName"] == f"{name}-ca"
        assert container(job["spec"])["args"]


def check_whole(documents: list[Document], *clusters: str) -> None:
    """The rules are kept; every Cluster is backed up, under its own name, and reached."""
    assert problems(documents) == []
    assert archives(documents) == {name: name for name in clusters}
    backups = named(documents, "ScheduledBackup")
    assert {name: one["spec"]["cluster"]["name"] for name, one in backups.items()} == {name: name for name in clusters}
    network = Network(documents)
    for name in clusters:
        labels = {"cnpg.io/cluster": name}
        assert network.allows("egress", {"app.kubernetes.io/name": "lotuslake"}, labels, 5432)
        assert network.allows("ingress", labels, {"app.kubernetes.io/name": "lotuslake"}, 5432)
        assert network.allows("egress", labels, None, 443)
        assert is_kept(named(documents, "Cluster")[name])
        if not validate(named(documents, "Cluster")[name]):
            pytest.skip(SKIPPED)


def test_two_disasters_after_one_another(runbook: Runbook) -> None:
    beside = runbook.restore(2, FIRST)
    check_whole(beside, FIRST, f"{FIRST}-2")
    check_program_is_led_to(beside, FIRST)
    check_program_is_led_to(runbook.built(), f"{FIRST}-2")
    check_whole(runbook.built(), FIRST, f"{FIRST}-2")
    runbook.end("postgres")
    check_whole(runbook.built(), f"{FIRST}-2")
    beside = runbook.restore(3, f"{FIRST}-2")
    check_whole(beside, f"{FIRST}-2", f"{FIRST}-3")
    check_program_is_led_to(beside, f"{FIRST}-2")
    runbook.end("postgres-2")
    check_whole(runbook.built(), f"{FIRST}-3")
    check_program_is_led_to(runbook.built(), f"{FIRST}-3")


@pytest.mark.parametrize(("number", "lost"), [(2, FIRST), (3, f"{FIRST}-2")])
def test_it_recovers_what_was_lost_with_the_same_owner_and_size(runbook: Runbook, number: int, lost: str) -> None:
    (before,) = named(build("overlays/prod"), "Cluster").values()
    spec: dict[str, Any] = named(runbook.restore(number, lost), "Cluster")[f"{FIRST}-{number}"]["spec"]
    assert list(spec["bootstrap"]) == ["recovery"]
    recovery, made = spec["bootstrap"]["recovery"], before["spec"]["bootstrap"]["initdb"]
    assert {key: recovery[key] for key in made} == made
    (source,) = spec["externalClusters"]
    assert (source["name"], source["plugin"]["name"]) == (recovery["source"], PLUGIN)
    assert source["plugin"]["parameters"] == {"barmanObjectName": "lotuslake-backups", "serverName": lost}
    for key in ("instances", "storage", "walStorage", "imageName"):
        assert spec[key] == before["spec"][key]


def test_without_any_backup_a_new_one_is_made_empty(runbook: Runbook) -> None:
    made = runbook.restore(2, FIRST, empty=True)
    check_whole(made, FIRST, f"{FIRST}-2")
    spec = named(made, "Cluster")[f"{FIRST}-2"]["spec"]
    assert list(spec["bootstrap"]) == ["initdb"]
    assert "externalClusters" not in spec


def test_the_old_one_is_deleted_last() -> None:
    commands = [command for block in blocks(PAGE) if block.info.startswith("console") for command in block.commands]
    (deleted,) = [at for at, command in enumerate(commands) if re.search(r"delete (scheduledbackup,)?cluster", command)]
    (ready,) = [at for at, command in enumerate(commands) if "condition=Ready" in command]
    assert ready < deleted
    text = PAGE.read_text(encoding="utf-8")
    assert text.index("Lead the program to it") < text.index("[check](#check), commit") < text.index(commands[deleted])


STATE = """apiVersion: v1
data:
  tfstate: H4sIAAAAAAAA
kind: Secret
metadata:
  creationTimestamp: "2026-11-20T08:00:00Z"
  labels:
    tfstate: "true"
  name: tfstate-default-lotuslake-airbyte
  namespace: flux-system
  resourceVersion: "17"
  uid: 0a1b
type: Opaque
"""


@pytest.fixture
def cluster_tools(tmp_path: Path) -> dict[str, str]:
    """A kubectl that shows STATE and keeps what is applied; a fresh key for sops."""
    keygen = find_program("age-keygen")
    if keygen is None:
        pytest.skip("age is not installed (make debian-tools): the state of Terraform was not kept and brought back")
    key, kubectl = tmp_path / "age.txt", tmp_path / "bin" / "kubectl"
    subprocess.run([keygen, "-o", key], check=True, capture_output=True)
    public = subprocess.run([keygen, "-y", key], check=True, capture_output=True, text=True).stdout.strip()
    text = (ROOT / ".sops.yaml").read_text(encoding="utf-8")
    (tmp_path / ".sops.yaml").write_text(re.sub(r"age: age1\w+", f"age: {public}", text))
    (tmp_path / "state").write_text(STATE)
    kubectl.parent.mkdir()
    kubectl.write_text(
        f'#!/bin/sh\ncase "$*" in *apply*) cat > {tmp_path}/applied ;; *) cat {tmp_path}/state ;; esac\n'
    )
    kubectl.chmod(0o755)
    shutil.copy(kubectl, kubectl.with_name("tfctl"))
    (tmp_path / "manifests" / "foundation" / "prod").mkdir(parents=True)
    return {
        "PATH": f"{kubectl.parent}:{BIN}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SOPS_AGE_KEY_FILE": str(key),
    }


def test_the_state_of_terraform_is_kept_encrypted_and_brought_back(
    cluster_tools: dict[str, str], tmp_path: Path
) -> None:
    (terraform,) = build("gitops/airbyte/prod")
    secret = f"tfstate-{terraform['spec'].get('workspace', 'default')}-{terraform['metadata']['name']}"
    section = [block for block in blocks(PAGE) if secret in block.body or "airbyte-state" in block.body]
    for command in [command for block in section for command in block.commands]:
        subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=tmp_path, env=cluster_tools, check=True)
    kept = (tmp_path / "manifests" / "foundation" / "prod" / "airbyte-state.enc.yaml").read_text()
    assert "H4sIAAAAAAAA" not in kept
    applied, state = yaml.safe_load((tmp_path / "applied").read_text()), yaml.safe_load(STATE)
    assert applied["data"] == state["data"]
    assert applied["metadata"] == {key: state["metadata"][key] for key in ("labels", "name", "namespace")}
