"""manifests/base: what `kubectl kustomize` makes of it, held against the rules for a chain that can be killed."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from lotuslake.core.errors import ExitCode

ROOT = Path(__file__).parents[2]
KUBERNETES_VERSION = "1.33"
HOUR_SECONDS = 3600
SOURCES = sorted(path.parent.name for path in (ROOT / "streams").glob("*/_source.yml"))
# What a CronJob should do on each exit code, by docs/exit-codes.md; 0 ends well, 10 never leaves the chain.
NOT_RETRIED = {ExitCode.FAILED, ExitCode.USAGE, ExitCode.FINDINGS}

pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl is not installed: manifests/base was not built and not checked"
)

Document = dict[str, Any]


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    built = subprocess.run(
        ["kubectl", "kustomize", str(ROOT / "manifests" / "base")], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return list(yaml.safe_load_all(built.stdout))


@pytest.fixture(scope="module")
def cron_jobs(documents: list[Document]) -> dict[str, Document]:
    """Source → CronJob."""
    jobs = [document for document in documents if document["kind"] == "CronJob"]
    return {job["metadata"]["labels"]["lotuslake/source"]: job for job in jobs}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def cron_job(cron_jobs: dict[str, Document], source: str) -> Document:
    assert source in cron_jobs, f"streams/{source} has no CronJob in manifests/base"
    spec: Document = cron_jobs[source]["spec"]
    return spec


@pytest.fixture
def job(cron_job: Document) -> Document:
    spec: Document = cron_job["jobTemplate"]["spec"]
    return spec


@pytest.fixture
def pod(job: Document) -> Document:
    spec: Document = job["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: Document) -> Document:
    (only,) = pod["containers"]
    assert "initContainers" not in pod
    chain: Document = only
    return chain


def option_seconds(container: Document, option: str) -> list[int]:
    return [int(found) for found in re.findall(rf"{option} (\d+)", " ".join(container["args"]))]


def test_every_document_follows_the_kubernetes_schemas(documents: list[Document]) -> None:
    assert {document["kind"] for document in documents} == {"Namespace", "ServiceAccount", "ConfigMap", "CronJob"}
    for document in documents:
        kubernetes_validate.validate(document, KUBERNETES_VERSION, strict=True)


def test_there_is_one_cron_job_per_source(cron_jobs: dict[str, Document]) -> None:
    assert sorted(cron_jobs) == SOURCES
    names = [job["metadata"]["name"] for job in cron_jobs.values()]
    assert len(set(names)) == len(names)


def test_everything_lives_in_one_restricted_namespace(documents: list[Document]) -> None:
    (namespace,) = [document for document in documents if document["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    others = [document["metadata"]["namespace"] for document in documents if document["kind"] != "Namespace"]
    assert set(others) == {namespace["metadata"]["name"]}


def test_the_chain_runs_the_three_stages_on_its_source(container: Document, source: str) -> None:
    program, selectors, *stages = container["args"]
    assert (program, selectors) == ("chain", source)
    assert [stage.split()[0] for stage in stages] == ["ingest-check", "register", "transform"]
    assert "command" not in container, "the image's entry point is tini: a command would replace it"


def test_runs_do_not_overlap_and_a_missed_start_is_made_up_for(cron_job: Document) -> None:
    assert cron_job["concurrencyPolicy"] == "Forbid"
    assert cron_job["timeZone"] == "Etc/UTC"
    assert cron_job["startingDeadlineSeconds"] >= 600


def test_the_schedule_is_hourly_and_sources_start_apart(cron_jobs: dict[str, Document], cron_job: Document) -> None:
    assert re.fullmatch(r"[0-5]?\d \* \* \* \*", cron_job["schedule"])
    schedules = [job["spec"]["schedule"] for job in cron_jobs.values()]
    assert len(set(schedules)) == len(schedules)


def test_a_run_ends_before_the_next_one_and_stops_itself_before_it_is_killed(
    job: Document, container: Document
) -> None:
    assert job["activeDeadlineSeconds"] < HOUR_SECONDS
    bounds = option_seconds(container, "--max-seconds")
    assert len(bounds) == 2, "register and transform are both bounded"
    assert sum(bounds) < job["activeDeadlineSeconds"]


def test_exit_codes_decide_what_is_tried_again(job: Document, pod: Document, container: Document) -> None:
    assert pod["restartPolicy"] == "Never", "podFailurePolicy needs it"
    assert job["backoffLimit"] == 2
    first, second = job["podFailurePolicy"]["rules"]
    assert first == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert second["action"] == "FailJob"
    assert second["onExitCodes"]["containerName"] == container["name"]
    assert second["onExitCodes"]["operator"] == "In"
    assert set(second["onExitCodes"]["values"]) == NOT_RETRIED


def test_finished_jobs_go_away(job: Document) -> None:
    assert 0 < job["ttlSecondsAfterFinished"] <= 7 * 24 * HOUR_SECONDS


def test_the_pod_meets_the_restricted_standard(pod: Document, container: Document) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_the_pod_has_no_token(documents: list[Document], pod: Document) -> None:
    accounts = [document for document in documents if document["kind"] == "ServiceAccount"]
    assert [account["metadata"]["name"] for account in accounts] == [pod["serviceAccountName"]]
    assert accounts[0]["automountServiceAccountToken"] is False
    assert pod["automountServiceAccountToken"] is False


def test_what_is_written_goes_to_a_bounded_empty_dir(pod: Document, container: Document) -> None:
    assert pod["volumes"] == [{"name": "work", "emptyDir": {"sizeLimit": "10Gi"}}]
    assert container["volumeMounts"] == [{"name": "work", "mountPath": "/work"}]
    assert container["resources"]["limits"] == {"memory": "2Gi", "ephemeral-storage": "12Gi"}


def test_settings_come_from_the_config_map_and_secrets_from_secrets(
    documents: list[Document], container: Document
) -> None:
    (settings,) = [document for document in documents if document["kind"] == "ConfigMap"]
    assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]
    secrets = {item["name"]: item["valueFrom"]["secretKeyRef"] for item in container["env"]}
    assert secrets == {
        "PGPASSWORD": {"name": "lotuslake-postgres", "key": "password"},
        "AWS_ACCESS_KEY_ID": {"name": "lotuslake-s3", "key": "access-key-id"},
        "AWS_SECRET_ACCESS_KEY": {"name": "lotuslake-s3", "key": "secret-access-key"},
    }
    assert not secrets.keys() & settings["data"].keys()


def test_every_setting_is_a_documented_one(documents: list[Document]) -> None:
    (settings,) = [document for document in documents if document["kind"] == "ConfigMap"]
    documented = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in settings["data"] if f"`{name}`" not in documented] == []


def test_landing_and_data_stay_apart(documents: list[Document]) -> None:
    (settings,) = [document for document in documents if document["kind"] == "ConfigMap"]
    landing, data = (settings["data"][f"LOTUSLAKE_{root}_URL"] + "/" for root in ("LANDING", "DATA"))
    assert not landing.startswith(data)
    assert not data.startswith(landing)
