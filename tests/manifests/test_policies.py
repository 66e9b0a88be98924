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


def in_kind(kind: str, change: Callable[[Document], object], name: str | None = None) -> Break:
    def broken(documents: list[Document]) -> None:
        found = named(documents, kind)
        change(found[name or next(iter(found))]["spec"])

    return broken


def in_failing(change: Callable[[Document], object]) -> Break:
    return in_job(lambda spec: change(spec["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][1]))


def in_probe(change: Callable[[Document], object]) -> Break:
    return in_kind(
        "Deployment", lambda spec: change(spec["template"]["spec"]["containers"][0]["readinessProbe"]["httpGet"])
    )


OTHER = {"app.kubernetes.io/name": "another"}


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
    "there is no Secret lotuslake-landign": in_pod(
        lambda pod: next(one for one in pod["volumes"] if one["name"] == "landing-key")["secret"].update(
            secretName="lotuslake-landign"
        )
    ),
    "has no key ca.pem": in_pod(
        lambda pod: next(one for one in pod["volumes"] if one["name"] == "postgres-ca")["secret"]["items"][0].update(
            key="ca.pem"
        )
    ),
    "$(NO_SUCH) is not set": in_container(lambda one: one["args"].append("$(NO_SUCH)")),
    "has 5 fields, not 6": in_kind("ScheduledBackup", lambda spec: spec.update(schedule="30 4 * * *")),
    "there is no Cluster": in_kind("ScheduledBackup", lambda spec: spec["cluster"].update(name="postgres")),
    "podFailurePolicy: there is no container chian": in_failing(
        lambda rule: rule["onExitCodes"].update(containerName="chian")
    ),
    "'Inn' is no operator": in_failing(lambda rule: rule["onExitCodes"].update(operator="Inn")),
    "'FailJobs' is no action": in_failing(lambda rule: rule.update(action="FailJobs")),
    "'Disruption' is no conditions": in_job(
        lambda spec: spec["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][0]["onPodConditions"][0].update(
            type="Disruption"
        )
    ),
    "there is no volume wrok": in_container(lambda one: one["volumeMounts"][0].update(name="wrok")),
    "volume work is not mounted": in_container(lambda one: one.pop("volumeMounts")),
    "'Ingres' is no policyTypes": in_kind("NetworkPolicy", lambda spec: spec.update(policyTypes=["Ingres"])),
    "'UPD' is no protocol": in_kind(
        "NetworkPolicy", lambda spec: spec["egress"][0]["ports"][0].update(protocol="UPD"), "dns"
    ),
    "no pod is labelled": in_kind(
        "NetworkPolicy", lambda spec: spec["podSelector"].update(matchLabels=OTHER), "lotuslake-to-postgres"
    ),
    "its selector is not met by its own pods": in_kind(
        "Deployment", lambda spec: spec["selector"].update(matchLabels=OTHER)
    ),
    "the probe's port htp": in_probe(lambda get: get.update(port="htp")),
    "no Service has a port htp": in_kind("ServiceMonitor", lambda spec: spec["endpoints"][0].update(port="htp")),
    "no Service is labelled": in_kind("ServiceMonitor", lambda spec: spec["selector"].update(matchLabels=OTHER)),
    "'1 minute' is no duration": in_kind(
        "ServiceMonitor", lambda spec: spec["endpoints"][0].update(interval="1 minute")
    ),
    "there is no Service seaweed": in_kind("StatefulSet", lambda spec: spec.update(serviceName="seaweed")),
    "'barman' is no plugin": in_kind("ScheduledBackup", lambda spec: spec["pluginConfiguration"].update(name="barman")),
    "'servername' is no parameters": in_kind(
        "Cluster", lambda spec: spec["plugins"][0]["parameters"].update(servername="x")
    ),
    "is no range of versions": in_kind("GitRepository", lambda spec: spec.update(ref={"semver": ">=0.1.0 <<1"})),
    "extract $rnu is no group": in_kind(
        "ImagePolicy", lambda spec: spec["filterTags"].update(extract="$rnu"), "lotuslake-dev"
    ),
    "'basic-auth' is no Secret": lambda documents: next(iter(named(documents, "Secret").values())).update(
        type="basic-auth"
    ),
    "is not postgresql.cnpg.io/v1": lambda documents: next(iter(named(documents, "Cluster").values())).update(
        apiVersion="postgresql.cnpg.oi/v1"
    ),
    "unknown keys ['sepc']": lambda documents: next(iter(named(documents, "Cluster").values())).update(sepc={}),
    "unknown metadata ['lables']": lambda documents: next(iter(named(documents, "Cluster").values()))[
        "metadata"
    ].update(lables={}),
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
