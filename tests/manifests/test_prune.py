"""No slip in Git deletes data: each part is taken away once, and what Flux would then remove is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.flux import deleted_with, identity, is_kept, loses_data, pruned
from tests.support.manifests import COMPONENTS, OVERLAYS, Document, build, build_without, named

# What goes, and what stays though Git no longer has it.
GOES = {
    "seaweedfs": {"Service", "StatefulSet", "NetworkPolicy", "ConfigMap"},
    "postgres": {"NetworkPolicy", "PodMonitor"},
    "monitoring": {"Service", "Deployment", "NetworkPolicy", "ServiceMonitor", "PodMonitor", "PrometheusRule"},
}
STAYS = {"seaweedfs": set(), "postgres": {"Cluster", "ObjectStore", "ScheduledBackup"}, "monitoring": set()}


def kustomization(overlay: str, name: str) -> Document:
    """What Flux is told about a folder."""
    return named(build(f"gitops/{overlay}"), "Kustomization")[name]


@pytest.mark.parametrize(("name", "component"), COMPONENTS)
def test_without_a_component_flux_deletes_no_data(tmp_path: Path, name: str, component: str) -> None:
    before, after = build(f"overlays/{name}"), build_without(tmp_path, name, component)
    gone = pruned(before, after, kustomization(name, "lotuslake"))
    kinds = {document["kind"] for document in gone}
    assert [identity(document) for document in gone if loses_data(document)] == []
    assert kinds
    assert kinds <= GOES[component]
    left = {identity(one) for one in before} - {identity(one) for one in after} - {identity(one) for one in gone}
    assert {kind for _, kind, _, _ in left} == STAYS[component]


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize(
    ("kind", "key"),
    [("overlays", "lotuslake"), ("foundation", "lotuslake-foundation"), ("airbyte", "lotuslake-airbyte")],
)
def test_with_an_empty_folder_flux_deletes_no_data(name: str, kind: str, key: str) -> None:
    applied = build(f"gitops/airbyte/{name}" if kind == "airbyte" else f"{kind}/{name}")
    gone = pruned(applied, [], kustomization(name, key))
    assert [identity(document) for document in gone if loses_data(document)] == []
    assert bool(gone) is (kind == "overlays"), "the CronJobs go, the rest is data"
    # Not even when the foundation were pruned by mistake.
    assert all(is_kept(document) for document in applied if loses_data(document) and document["kind"] != "StatefulSet")


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_kustomization_that_is_deleted_takes_nothing_with_it(name: str) -> None:
    for one in named(build(f"gitops/{name}"), "Kustomization").values():
        applied = build(one["spec"]["path"].removeprefix("./manifests/"))
        assert deleted_with(one, applied) == []


@pytest.mark.parametrize("name", OVERLAYS)
def test_volumes_outlive_their_claims(name: str) -> None:
    """Who deletes a Cluster deletes its claims: the class keeps the volumes."""
    classes = named(build(f"foundation/{name}"), "StorageClass")
    assert {one["reclaimPolicy"] for one in classes.values()} == {"Retain"}
    documents = build(f"overlays/{name}")
    used = [
        spec["storageClass"]
        for one in named(documents, "Cluster").values()
        for key in ("storage", "walStorage")
        if (spec := one["spec"].get(key))
    ]
    used += [
        claim["spec"]["storageClassName"]
        for one in named(documents, "StatefulSet").values()
        for claim in one["spec"]["volumeClaimTemplates"]
    ]
    assert used
    assert set(used) <= set(classes)


PRUNES: Document = {"spec": {"prune": True}}


@pytest.mark.parametrize(
    ("place", "word", "stays"),
    [
        ("annotations", "disabled", True),
        ("labels", "Disabled", True),
        ("labels", "enabled", False),
        ("labels", "", False),
    ],
)
def test_data_that_nobody_keeps_is_noticed(place: str, word: str, stays: bool) -> None:
    metadata = {"name": "s", place: {"kustomize.toolkit.fluxcd.io/prune": word}}
    secret: Document = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    assert loses_data(secret)
    assert (pruned([secret], [], PRUNES) == []) is stays
    assert (deleted_with(PRUNES, [secret]) == []) is stays


def test_a_stateful_set_that_takes_its_claims_along_is_noticed() -> None:
    store: Document = named(build("overlays/dev"), "StatefulSet")["seaweedfs"]
    assert not loses_data(store)
    store["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] = "Delete"
    assert loses_data(store)
