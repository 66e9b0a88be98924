"""The restore runbook: what docs/backup-and-restore.md tells to put into the overlay is what the operator understands."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests.test_schemas import SKIPPED, validate
from tests.support.manifests import MANIFESTS, ROOT, Document, build, kustomize, named
from tests.support.pages import blocks
from tests.support.policies import problems


@pytest.fixture
def restored(tmp_path: Path) -> list[Document]:
    """The prod overlay after step 2."""
    (block,) = [block for block in blocks(ROOT / "docs" / "backup-and-restore.md") if block.info == "yaml"]
    folder = tmp_path / "manifests"
    shutil.copytree(MANIFESTS, folder, ignore=shutil.ignore_patterns(".terraform"))
    path = folder / "overlays" / "prod" / "postgres.yaml"
    cluster, *others = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    cluster["spec"] |= yaml.safe_load(block.body)["spec"]
    path.write_text(yaml.safe_dump_all([cluster, *others]))
    return [*build("foundation/prod"), *yaml.safe_load_all(kustomize(folder / "overlays" / "prod"))]


def test_the_restored_cluster_keeps_every_rule(restored: list[Document]) -> None:
    assert problems(restored) == []


def test_it_reads_the_old_archive_and_writes_a_new_one(restored: list[Document]) -> None:
    spec: dict[str, Any] = named(restored, "Cluster")["lotuslake-postgres"]["spec"]
    before: dict[str, Any] = named(build("overlays/prod"), "Cluster")["lotuslake-postgres"]["spec"]
    (old,), (new,) = spec["externalClusters"], spec["plugins"]
    assert list(spec["bootstrap"]) == ["recovery"]
    assert spec["bootstrap"]["recovery"]["source"] == old["name"]
    assert old["plugin"]["parameters"] == before["plugins"][0]["parameters"]
    assert new["parameters"]["serverName"] != old["plugin"]["parameters"]["serverName"]
    recovery, made = spec["bootstrap"]["recovery"], before["bootstrap"]["initdb"]
    assert {key: recovery[key] for key in made} == made


def test_it_follows_its_schema(restored: list[Document]) -> None:
    if not validate(named(restored, "Cluster")["lotuslake-postgres"]):
        pytest.skip(SKIPPED)
