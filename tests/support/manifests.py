"""What `kubectl kustomize` makes of the folders below manifests/, and the JSON schemas to hold it against."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"
KUBERNETES_VERSION = "1.33"
# Where the JSON schemas of the CRDs lie: `.ci/run` sets it.
CRD_SCHEMAS = "CRD_SCHEMAS"
OVERLAYS = ("dev", "prod")
# Each component of each overlay.
COMPONENTS = (("dev", "seaweedfs"), *((name, one) for name in OVERLAYS for one in ("postgres", "monitoring")))
# Every folder that somebody applies, by hand or through Flux.
TARGETS = (
    *(f"{kind}/{overlay}" for kind in ("foundation", "overlays", "gitops") for overlay in OVERLAYS),
    *(f"gitops/airbyte/{overlay}" for overlay in OVERLAYS),
)
# The two that no schema was given for: the part of it that is used here.
OWN_SCHEMAS: dict[str, dict[str, Any]] = {
    "ServiceMonitor": {
        "properties": {
            "spec": {
                "type": "object",
                "required": ["selector", "endpoints"],
                "properties": {
                    "selector": {"type": "object", "properties": {"matchLabels": {"type": "object"}}},
                    "endpoints": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "port": {"type": "string"},
                                "interval": {"type": "string"},
                                "honorLabels": {"type": "boolean"},
                            },
                        },
                    },
                },
            }
        }
    },
    "PodMonitor": {
        "properties": {
            "spec": {
                "type": "object",
                "required": ["selector", "podMetricsEndpoints"],
                "properties": {
                    "selector": {
                        "type": "object",
                        "properties": {"matchLabels": {"type": "object"}, "matchExpressions": {"type": "array"}},
                    },
                    "podTargetLabels": {"type": "array"},
                    "podMetricsEndpoints": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"port": {"type": "string"}, "interval": {"type": "string"}},
                        },
                    },
                },
            }
        }
    },
}

Document = dict[str, Any]


def kustomize(folder: Path) -> str:
    """What `kubectl kustomize` prints; a test that needs it is skipped where there is none."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: the manifests were not built and not checked")
    built = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert built.returncode == 0, f"{folder}: {built.stderr}"
    return built.stdout


@cache
def _build(target: str) -> str:
    return kustomize(MANIFESTS / target)


def build(target: str) -> list[Document]:
    """The documents of a folder, made anew for each caller."""
    return [document for document in yaml.safe_load_all(_build(target)) if document]


def overlay(name: str) -> list[Document]:
    """All that an overlay's cluster holds of ours: the foundation, the overlay, what Flux is told."""
    return [document for kind in ("foundation", "overlays", "gitops") for document in build(f"{kind}/{name}")]


def build_without(folder: Path, name: str, component: str) -> list[Document]:
    """An overlay without a component, as docs/deployment.md tells to take it out: it goes, its Cluster, and its patch."""
    told_to_go = (
        *(f"- ../../components/{component}", f"- ../../components/{component}/cluster"),
        *(f"- {component}", f"- path: {component}.yaml"),
    )

    def take_out(manifests: Path) -> None:
        path = manifests / "overlays" / name / "kustomization.yaml"
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join(line for line in lines if line.strip() not in told_to_go))

    return build_changed(folder, f"overlays/{name}", take_out)


def build_changed(folder: Path, target: str, change: Callable[[Path], None]) -> list[Document]:
    """The documents of a folder in a copy of manifests/ that was changed."""
    copied = folder / "manifests"
    shutil.copytree(MANIFESTS, copied, ignore=shutil.ignore_patterns(".terraform"))
    change(copied)
    return list(yaml.safe_load_all(kustomize(copied / target)))


def named(documents: list[Document], kind: str) -> dict[str, Document]:
    """Documents of a kind by name."""
    return {document["metadata"]["name"]: document for document in documents if document["kind"] == kind}


def cron_jobs(documents: list[Document]) -> dict[str, Document]:
    """CronJobs by name without `lotuslake-`."""
    return {name.removeprefix("lotuslake-"): job for name, job in named(documents, "CronJob").items()}


def is_core(document: Document) -> bool:
    """Whether Kubernetes itself knows the kind."""
    group = document["apiVersion"].rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def crd_schema(document: Document) -> dict[str, Any] | None:
    """The closed schema of a custom resource; None where the folder of schemas is not at hand."""
    kind, version = document["kind"], document["apiVersion"].rpartition("/")[2]
    if kind in OWN_SCHEMAS:
        return dict(_closed(OWN_SCHEMAS[kind]))
    folder = os.environ.get(CRD_SCHEMAS)
    if not folder:
        return None
    path = Path(folder) / f"{kind.lower()}_{version}.json"
    assert path.is_file(), f"{CRD_SCHEMAS} has no schema for {kind} {version}"
    schema = json.loads(path.read_text(encoding="utf-8"))
    schema["properties"] = {key: value for key, value in schema["properties"].items() if key == "spec"}
    schema["required"] = ["spec"]
    closed: dict[str, Any] = _closed(schema["properties"]["spec"])
    return {**schema, "properties": {"spec": closed}}


def _closed(schema: Any) -> Any:
    """The schema with every object that lists its properties closed to others, so that a typo is found."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and "type" in schema and not is_open:
        closed["additionalProperties"] = False
    return closed
