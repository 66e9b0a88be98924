"""What no schema says: the rules that our manifests keep. Each function yields what is wrong, in one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import available_timezones

from tests.support.links import choice_problems, link_problems, top_level_problems, volume_references
from tests.support.manifests import Document

# The bounds of the five fields of a cron schedule.
CRON_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
SECONDS = ("second", 0, 59)
BACKUP_FIELDS = (SECONDS, *CRON_FIELDS)
IMAGE = re.compile(r"(?P<name>[a-z0-9./-]+):(?P<tag>[A-Za-z0-9_.-]+)(@sha256:[0-9a-f]{64})?")
VERSION = re.compile(r"v?\d+\.\d+(\.\d+)?|main-\d+-[0-9a-f]{7}")
UNITS = {"": 1, "m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
EXPANSION = re.compile(r"\$\((\w+)\)")


def problems(documents: list[Document]) -> list[str]:
    """All that is wrong with these documents, each line led by kind and name."""
    found = []
    for document in documents:
        where = f"{document['kind']}/{document['metadata']['name']}"
        found += [f"{where}: {problem}" for problem in _document_problems(document)]
    return found + list(_missing_names(documents)) + list(link_problems(documents))


def _document_problems(document: Document) -> Iterator[str]:
    yield from top_level_problems(document)
    yield from choice_problems(document)
    match document["kind"]:
        case "CronJob":
            yield from _cron_job_problems(document["spec"])
        case "ScheduledBackup":
            yield from cron_problems(document["spec"]["schedule"], BACKUP_FIELDS)
        case "Cluster":
            yield from _image_problems(document["spec"]["imageName"])
            yield from _resource_problems(document["spec"]["resources"], disk=False)
    pod = pod_spec(document)
    if pod is not None:
        yield from _pod_problems(pod)


def pod_spec(document: Document) -> Document | None:
    """The pod that a CronJob, Job, Deployment or StatefulSet makes."""
    spec: Any = document.get("spec", {})
    if document["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    pod: Document | None = spec.get("template", {}).get("spec") if isinstance(spec, dict) else None
    return pod


def cron_problems(schedule: str, fields: tuple[tuple[str, int, int], ...] = CRON_FIELDS) -> Iterator[str]:
    """What is wrong with a schedule: numbers, lists, ranges and steps are known, names are not."""
    texts = schedule.split()
    if len(texts) != len(fields):
        yield f"schedule {schedule!r} has {len(texts)} fields, not {len(fields)}"
        return
    for text, (name, low, high) in zip(texts, fields, strict=True):
        for part in text.split(","):
            if not _fits(part, low, high):
                yield f"schedule {schedule!r}: {part!r} is no {name}"


def _fits(part: str, low: int, high: int) -> bool:
    found = re.fullmatch(r"(\*|\d+(-\d+)?)(/(\d+))?", part)
    if not found:
        return False
    numbers = [] if found[1] == "*" else [int(number) for number in found[1].split("-")]
    in_bounds = all(low <= number <= high for number in numbers) and numbers == sorted(numbers)
    return in_bounds and (found[4] is None or 0 < int(found[4]) <= high)


def _cron_job_problems(spec: Document) -> Iterator[str]:
    job = spec["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    yield from cron_problems(spec["schedule"])
    if spec.get("timeZone") not in available_timezones():
        yield f"timeZone {spec.get('timeZone')!r} does not exist"
    if spec.get("concurrencyPolicy") != "Forbid":
        yield "concurrencyPolicy is not Forbid"
    if spec.get("startingDeadlineSeconds", 0) < 600:
        yield "startingDeadlineSeconds is under 600: a start is missed"
    if job.get("podFailurePolicy") and pod["restartPolicy"] != "Never":
        yield f"restartPolicy {pod['restartPolicy']} beside a podFailurePolicy: it must be Never"
    if not job.get("podFailurePolicy"):
        yield "no podFailurePolicy"
    if not job.get("ttlSecondsAfterFinished"):
        yield "no ttlSecondsAfterFinished: finished Jobs stay"
    if "backoffLimit" not in job and "backoffLimitPerIndex" not in job:
        yield "no backoffLimit"
    bounds = [int(n) for n in re.findall(r"--max-seconds (\d+)", " ".join(pod["containers"][0]["args"]))]
    if not job.get("activeDeadlineSeconds") or sum(bounds) >= job["activeDeadlineSeconds"]:
        yield f"activeDeadlineSeconds is not above the {sum(bounds)} s of --max-seconds"


def _pod_problems(pod: Document) -> Iterator[str]:
    if pod.get("automountServiceAccountToken") is not False:
        yield "the pod gets a service account's token"
    if not pod.get("securityContext", {}).get("runAsNonRoot"):
        yield "may run as root"
    if pod.get("securityContext", {}).get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "no seccomp profile"
    volumes = {volume["name"]: volume for volume in pod.get("volumes", ())}
    for container in pod["containers"]:
        yield from _image_problems(container["image"])
        yield from _resource_problems(container["resources"], disk=True)
        yield from _environment_problems(container)
        expected = {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        if container.get("securityContext") != expected:
            yield f"container {container['name']} does not meet the restricted standard with a read-only root"
    limit = pod["containers"][0]["resources"]["limits"].get("ephemeral-storage", "0")
    for name, volume in volumes.items():
        if "emptyDir" in volume and not 0 < _quantity(volume["emptyDir"].get("sizeLimit", "0")) < _quantity(limit):
            yield f"volume {name} has no sizeLimit below the container's ephemeral-storage limit"


def _image_problems(image: str) -> Iterator[str]:
    found = IMAGE.fullmatch(image)
    if not found or not VERSION.fullmatch(found["tag"]):
        yield f"image {image} has no tag that is a version"


def _resource_problems(resources: Document, *, disk: bool) -> Iterator[str]:
    requests, limits = resources.get("requests", {}), resources.get("limits", {})
    for name in ("cpu", "memory", *(["ephemeral-storage"] if disk else [])):
        if name not in requests:
            yield f"no request for {name}"
        if name != "cpu" and name not in limits:
            yield f"no limit for {name}"
        elif name != "cpu" and _quantity(limits[name]) < _quantity(requests.get(name, "0")):
            yield f"the limit for {name} is below its request"
    if "cpu" in limits:
        yield "a CPU limit: a throttled run only takes longer"


def _environment_problems(container: Document) -> Iterator[str]:
    own = [item["name"] for item in container.get("env", ())]
    if len(own) != len(set(own)):
        yield "a variable is set twice"


def _missing_names(documents: list[Document]) -> Iterator[str]:
    """References to what is not there."""
    keys = {
        (document["kind"], document["metadata"].get("namespace"), document["metadata"]["name"]): set(
            document.get("data") or document.get("stringData") or {}
        )
        for document in documents
    }
    # The operator makes it, and signs the server's certificate with it.
    keys |= {
        ("Secret", space, f"{name}-ca"): {"ca.crt", "ca.key"} for kind, space, name in list(keys) if kind == "Cluster"
    }
    for document in documents:
        where = f"{document['kind']}/{document['metadata']['name']}"
        space = document["metadata"].get("namespace")
        for kind, name, key in _references(document):
            if (kind, space, name) not in keys:
                yield f"{where}: there is no {kind} {name}"
            elif key is not None and key not in keys[kind, space, name]:
                yield f"{where}: {kind} {name} has no key {key}"
        for variable in _unset_variables(document, keys):
            yield f"{where}: $({variable}) is not set"


def _references(document: Document) -> Iterator[tuple[str, str, str | None]]:
    """Kind, name and, where one is asked for, key of everything that a document refers to."""
    pod = pod_spec(document)
    if pod is not None:
        yield from _pod_references(pod)
    if find := _REFERENCES.get(document["kind"]):
        yield from find(document["spec"])


def _pod_references(pod: Document) -> Iterator[tuple[str, str, str | None]]:
    if "serviceAccountName" in pod:
        yield "ServiceAccount", pod["serviceAccountName"], None
    yield from volume_references(pod)
    for container in pod["containers"]:
        for source in container.get("envFrom", ()):
            yield "ConfigMap", source["configMapRef"]["name"], None
        for item in container.get("env", ()):
            if reference := item.get("valueFrom", {}).get("secretKeyRef"):
                yield "Secret", reference["name"], reference["key"]


def _source(spec: Document) -> tuple[str, str, str | None]:
    return "GitRepository", spec["sourceRef"]["name"], None


def _backup_stores(spec: Document) -> list[str]:
    """Where a Cluster archives to, and where a restored one comes from."""
    plugins = [*spec["plugins"], *(one["plugin"] for one in spec.get("externalClusters", ()))]
    return [plugin["parameters"]["barmanObjectName"] for plugin in plugins]


# What the spec of a custom resource refers to.
_REFERENCES: dict[str, Callable[[Document], list[tuple[str, str, str | None]]]] = {
    "Cluster": lambda spec: [
        *(("Secret", way["secret"]["name"], "password") for way in spec["bootstrap"].values()),
        *(("ObjectStore", name, None) for name in _backup_stores(spec)),
    ],
    "ScheduledBackup": lambda spec: [("Cluster", spec["cluster"]["name"], None)],
    "ObjectStore": lambda spec: [
        ("Secret", one["name"], one["key"]) for one in spec["configuration"]["s3Credentials"].values()
    ],
    "ImagePolicy": lambda spec: [("ImageRepository", spec["imageRepositoryRef"]["name"], None)],
    "ImageUpdateAutomation": lambda spec: [_source(spec)],
    "Terraform": lambda spec: [_source(spec), *((one["kind"], one["name"], None) for one in spec["varsFrom"])],
    "Kustomization": lambda spec: [
        _source(spec),
        *(("Kustomization", other["name"], None) for other in spec.get("dependsOn", ())),
    ],
}


def _unset_variables(document: Document, keys: dict[tuple[str, Any, str], set[str]]) -> Iterator[str]:
    """Kubernetes expands $(NAME) in arguments from the container's environment, and leaves what is not set."""
    pod = pod_spec(document)
    if pod is None:
        return
    is_indexed = document["kind"] == "CronJob" and (
        document["spec"]["jobTemplate"]["spec"].get("completionMode") == "Indexed"
    )
    for container in pod["containers"]:
        known = {item["name"] for item in container.get("env", ())} | (
            {"JOB_COMPLETION_INDEX"} if is_indexed else set()
        )
        for source in container.get("envFrom", ()):
            name = source["configMapRef"]["name"]
            known |= keys.get(("ConfigMap", document["metadata"].get("namespace"), name), set())
        for argument in container.get("args", ()):
            yield from (name for name in EXPANSION.findall(argument) if name not in known)


def _quantity(text: str) -> float:
    found = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text)
    assert found, text
    assert found[2] in UNITS, f"{text} has no unit that Kubernetes knows"
    return float(found[1]) * UNITS[found[2]]
