"""What Flux would do with what it finds in Git, by the rules of kustomize-controller's docs/spec/v1/kustomizations.md."""

from __future__ import annotations

from tests.support.manifests import Document

PRUNE = "kustomize.toolkit.fluxcd.io/prune"
# With them something goes that Git does not hold: rows, objects, keys, volumes, the state of what was made at Airbyte.
HOLDS_DATA = {"Cluster", "ObjectStore", "ScheduledBackup", "PersistentVolumeClaim", "Secret", "Namespace", "Terraform"}


def identity(document: Document) -> tuple[str, str, str, str]:
    """An entry of Flux's inventory: group, kind, namespace, name. A new apiVersion is no new object."""
    metadata = document["metadata"]
    group = document["apiVersion"].rpartition("/")[0]
    return group, document["kind"], metadata.get("namespace", ""), metadata["name"]


def pruned(before: list[Document], after: list[Document], kustomization: Document) -> list[Document]:
    """What Flux deletes when Git no longer gives ``before`` but ``after`` ("Prune": in either of both ways to disable it)."""
    if not kustomization["spec"]["prune"]:
        return []
    stays = {identity(document) for document in after}
    return [document for document in before if identity(document) not in stays and not is_kept(document)]


def deleted_with(kustomization: Document, applied: list[Document]) -> list[Document]:
    """What goes when the Kustomization object itself is deleted ("Deletion policy")."""
    spec = kustomization["spec"]
    policy = spec.get("deletionPolicy", "MirrorPrune")
    if policy == "Orphan" or (policy == "MirrorPrune" and not spec["prune"]):
        return []
    return [document for document in applied if not is_kept(document)]


def is_kept(document: Document) -> bool:
    """Whether garbage collection passes it by; the controller compares the word without case."""
    metadata = document["metadata"]
    words = (metadata.get(place, {}).get(PRUNE, "") for place in ("annotations", "labels"))
    return any(word.lower() == "disabled" for word in words)


def loses_data(document: Document) -> bool:
    """Whether with its deletion something goes that cannot be had back from Git."""
    if document["kind"] == "StatefulSet":
        claims = document["spec"].get("volumeClaimTemplates", ())
        policy = document["spec"].get("persistentVolumeClaimRetentionPolicy", {})
        return bool(claims) and policy != {"whenDeleted": "Retain", "whenScaled": "Retain"}
    return document["kind"] in HOLDS_DATA
