"""What no schema says: that labels, ports, volumes and words of a closed choice mean something. Each function yields what
is wrong, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.support.labels import selects
from tests.support.manifests import Document

# Words that Kubernetes and the operators accept where the schemas allow any text.
CHOICES = {
    "action": {"Ignore", "FailJob", "FailIndex", "Count"},
    "operator": {"In", "NotIn"},
    "policyTypes": {"Ingress", "Egress"},
    "protocol": {"TCP", "UDP"},
    "conditions": {"DisruptionTarget"},
    "Secret": {"Opaque", "kubernetes.io/basic-auth"},
    "plugin": {"barman-cloud.cloudnative-pg.io"},
    "parameters": {"barmanObjectName", "serverName"},
}
API_VERSIONS = {
    "Cluster": "postgresql.cnpg.io/v1",
    "ScheduledBackup": "postgresql.cnpg.io/v1",
    "ObjectStore": "barmancloud.cnpg.io/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "ServiceMonitor": "monitoring.coreos.com/v1",
    "PodMonitor": "monitoring.coreos.com/v1",
    "Kustomization": "kustomize.toolkit.fluxcd.io/v1",
    "GitRepository": "source.toolkit.fluxcd.io/v1",
    "ImageRepository": "image.toolkit.fluxcd.io/v1",
    "ImagePolicy": "image.toolkit.fluxcd.io/v1",
    "ImageUpdateAutomation": "image.toolkit.fluxcd.io/v1",
    "Terraform": "infra.contrib.fluxcd.io/v1alpha2",
}
METADATA = {"name", "namespace", "labels", "annotations"}
DURATION = re.compile(r"(\d+(ms|s|m|h|d))+")
VERSION_RANGE = re.compile(r"((>=|<=|>|<|=|~|\^)?\d+(\.\d+){0,2}\s*)+")


def top_level_problems(document: Document) -> Iterator[str]:
    """Of what every document has: version, metadata, and beside them nothing but a spec where it is a custom resource."""
    expected = API_VERSIONS.get(document["kind"])
    if expected and document["apiVersion"] != expected:
        yield f"apiVersion {document['apiVersion']} is not {expected}"
    if expected and (unknown := set(document) - {"apiVersion", "kind", "metadata", "spec"}):
        yield f"unknown keys {sorted(unknown)}"
    if unknown := set(document["metadata"]) - METADATA:
        yield f"unknown metadata {sorted(unknown)}"


def choice_problems(document: Document) -> Iterator[str]:
    """Words that are no choice where there is one."""
    for what, word in _words(document):
        if word not in CHOICES[what]:
            yield f"{word!r} is no {what}"
    spec = document.get("spec", {})
    if document["kind"] == "ServiceMonitor":
        yield from (
            f"{one['interval']!r} is no duration"
            for one in spec["endpoints"]
            if not DURATION.fullmatch(one["interval"])
        )
    if document["kind"] == "GitRepository" and not VERSION_RANGE.fullmatch(spec["ref"].get("semver", ">=1")):
        yield f"{spec['ref']['semver']!r} is no range of versions"
    if document["kind"] == "ImagePolicy":
        yield from _image_policy_problems(spec)


def _words(document: Document) -> Iterator[tuple[str, str]]:
    spec: Any = document.get("spec", {})
    match document["kind"]:
        case "Secret":
            yield "Secret", document["type"]
        case "NetworkPolicy":
            yield from (("policyTypes", one) for one in spec["policyTypes"])
            rules = [*spec.get("ingress", ()), *spec.get("egress", ())]
            yield from (("protocol", port["protocol"]) for rule in rules for port in rule["ports"])
        case "CronJob":
            for rule in spec["jobTemplate"]["spec"].get("podFailurePolicy", {}).get("rules", ()):
                yield "action", rule["action"]
                yield from (("conditions", one["type"]) for one in rule.get("onPodConditions", ()))
                yield from (("operator", rule["onExitCodes"]["operator"]) for _ in [0] if "onExitCodes" in rule)
        case "Cluster":
            plugins = [*spec["plugins"], *(one["plugin"] for one in spec.get("externalClusters", ()))]
            yield from (("plugin", one["name"]) for one in plugins)
            yield from (("parameters", key) for one in plugins for key in one["parameters"])
        case "ScheduledBackup":
            yield "plugin", spec["pluginConfiguration"]["name"]


def _image_policy_problems(spec: Document) -> Iterator[str]:
    tags = spec.get("filterTags")
    if tags and tags["extract"].removeprefix("$") not in re.compile(tags["pattern"]).groupindex:
        yield f"extract {tags['extract']} is no group of {tags['pattern']}"


def link_problems(documents: list[Document]) -> Iterator[str]:
    """Labels that select nothing, ports that nobody has, volumes that are not there."""
    pods = {where: template for document in documents for where, template in _pods(document)}
    labels = [template["metadata"]["labels"] for template in pods.values()]
    # The operator labels the pods of a Cluster.
    labels += [{"cnpg.io/cluster": one["metadata"]["name"]} for one in documents if one["kind"] == "Cluster"]
    services = [one for one in documents if one["kind"] == "Service"]
    for where, template in pods.items():
        yield from (f"{where}: {problem}" for problem in _pod_problems(template["spec"]))
    for document in documents:
        where = f"{document['kind']}/{document['metadata']['name']}"
        for selector in _selectors(document):
            if not any(selects(selector, one) for one in labels):
                yield f"{where}: no pod is labelled {selector}"
        if document["kind"] == "ServiceMonitor":
            yield from (f"{where}: {problem}" for problem in _monitor_problems(document["spec"], services))
        if document["kind"] == "StatefulSet" and document["spec"]["serviceName"] not in _names(services):
            yield f"{where}: there is no Service {document['spec']['serviceName']}"
        if document["kind"] in {"Deployment", "StatefulSet"}:
            wanted = document["spec"]["selector"]["matchLabels"]
            if not wanted.items() <= document["spec"]["template"]["metadata"]["labels"].items():
                yield f"{where}: its selector is not met by its own pods"


def volume_references(pod: Document) -> Iterator[tuple[str, str, str | None]]:
    """Kind, name and, where single ones are mounted, key of what a pod's volumes are filled from."""
    for volume in pod.get("volumes", ()):
        if secret := volume.get("secret"):
            wanted = [item["key"] for item in secret.get("items", ())]
            yield from (("Secret", secret["secretName"], key) for key in wanted or [None])
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"], None


def _pods(document: Document) -> Iterator[tuple[str, Document]]:
    """Pod templates; the claims of a StatefulSet count as volumes."""
    spec: Any = document.get("spec", {})
    if document["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    if document["kind"] in {"CronJob", "Deployment", "StatefulSet"}:
        template = spec["template"]
        claims = [{"name": one["metadata"]["name"]} for one in spec.get("volumeClaimTemplates", ())]
        volumes = [*template["spec"].get("volumes", ()), *claims]
        policy = spec.get("podFailurePolicy", {})
        yield (
            f"{document['kind']}/{document['metadata']['name']}",
            {**template, "spec": {**template["spec"], "volumes": volumes, "podFailurePolicy": policy}},
        )


def _pod_problems(pod: Document) -> Iterator[str]:
    volumes = {volume["name"] for volume in pod["volumes"]}
    containers = {container["name"] for container in pod["containers"]}
    mounts = [mount["name"] for container in pod["containers"] for mount in container.get("volumeMounts", ())]
    yield from (f"there is no volume {name}" for name in sorted(set(mounts) - volumes))
    yield from (f"volume {name} is not mounted" for name in sorted(volumes - set(mounts)))
    for container in pod["containers"]:
        port = container.get("readinessProbe", {}).get("httpGet", {}).get("port")
        if port is not None and port not in _names(container.get("ports", ()), key=None):
            yield f"the probe's port {port} is none of the container's"
    for rule in pod["podFailurePolicy"].get("rules", ()):
        name = rule.get("onExitCodes", {}).get("containerName")
        if name is not None and name not in containers:
            yield f"podFailurePolicy: there is no container {name}"


def _selectors(document: Document) -> Iterator[dict[str, Any]]:
    """Labels by which a document chooses pods of ours; other namespaces are another's affair."""
    spec: Any = document.get("spec", {})
    if document["kind"] == "Service":
        yield {"matchLabels": spec["selector"]}
    if document["kind"] == "NetworkPolicy":
        peers = [
            peer
            for rule in [*spec.get("ingress", ()), *spec.get("egress", ())]
            for peer in rule.get("from", rule.get("to", ()))
            if "namespaceSelector" not in peer
        ]
        for choice in [spec, *peers]:
            yield choice.get("podSelector", {})


def _monitor_problems(spec: Document, services: list[Document]) -> Iterator[str]:
    wanted = spec["selector"]["matchLabels"]
    chosen = [one for one in services if wanted.items() <= one["metadata"].get("labels", {}).items()]
    if not chosen:
        yield f"no Service is labelled {wanted}"
    ports = {name for one in chosen for name in _names(one["spec"]["ports"], key=None)}
    yield from (
        f"no Service has a port {one['port']}" for one in spec["endpoints"] if chosen and one["port"] not in ports
    )


def _names(things: Any, key: str | None = "metadata") -> set[str]:
    return {(one[key] if key else one)["name"] for one in things}
