"""What no schema says: tests/support/policies.py holds the rules; each is broken once here, and must be noticed."""

from collections.abc import Callable

import pytest

from tests.support.manifests import OVERLAYS, Document, cron_jobs, named, overlay
from tests.support.policies import BACKUP_FIELDS, cron_problems, problems


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_keeps_the_rules(name: str) -> None:
    assert problems(overlay(name)) == []


Break = Callable[[list[Document]], object]


def in_job(change: Callable[[Document], object]) -> Break:
    return lambda documents: change(cron_jobs(documents)["shopify"]["spec"])


def in_pod(change: Callable[[Document], object]) -> Break:
    return in_job(lambda spec: change(spec["jobTemplate"]["spec"]["template"]["spec"]))


def in_container(change: Callable[[Document], object]) -> Break:
    return in_pod(lambda pod: change(pod["containers"][0]))


def in_kind(kind: str, change: Callable[[Document], object]) -> Break:
    return lambda documents: change(next(iter(named(documents, kind).values()))["spec"])


BROKEN: dict[str, Break] = {
    "it must be Never": in_pod(lambda pod: pod.update(restartPolicy="OnFailure")),
    "'61' is no minute": in_job(lambda spec: spec.update(schedule="61 * * * *")),
    "has 6 fields, not 5": in_job(lambda spec: spec.update(schedule="0 5 * * * *")),
    "timeZone 'Europe/Atlantis' does not exist": in_job(lambda spec: spec.update(timeZone="Europe/Atlantis")),
    "a start is missed": in_job(lambda spec: spec.update(startingDeadlineSeconds=10)),
    "concurrencyPolicy is not Forbid": in_job(lambda spec: spec.update(concurrencyPolicy="Allow")),
    "activeDeadlineSeconds is not above": in_job(
        lambda spec: spec["jobTemplate"]["spec"].update(activeDeadlineSeconds=2000)
    ),
    "finished Jobs stay": in_job(lambda spec: spec["jobTemplate"]["spec"].pop("ttlSecondsAfterFinished")),
    "no podFailurePolicy": in_job(lambda spec: spec["jobTemplate"]["spec"].pop("podFailurePolicy")),
    "no limit for memory": in_container(lambda one: one["resources"]["limits"].pop("memory")),
    "a CPU limit": in_container(lambda one: one["resources"]["limits"].update(cpu="1")),
    "below its request": in_container(lambda one: one["resources"]["limits"].update(memory="1Gi")),
    "has no tag that is a version": in_container(lambda one: one.update(image="ghcr.io/lotus-lake/lotuslake:latest")),
    "does not meet the restricted standard": in_container(
        lambda one: one["securityContext"].update(readOnlyRootFilesystem=False)
    ),
    "the pod gets a service account's token": in_pod(lambda pod: pod.pop("automountServiceAccountToken")),
    "no sizeLimit below": in_pod(lambda pod: pod["volumes"][0]["emptyDir"].update(sizeLimit="20Gi")),
    "there is no ServiceAccount": in_pod(lambda pod: pod.update(serviceAccountName="lotuslakes")),
    "there is no ConfigMap": in_container(lambda one: one["envFrom"][0]["configMapRef"].update(name="settings")),
    "has no key passwort": in_container(
        lambda one: one["env"][0]["valueFrom"]["secretKeyRef"].update(name="lotuslake-postgres", key="passwort")
    ),
    "$(NO_SUCH) is not set": in_container(lambda one: one["args"].append("$(NO_SUCH)")),
    "has 5 fields, not 6": in_kind("ScheduledBackup", lambda spec: spec.update(schedule="30 4 * * *")),
    "there is no Cluster": in_kind("ScheduledBackup", lambda spec: spec["cluster"].update(name="postgres")),
    "there is no GitRepository": in_kind("ImageUpdateAutomation", lambda spec: spec["sourceRef"].update(name="main")),
}


@pytest.mark.parametrize("expected", BROKEN)
def test_a_broken_rule_is_noticed(expected: str) -> None:
    documents = overlay("dev")
    BROKEN[expected](documents)
    assert [problem for problem in problems(documents) if expected in problem], problems(documents)


@pytest.mark.parametrize("schedule", ["5 * * * *", "*/15 0-6 1,15 * 1-5", "0 0 31 2 *"])
def test_schedules_that_are_right(schedule: str) -> None:
    assert list(cron_problems(schedule)) == []
    assert list(cron_problems(f"0 {schedule}", BACKUP_FIELDS)) == []


@pytest.mark.parametrize("schedule", ["5 * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "*/0 * * * *", "6-2 * * * *"])
def test_schedules_that_are_wrong(schedule: str) -> None:
    assert list(cron_problems(schedule))
