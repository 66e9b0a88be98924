"""Each key of the object store may do what docs/secrets.md says and nothing else: tried on the pod that dev runs."""

from __future__ import annotations

import json
import os
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.fault_lake import STREAM_FILE, ServiceLake, items, make_items_project, path_of
from tests.support.manifests import OVERLAYS, ROOT, build, cron_jobs, named
from tests.support.policies import UNITS
from tests.support.seaweedfs_pod import COMPONENT, IDENTITIES, Gateway, containers, seaweedfs_pod
from tools.services import Postgres
from tools.services.seaweedfs import PORT_FLAGS

# A key of each bucket that the settings name.
PLACES = {"airbyte": "landing/shop/a", "lakehouse": "data/a", "lakehouse-backups": "base/a"}
VERSIONED = {"airbyte", "lakehouse-backups"}
PROFILES = {"LOTUSLAKE_LANDING_PROFILE": "landing", "LOTUSLAKE_DATA_PROFILE": "data"}


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with seaweedfs_pod(tmp_path_factory.mktemp("pod")) as gateway:
        for bucket, key in PLACES.items():
            gateway.client().put_object(Bucket=bucket, Key=key, Body=b"before")
        yield gateway


def is_allowed(call: Callable[[], Any]) -> bool:
    """Whether a request is carried out; one that fails for another reason than rights fails the test."""
    try:
        return not call().get("Errors")
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDenied", "403"}:
            return False
        raise


def rights(pod: Gateway, identity: str, bucket: str) -> set[str]:
    """What a key can do in a bucket, by trying it."""
    client, key = pod.client_as(identity), PLACES[bucket]
    version = pod.client().put_object(Bucket=bucket, Key=key, Body=b"x").get("VersionId", "null")
    calls: dict[str, Callable[[], Any]] = {
        "list": lambda: client.list_objects_v2(Bucket=bucket, Prefix=key[:4]),
        "read": lambda: client.get_object(Bucket=bucket, Key=key),
        "write": lambda: client.put_object(Bucket=bucket, Key=key, Body=b"y"),
        "write in parts": lambda: client.create_multipart_upload(Bucket=bucket, Key=f"{key}/many"),
        "delete": lambda: client.delete_object(Bucket=bucket, Key=key),
        "delete many": lambda: client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]}),
        "delete a version": lambda: client.delete_object(Bucket=bucket, Key=key, VersionId=version),
        "configure": lambda: client.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}
        ),
        "set rules": lambda: client.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": []}
        ),
        "set policies": lambda: client.put_bucket_policy(Bucket=bucket, Policy='{"Statement": []}'),
        "delete the bucket": lambda: client.delete_bucket(Bucket=bucket),
    }
    return {name for name, call in calls.items() if is_allowed(call)}


def documented() -> dict[str, dict[str, set[str]]]:
    """The table of docs/secrets.md: identity → bucket → rights."""
    text = (ROOT / "docs" / "secrets.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `lotuslake-[\w-]+` \| `([\w-]+)/[\w/]*` \| ([\w, ]+) \|", text, re.MULTILINE)
    assert len(rows) == len(IDENTITIES) - 1
    meaning = {"read": {"list", "read"}, "write": {"write", "write in parts"}, "delete": {"delete", "delete many"}}
    return {name: {bucket: set().union(*(meaning[w] for w in words.split(", ")))} for name, bucket, words in rows}


@pytest.mark.parametrize("identity", IDENTITIES[1:])
def test_a_key_may_do_what_is_documented_and_nothing_else(pod: Gateway, identity: str) -> None:
    expected = documented()[identity]
    assert {bucket: rights(pod, identity, bucket) for bucket in PLACES} == {
        bucket: expected.get(bucket, set()) for bucket in PLACES
    }


@pytest.mark.parametrize(
    ("identity", "bucket"), [("landing", "airbyte"), ("retention", "airbyte"), ("airbyte", "airbyte")]
)
def test_outside_of_its_root_a_key_may_nothing(pod: Gateway, identity: str, bucket: str) -> None:
    pod.client().put_object(Bucket=bucket, Key="other/a", Body=b"x")
    client = pod.client_as(identity)
    assert not is_allowed(lambda: client.get_object(Bucket=bucket, Key="other/a"))
    assert not is_allowed(lambda: client.put_object(Bucket=bucket, Key="other/b", Body=b"y"))
    assert not is_allowed(lambda: client.delete_object(Bucket=bucket, Key="other/a"))


@pytest.mark.parametrize(
    ("identity", "bucket"), [("retention", "airbyte"), ("airbyte", "airbyte"), ("backups", "lakehouse-backups")]
)
def test_what_a_key_deletes_or_writes_over_can_be_had_back(pod: Gateway, identity: str, bucket: str) -> None:
    admin, client, key = pod.client(), pod.client_as(identity), f"{PLACES[bucket]}/{identity}"
    admin.put_object(Bucket=bucket, Key=key, Body=b"precious")
    if identity != "retention":
        client.put_object(Bucket=bucket, Key=key, Body=b"junk")
    client.delete_object(Bucket=bucket, Key=key)
    versions = admin.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    bodies = [admin.get_object(Bucket=bucket, Key=key, VersionId=one["VersionId"])["Body"].read() for one in versions]
    assert b"precious" in bodies


def test_the_store_takes_the_rule_that_ends_deleted_versions(pod: Gateway) -> None:
    rule = json.loads((COMPONENT / "lifecycle.json").read_text())
    for bucket in VERSIONED:
        pod.client().put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rule)
        (found,) = pod.client().get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert found["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_who_has_no_key_is_refused(pod: Gateway) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for way in ({"method": "GET"}, {"method": "PUT", "data": b"x"}):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            direct.open(urllib.request.Request(f"{pod.endpoint}/airbyte/landing/x", **way), timeout=10)


def reaches(address: str, port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(2)
        return client.connect_ex((address, port)) == 0


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="127.0.0.2 is this machine on Linux alone")
def test_filer_and_volumes_cannot_be_reached_from_outside_of_the_pod(pod: Gateway) -> None:
    """They take anybody's writes. 127.0.0.2 leads to what listens on every address, not to what listens on 127.0.0.1."""
    ports = dict(zip(PORT_FLAGS, pod.store.ports, strict=True))
    assert reaches("127.0.0.1", ports["filer.port"])
    assert [flag for flag, port in ports.items() if reaches("127.0.0.2", port)] == []
    assert reaches("127.0.0.2", pod.ports[0]), "the gateway is for others"


def test_the_volumes_fit_the_claim() -> None:
    arguments = dict(one.lstrip("-").partition("=")[::2] for one in containers()["store"]["args"])
    (claim,) = named(build("overlays/dev"), "StatefulSet")["seaweedfs"]["spec"]["volumeClaimTemplates"]
    size = int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi")) * UNITS["Gi"]
    volumes = int(arguments["master.volumeSizeLimitMB"]) * UNITS["Mi"] * int(arguments["volume.max"])
    assert 0.7 * size <= volumes <= 0.85 * size, "room for vacuuming, the filer and the journal"


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_key_that_deletes_landing_is_mounted_by_maintain_alone(name: str) -> None:
    used: dict[str, set[str]] = {}
    for task, job in cron_jobs(build(f"overlays/{name}")).items():
        for volume in job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]:
            if "secret" in volume:
                used.setdefault(volume["secret"]["secretName"], set()).add(task)
    every = set(cron_jobs(build(f"overlays/{name}")))
    assert used["lotuslake-retention"] == {"maintain"}
    assert used["lotuslake-landing"] == every - {"maintain"}
    assert used["lotuslake-data"] == every
    assert not used.keys() & {"lotuslake-backups", "lotuslake-airbyte", "lotuslake-seaweedfs"}


def test_the_policies_are_those_of_the_buckets_that_the_settings_name() -> None:
    settings = named(build("overlays/prod"), "ConfigMap")["lotuslake-settings"]["data"]
    (backups,) = named(build("overlays/prod"), "ObjectStore").values()
    roots = {
        "landing": settings["LOTUSLAKE_LANDING_URL"],
        "retention": settings["LOTUSLAKE_LANDING_URL"],
        "airbyte": settings["LOTUSLAKE_LANDING_URL"],
        # All of it: a lake that is begun anew has a fresh prefix there.
        "data": settings["LOTUSLAKE_DATA_URL"].rpartition("/")[0],
        "backups": backups["spec"]["configuration"]["destinationPath"].rstrip("/"),
    }
    assert {path.stem for path in (COMPONENT / "policies").iterdir()} == set(roots)
    for name, root in roots.items():
        policy = json.loads((COMPONENT / "policies" / f"{name}.json").read_text())
        resources = [one for statement in policy["Statement"] for one in statement["Resource"]]
        bucket, _, path = root.removeprefix("s3://").partition("/")
        assert resources == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/{f'{path}/' if path else ''}*"]


RETAINED = STREAM_FILE + "retention_days: 30\nmax_shrink: 1.0\n"


def test_the_whole_program_works_with_these_keys(pod: Gateway, postgres: Postgres, tmp_path: Path) -> None:
    """From landing that it may only read, versioned, into the data bucket; retention asks for maintain's own key."""
    make_items_project(tmp_path / "project", RETAINED)
    lake = ServiceLake(tmp_path / "project", storage=pod, postgres=postgres)
    lake.bucket = "airbyte"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del lake.environment[name]
    lake.environment |= {
        **PROFILES,
        "LOTUSLAKE_LANDING_URL": "s3://airbyte/landing",
        "LOTUSLAKE_DATA_URL": "s3://lakehouse/data",
        "AWS_SHARED_CREDENTIALS_FILE": profile(tmp_path, pod, "landing"),
        "AWS_CONFIG_FILE": profile(tmp_path, pod, "data"),
    }
    settings = named(build("overlays/dev"), "ConfigMap")["lotuslake-settings"]["data"]
    for name in (*PROFILES, "LOTUSLAKE_LANDING_URL", "LOTUSLAKE_DATA_URL"):
        assert settings[name] == lake.environment[name]
    for number in range(3):
        lake.put(path_of(f"{number}"), items(10 * number, 4))
    lake.put(path_of("0"), items(0, 4, 2))
    old = lake.put(path_of("old", days_ago=90), items(100, 2))
    lake.settle()
    lake.run("backfill", "shop/items", "--reregister")
    before = lake.raw()
    assert f"landing/{old}" in before
    refused = lake.run("maintain", expect=(2, 3))
    assert lake.raw() == before, refused.stderr
    lake.run("maintain", AWS_SHARED_CREDENTIALS_FILE=profile(tmp_path, pod, "retention"))
    assert before.keys() - lake.raw().keys() == {f"landing/{old}"}
    # "Without any backup" of docs/backup-and-restore.md: an empty database, a fresh prefix, the same keys.
    rows = "SELECT * FROM processed.int_shop__items ORDER BY id"
    kept = [row for row in lake.rows(rows) if row[0] < 100]
    lake.url = postgres.make_database()
    lake.environment |= {"LOTUSLAKE_CATALOG_URL": lake.url, "LOTUSLAKE_DATA_URL": "s3://lakehouse/data-2"}
    lake.settle()
    assert lake.rows(rows) == kept


def profile(folder: Path, pod: Gateway, name: str) -> str:
    """A Secret's file, as it is mounted."""
    path = folder / f"{name}.profile"
    path.write_text(pod.store.keys.profile(name))
    return os.fspath(path)
