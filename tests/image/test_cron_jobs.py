"""Every rendered CronJob, run for real: its container's exact command and environment on the image's content, against
SeaweedFS and Postgres. Exit codes are those that its podFailurePolicy expects.

Of the environment, only host and port of the services are put in place, and TLS to Postgres is left out. The tests of
this file build on each other: one lake, from nothing to a bad file.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from psycopg import sql

from lotuslake.config.streams import load_streams
from lotuslake.demo import DeliveryName, Shop, build_shop, write_files
from tests.support.image import Image, exit_code, make_work
from tests.support.leaks import leaks_in, remember_secret
from tests.support.manifests import OVERLAYS, ROOT, Document, build, cron_jobs, named
from tools.services import ObjectStorage, Postgres, free_ports

SOURCES = ("shopify", "klaviyo")
JOBS = (*SOURCES, "sweep", "maintain", "backfill", "status")
CHAINS = (*SOURCES, "sweep")
DONE, UNREACHABLE, FINDINGS, TERMINATED = 0, 3, 5, 143
FAIL = "FailJob"
# Where the Secrets of the store's keys are mounted; tests/manifests/test_keys.py tries the keys themselves.
MOUNTED = "/etc/lotuslake"
PATIENCE_SECONDS = 120
RUN_SECONDS = 600


@pytest.fixture(scope="module")
def rendered() -> dict[str, Document]:
    return cron_jobs(build("overlays/dev"))


class Gateway(ThreadingHTTPServer):
    """A Pushgateway that keeps the last push."""

    pushed: tuple[str, str] = ("", "")


class Push(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        assert isinstance(self.server, Gateway)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.pushed = (self.path, body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with Gateway(("127.0.0.1", 0), Push) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@dataclass
class Cluster:
    """What a cluster would give the containers of the dev overlay."""

    image: Image
    works: Path
    jobs: dict[str, Document]
    settings: dict[str, str]
    secrets: dict[tuple[str, str], str] = field(repr=False)
    # What is MOUNTED in a pod.
    mounted: Path
    bucket: str = "airbyte"

    def environment(self, name: str, **changed: str) -> dict[str, str]:
        """The container's: envFrom, then env, as Kubernetes does."""
        values = dict(self.settings)
        for item in self._container(name).get("env", ()):
            reference = item.get("valueFrom", {}).get("secretKeyRef")
            values[item["name"]] = self.secrets[reference["name"], reference["key"]] if reference else item["value"]
        return {key: value.replace(MOUNTED, str(self.mounted)) for key, value in values.items()} | changed

    def command(self, name: str, environment: dict[str, str]) -> list[str]:
        """The container's args, with $(NAME) expanded."""
        command = []
        for argument in self._container(name)["args"]:
            text = argument
            for variable, value in environment.items():
                text = text.replace(f"$({variable})", value)
            command.append(text)
        return command

    def start(self, name: str, **changed: str) -> Any:
        environment = self.environment(name, **changed)
        work = make_work(self.works / f"{name}-{time.monotonic_ns()}")
        return self.image.start(self.command(name, environment), environment, work)

    def run(self, name: str, **changed: str) -> tuple[int, str]:
        """Exit code and what was told; fails when a secret was."""
        process = self.start(name, **changed)
        stdout, stderr = process.communicate(timeout=RUN_SECONDS)
        assert not leaks_in(stdout + stderr)
        assert "Traceback" not in stderr
        return exit_code(process), stdout + stderr

    def stop(self, name: str, seen: str, **changed: str) -> tuple[int, str]:
        """The same with SIGTERM as soon as a line of the log has `seen`."""
        process = self.start(name, **changed)
        told = ""
        for line in process.stderr:
            told += line
            if seen in line:
                process.send_signal(signal.SIGTERM)
                break
        stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
        assert seen in told, told
        assert not leaks_in(told + stdout + stderr)
        assert "Traceback" not in stderr
        return exit_code(process), told + stdout + stderr

    def answer(self, name: str, code: int) -> str:
        """What the Job does on this exit code of its container: an action of podFailurePolicy, or Count."""
        for rule in self.jobs[name]["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]:
            if code in rule.get("onExitCodes", {}).get("values", ()):
                return str(rule["action"])
        return "Complete" if code == 0 else "Count"

    def run_job(self, name: str) -> list[tuple[int, str]]:
        """Of each pod of a Job: as many at once as it lets."""
        job = self.jobs[name]["spec"]["jobTemplate"]["spec"]
        if job.get("completionMode") != "Indexed":
            return [self.run(name)]
        with ThreadPoolExecutor(job["parallelism"]) as pods:
            return list(
                pods.map(lambda index: self.run(name, JOB_COMPLETION_INDEX=str(index)), range(job["completions"]))
            )

    def _container(self, name: str) -> Document:
        spec: Document = self.jobs[name]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
        return spec


@pytest.fixture(scope="module")
def cluster(
    image: Image,
    works: Path,
    rendered: dict[str, Document],
    seaweedfs: ObjectStorage,
    postgres: Postgres,
    gateway: Gateway,
) -> Cluster:
    settings = dict(named(build("overlays/dev"), "ConfigMap")["lotuslake-settings"]["data"])
    catalog = urlsplit(settings["LOTUSLAKE_CATALOG_URL"])
    role, database = str(catalog.username), catalog.path.strip("/")
    password = remember_secret("the cluster's password", os.urandom(16).hex())
    with postgres.admin() as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
        )
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(role))
        )
    for bucket in ("airbyte", "lakehouse"):
        seaweedfs.make_bucket(bucket)
    settings["LOTUSLAKE_CATALOG_URL"] = f"postgresql://{role}@127.0.0.1:{postgres.port}/{database}"
    settings["AWS_ENDPOINT_URL_S3"] = seaweedfs.endpoint
    settings["PUSHGATEWAY_URL"] = f"http://127.0.0.1:{gateway.server_address[1]}"
    settings["PGSSLMODE"] = "disable"
    # tests/unit/test_first_connection.py waits.
    settings["LOTUSLAKE_CONNECT_SECONDS"] = "1"
    secrets = {
        ("lotuslake-postgres", "password"): password,
    }
    mounted = works / "mounted"
    for file, head in (("landing/credentials", "[landing]"), ("data/config", "[profile data]")):
        path = mounted / file
        path.parent.mkdir(parents=True)
        pair = f"aws_access_key_id = {seaweedfs.access_key}\naws_secret_access_key = {seaweedfs.secret_key}\n"
        path.write_text(f"{head}\n{pair}")
    return Cluster(image, works, rendered, settings, secrets, mounted)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return build_shop(1, 0.05, datetime.now(UTC))


def test_every_overlay_runs_the_same_commands() -> None:
    """What is shown here on dev holds for the others: they differ in addresses, image tag and bounds alone."""
    first, *others = (
        {name: container(job) for name, job in cron_jobs(build(f"overlays/{o}")).items()} for o in OVERLAYS
    )
    # The refresh asks Airbyte: tests/manifests/test_overlays.py looks at it, tests/functional at what it runs.
    assert set(first) == {*JOBS, "refresh"}
    assert all(other == first for other in others)


def container(job: Document) -> dict[str, Any]:
    only = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    return {key: only.get(key) for key in ("args", "command", "env", "envFrom")}


@pytest.mark.parametrize("name", JOBS)
def test_1_on_a_fresh_lake(cluster: Cluster, name: str) -> None:
    code, told = cluster.run(name, JOB_COMPLETION_INDEX="0")
    assert code == DONE, told
    assert cluster.answer(name, code) == "Complete"


def test_2_new_files_with_sigterm_midway(cluster: Cluster, seaweedfs: ObjectStorage, shop: Shop) -> None:
    """A chain ends 143, which is tried again; the second try brings what one clean run would have."""
    put(seaweedfs, cluster.bucket, shop, "history")
    for name in SOURCES:
        stop_and_try_again(cluster, name, '"action": "register"')
    orders, sales = count(cluster, "landing.stg_shopify__orders", "enriched.fct_sales")
    assert orders == len(shop.delivered("shopify/orders", "history"))
    assert sales > 100
    put(seaweedfs, cluster.bucket, shop, "increment")
    stop_and_try_again(cluster, "sweep", '"action": "register"')
    streams = ("shopify/orders", "klaviyo/events")
    landed = count(cluster, *(f"landing.stg_{stream.replace('/', '__')}" for stream in streams))
    assert landed == [len(shop.delivered(stream)) for stream in streams]


def stop_and_try_again(cluster: Cluster, name: str, seen: str) -> None:
    code, told = cluster.stop(name, seen)
    assert code == TERMINATED, told
    assert cluster.answer(name, code) == "Count"
    code, told = cluster.run(name)
    assert code == DONE, told


def test_3_nothing_new(cluster: Cluster, gateway: Gateway) -> None:
    """A shard of the backfill that is stopped is tried again, and the pods of its Job publish what was there before."""
    before = count(cluster, "processed.int_shopify__orders")
    code, told = cluster.stop("backfill", '"action": "backfill"', JOB_COMPLETION_INDEX="0")
    # On so small a lake the line may be the shard's last.
    assert code in {TERMINATED, DONE}, told
    for name in JOBS:
        for code, told in cluster.run_job(name):
            assert code == DONE, told
    assert count(cluster, "processed.int_shopify__orders") == before
    path, body = gateway.pushed
    assert path == "/metrics/job/lotuslake"
    assert 'lotuslake_model_entries_behind{model="int_shopify__orders"} 0' in body
    assert "lotuslake_rebuild_entries_left{" not in body
    assert "lotuslake_stream_newest_file_timestamp_seconds{" in body


def test_4_a_bad_file(cluster: Cluster, seaweedfs: ObjectStorage, gateway: Gateway) -> None:
    """A finding: its neighbours go in, the Job fails at once, and a person is told, by upkeep as well. Status only tells."""
    day = datetime.now(UTC)
    for stream in ("shopify/orders", "klaviyo/lists"):
        key = f"landing/{stream}/year={day:%Y}/month={day:%m}/day={day:%d}/99_0.parquet"
        seaweedfs.client().put_object(Bucket=cluster.bucket, Key=key, Body=b"PAR1 no parquet PAR1")
    for name in CHAINS:
        code, told = cluster.run(name)
        assert code == FINDINGS, told
        assert cluster.answer(name, code) == FAIL
    code, told = cluster.run("backfill", JOB_COMPLETION_INDEX="0")
    assert code == FINDINGS, told
    assert cluster.answer("backfill", code) == "FailIndex"
    for name, expected in (("maintain", FINDINGS), ("status", DONE)):
        code, told = cluster.run(name)
        assert code == expected, told
    assert 'lotuslake_open_findings{stream="shopify/orders",kind="quarantined"} 1' in gateway.pushed[1]


@pytest.mark.parametrize("name", JOBS)
def test_5_postgres_is_down(cluster: Cluster, name: str) -> None:
    nobody = f"postgresql://lotuslake@127.0.0.1:{free_ports(1)[0]}/lotuslake"
    code, told = cluster.run(name, LOTUSLAKE_CATALOG_URL=nobody, JOB_COMPLETION_INDEX="0")
    assert code == UNREACHABLE, told
    assert cluster.answer(name, code) == "Count"


def test_6_the_pushgateway_is_down(cluster: Cluster) -> None:
    code, told = cluster.run("status", PUSHGATEWAY_URL=f"http://127.0.0.1:{free_ports(1)[0]}")
    assert code == UNREACHABLE, told


@pytest.mark.parametrize("name", JOBS)
def test_7_sigterm_at_the_start(cluster: Cluster, name: str) -> None:
    process = cluster.start(name, JOB_COMPLETION_INDEX="0")
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    # What ends within the grace period has simply ended.
    expected = {TERMINATED} if name in CHAINS else {TERMINATED, DONE, FINDINGS}
    assert exit_code(process) in expected, told
    assert cluster.answer(name, TERMINATED) == "Count"


def put(storage: ObjectStorage, bucket: str, shop: Shop, delivery: DeliveryName) -> None:
    client = storage.client()
    for file in write_files(shop, load_streams(ROOT).all, delivery):
        client.put_object(Bucket=bucket, Key=f"landing/{file.path}", Body=file.body)


def count(cluster: Cluster, *tables: str) -> list[int]:
    """The rows of each table, by one run of the program."""
    environment = cluster.environment("shopify")
    work = make_work(cluster.works / f"query-{time.monotonic_ns()}")
    asked = "SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    found = cluster.image.run(["lotuslake", "query", asked, "--json"], environment, work)
    (row,) = json.loads(found.stdout)["data"]["rows"]
    return [int(cell) for cell in row]
