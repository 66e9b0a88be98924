"""Every document that is applied follows the schema of its kind, to the letter."""

from collections.abc import Callable
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from tests.support.manifests import (
    CRD_SCHEMAS,
    KUBERNETES_VERSION,
    TARGETS,
    Document,
    build,
    crd_schema,
    is_core,
    named,
)

SKIPPED = f"{CRD_SCHEMAS} names no folder of JSON schemas: custom resources were NOT checked against theirs"


def validate(document: Document) -> bool:
    """False where there is no schema to hold the document against."""
    # SOPS puts its own key beside data; Flux takes it away.
    document = {key: value for key, value in document.items() if key != "sops"}
    if is_core(document):
        kubernetes_validate.validate(document, KUBERNETES_VERSION, strict=True)
        return True
    schema = crd_schema(document)
    if schema is not None:
        jsonschema.Draft202012Validator(schema).validate(document)
    return schema is not None


@pytest.mark.parametrize("target", TARGETS)
def test_every_document_follows_its_schema(target: str) -> None:
    unchecked = [document["kind"] for document in build(target) if not validate(document)]
    if unchecked:
        pytest.skip(f"{SKIPPED}: {', '.join(sorted(set(unchecked)))}")


def plant(kind: str, *path: str | int, typo: str) -> Callable[[list[Document]], Document]:
    """The first document of a kind, with one key below `path` renamed or added."""

    def planted(documents: list[Document]) -> Document:
        document = next(iter(named(documents, kind).values()))
        place: Any = document
        *parents, last = path
        for step in parents:
            place = place[step]
        place[typo] = place.pop(last)
        return document

    return planted


POD = ("spec", "jobTemplate", "spec", "template", "spec")
TYPOS = {
    "CronJob schedule": ("overlays/dev", plant("CronJob", "spec", "schedule", typo="shedule")),
    "CronJob timeZone": ("overlays/dev", plant("CronJob", "spec", "timeZone", typo="timezone")),
    "pod securityContext": ("overlays/dev", plant("CronJob", *POD, "securityContext", typo="securitycontext")),
    "container envFrom": ("overlays/prod", plant("CronJob", *POD, "containers", 0, "envFrom", typo="envfrom")),
    "NetworkPolicy podSelector": ("overlays/dev", plant("NetworkPolicy", "spec", "podSelector", typo="podSelectors")),
    "StatefulSet serviceName": ("overlays/dev", plant("StatefulSet", "spec", "serviceName", typo="servicename")),
    "Cluster plugin": (
        "overlays/prod",
        plant("Cluster", "spec", "plugins", 0, "isWALArchiver", typo="isWalArchiver"),
    ),
    "Cluster owner": ("overlays/prod", plant("Cluster", "spec", "bootstrap", "initdb", "owner", typo="user")),
    "ObjectStore": (
        "overlays/prod",
        plant("ObjectStore", "spec", "configuration", "s3Credentials", "accessKeyId", typo="accessKeyID"),
    ),
    "ScheduledBackup": ("overlays/dev", plant("ScheduledBackup", "spec", "schedule", typo="cron")),
    "PrometheusRule": ("overlays/dev", plant("PrometheusRule", "spec", "groups", 0, "rules", 0, "expr", typo="exp")),
    "Flux Kustomization": ("gitops/prod", plant("Kustomization", "spec", "dependsOn", typo="dependOn")),
    "GitRepository": ("gitops/dev", plant("GitRepository", "spec", "ref", "branch", typo="brunch")),
    "ImagePolicy": ("gitops/dev", plant("ImagePolicy", "spec", "policy", "numerical", typo="numeric")),
    "Terraform": ("gitops/airbyte/dev", plant("Terraform", "spec", "approvePlan", typo="approveplan")),
    "ServiceMonitor": ("overlays/dev", plant("ServiceMonitor", "spec", "endpoints", typo="endpoint")),
}


@pytest.mark.parametrize("name", TYPOS)
def test_a_typo_is_caught(name: str) -> None:
    target, planted = TYPOS[name]
    document = planted(build(target))
    if not is_core(document) and crd_schema(document) is None:
        pytest.skip(SKIPPED)
    with pytest.raises((kubernetes_validate.ValidationError, jsonschema.ValidationError)):
        validate(document)
