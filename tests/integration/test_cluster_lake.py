"""The program on SeaweedFS and Postgres: the same lake as on a laptop, and one plain line where a service is wrong."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.cluster import BOTH_STORES, ClusterLake, Outcome, run_cli
from tests.support.leaks import remember_secret
from tests.support.s3_faults import S3Faults
from tests.support.tls import make_certificate, tls_server
from tools.services import Minio, ObjectStorage, free_ports, running

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
# No backslash: SeaweedFS makes a slash of it.
ODD_NAMES = [
    "with space.parquet",
    "quote'.parquet",
    'double".parquet',
    "100%.parquet",
    "%2B.parquet",
    "plus+.parquet",
    "star*.parquet",
    "question?.parquet",
    "[x].parquet",
    "hash#.parquet",
    "ümlaut-😀.parquet",
    "and&<xml>.parquet",
    "id=7.parquet",
    "part_0.parquet-1",
]
CHANGE = pa.struct([("field", pa.string()), ("change", pa.string()), ("reason", pa.string())])
META = pa.struct([("sync_id", pa.int64()), ("changes", pa.list_(CHANGE))])
LISTS = """
description: Lists of one account.
sync_mode: incremental
destination_sync_mode: append
primary_key: [id]
cursor_field: updated
fields:
  id: {type: string, description: The list's id}
  name: {type: string, description: Its name}
  updated: {type: string, format: date-time, description: When it last changed}
"""
MARKER = "_lotuslake_demo.json"
TABLES = (
    "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('processed', 'enriched')"
)


@pytest.fixture
def one_stream(cluster_lake: ClusterLake) -> ClusterLake:
    """A project with one stream, `shop/lists`."""
    for path in (cluster_lake.project / "streams").rglob("*.yml"):
        path.unlink()
    folder = cluster_lake.project / "streams" / "shop"
    folder.mkdir()
    (folder / "lists.yml").write_text(LISTS)
    return cluster_lake


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that no authority has signed."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def lists_file(*ids: str) -> bytes:
    """A file as Airbyte writes it."""
    milliseconds = [int(NOW.timestamp() * 1000)] * len(ids)
    columns: dict[str, Any] = {
        "_airbyte_raw_id": pa.array([f"raw-{one}" for one in ids]),
        "_airbyte_extracted_at": pa.array(milliseconds, pa.timestamp("ms", tz="UTC")),
        "_airbyte_meta": pa.array([{"sync_id": 1, "changes": []}] * len(ids), META),
        "_airbyte_generation_id": pa.array([1] * len(ids), pa.int64()),
        "id": pa.array(ids),
        "name": pa.array([f"list {one}" for one in ids]),
        "updated": pa.array([NOW] * len(ids), pa.timestamp("us", tz="UTC")),
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def rows(outcome: Outcome) -> list[Any]:
    assert outcome.exit_code == 0, outcome.stderr
    return list(outcome.envelope["data"]["rows"])


def one_line(outcome: Outcome, exit_code: int, *expected: str) -> str:
    """The single complaint, which holds what is expected and no traceback."""
    assert outcome.exit_code == exit_code, outcome.stderr
    assert len(outcome.messages) == 1, outcome.stderr
    message = outcome.messages[0]
    assert not [text for text in expected if text not in message], message
    assert "\n" not in message
    assert "Traceback" not in outcome.stderr + outcome.stdout
    return message


def test_a_check_of_a_lake_that_does_not_exist_creates_nothing(cluster_lake: ClusterLake) -> None:
    outcome = cluster_lake.run("ingest-check", "--json")
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.envelope["status"] == "success"
    assert {item["pending_files"] for item in outcome.envelope["data"]["streams"]} == {0}
    assert cluster_lake.tables() == []
    assert cluster_lake.objects() == {}


@pytest.mark.parametrize("cluster_lake", BOTH_STORES, indirect=True)
def test_keys_of_every_kind_are_registered_by_reference(one_stream: ClusterLake) -> None:
    for number, name in enumerate(ODD_NAMES):
        one_stream.put(f"shop/lists/year=2026/month=11/day=20/{name}", lists_file(str(number)))
    before = one_stream.objects("landing/")
    outcome = one_stream.run("register", "--json")
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stream("shop/lists")["registered_files"] == len(ODD_NAMES)
    ids = "SELECT id FROM landing.stg_shop__lists"
    assert sorted(int(row[0]) for row in rows(one_stream.run("query", "--json", ids))) == list(range(len(ODD_NAMES)))
    names = "SELECT DISTINCT filename FROM landing.stg_shop__lists"
    found = {row[0].rpartition("/")[2] for row in rows(one_stream.run("query", "--json", names))}
    assert found == set(ODD_NAMES)
    again = one_stream.run("register", "--full-sweep", "--json").stream("shop/lists")
    assert again["registered_files"] == 0
    assert one_stream.objects("landing/") == before


@pytest.mark.parametrize("cluster_lake", BOTH_STORES, indirect=True)
def test_more_than_a_thousand_keys_are_listed(one_stream: ClusterLake) -> None:
    folder, body = "landing/shop/lists/year=2026/month=11/day=20", lists_file("1")
    client = one_stream.storage.client()
    with ThreadPoolExecutor(8) as pool:
        for number in range(1100):
            pool.submit(client.put_object, Bucket=one_stream.bucket, Key=f"{folder}/{number:04}.parquet", Body=body)
    outcome = one_stream.run("ingest-check", "--json", "--full-sweep")
    assert outcome.stream("shop/lists")["pending_files"] == 1100


@pytest.mark.parametrize("cluster_lake", BOTH_STORES, indirect=True)
def test_other_content_under_a_known_key_takes_the_place_of_the_old(one_stream: ClusterLake) -> None:
    key = "shop/lists/year=2026/month=11/day=20/0.parquet"
    one_stream.put(key, lists_file("1"))
    assert one_stream.run("register").exit_code == 0
    one_stream.put(key, lists_file("2", "3"))
    assert one_stream.run("register").exit_code == 5, "an overwritten object is a finding until models are rebuilt"
    query = "SELECT id FROM landing.stg_shop__lists ORDER BY id"
    assert rows(one_stream.run("query", "--json", query)) == [["2"], ["3"]]


@pytest.mark.parametrize("store", [ObjectStorage, Minio])
def test_a_store_that_is_gone_and_comes_back(
    store: type[ObjectStorage], one_stream: ClusterLake, tmp_path: Path
) -> None:
    with running(store(tmp_path / "store")) as storage:
        remember_secret("the other store's secret key", storage.secret_key)
        bucket = storage.make_bucket()
        roots = {f"LOTUSLAKE_{name}_URL": f"s3://{bucket}/{name.lower()}" for name in ("LANDING", "DATA")}
        key = "landing/shop/lists/year=2026/month=11/day=20/0.parquet"
        storage.client().put_object(Bucket=bucket, Key=key, Body=lists_file("1"))
        storage.kill()
        outage = one_stream.run("register", "--json", **storage.environment(), **roots)
        assert outage.exit_code == 3, outage.stderr
        storage.start()
        after = one_stream.run("register", "--json", **storage.environment(), **roots)
        assert after.exit_code == 0, after.stderr
        assert after.stream("shop/lists")["registered_files"] == 1


@pytest.mark.parametrize("cluster_lake", BOTH_STORES, indirect=True)
def test_an_idle_check_costs_at_most_three_lists(one_stream: ClusterLake) -> None:
    for day in range(1, 29):
        one_stream.put(f"shop/lists/year=2026/month=11/day={day:02}/0.parquet", lists_file(str(day)))
    assert one_stream.run("register").exit_code == 0
    with S3Faults(one_stream.storage.endpoint) as proxy:
        outcome = one_stream.run("ingest-check", "--json", AWS_ENDPOINT_URL_S3=proxy.endpoint)
        assert outcome.stream("shop/lists")["pending_files"] == 0
        assert 1 <= proxy.count()["LIST"] <= 3
        assert set(proxy.count()) == {"LIST"}


@pytest.mark.parametrize("command", ["ingest-check", "register"])
class TestWrongSettings:
    """Each is one line that says which, with its exit code; no secret in it (`run` looks for that)."""

    def test_password(self, one_stream: ClusterLake, command: str) -> None:
        wrong = remember_secret("a wrong password", "wrong-password-0123456789")
        outcome = one_stream.run(command, PGPASSWORD=wrong)
        one_line(outcome, 2, "password", "PGPASSWORD", one_stream.database_url.rpartition("/")[0].rpartition("@")[2])

    def test_password_is_missing(self, one_stream: ClusterLake, command: str) -> None:
        one_line(one_stream.run(command, PGPASSWORD=""), 2, "PGPASSWORD")

    def test_host(self, one_stream: ClusterLake, command: str) -> None:
        url = "postgresql://lake@no-such-host.invalid:5432/lakehouse"
        one_line(one_stream.run(command, LOTUSLAKE_CATALOG_URL=url), 3, "no-such-host.invalid")

    def test_port(self, one_stream: ClusterLake, command: str) -> None:
        port = free_ports(1)[0]
        url = one_stream.postgres.url("lakehouse", port=port)
        one_line(one_stream.run(command, LOTUSLAKE_CATALOG_URL=url), 3, str(port))

    def test_database(self, one_stream: ClusterLake, command: str) -> None:
        outcome = one_stream.run(command, LOTUSLAKE_CATALOG_URL=one_stream.postgres.url("no_such_database"))
        one_line(outcome, 2, "no_such_database", "LOTUSLAKE_CATALOG_URL")

    def test_landing_bucket(self, one_stream: ClusterLake, command: str) -> None:
        outcome = one_stream.run(command, LOTUSLAKE_LANDING_URL="s3://no-such-bucket/landing")
        one_line(outcome, 2, "LOTUSLAKE_LANDING_URL", "no-such-bucket")

    def test_secret_key(self, one_stream: ClusterLake, command: str) -> None:
        wrong = remember_secret("a wrong secret key", "wrong-secret-key-0123456789")
        outcome = one_stream.run(command, AWS_SECRET_ACCESS_KEY=wrong)
        one_line(outcome, 2, "AWS_SECRET_ACCESS_KEY", one_stream.bucket)

    def test_access_key(self, one_stream: ClusterLake, command: str) -> None:
        one_line(one_stream.run(command, AWS_ACCESS_KEY_ID="unknown"), 2, "AWS_ACCESS_KEY_ID")

    def test_https_at_an_http_port(self, one_stream: ClusterLake, command: str) -> None:
        endpoint = one_stream.storage.endpoint.replace("http:", "https:")
        one_line(one_stream.run(command, AWS_ENDPOINT_URL_S3=endpoint), 3, endpoint, "TLS")

    def test_a_certificate_that_nobody_has_signed(
        self, one_stream: ClusterLake, command: str, certificate: Path
    ) -> None:
        with tls_server(certificate) as port:
            endpoint = f"https://127.0.0.1:{port}"
            outcome = one_stream.run(command, AWS_ENDPOINT_URL_S3=endpoint, AWS_MAX_ATTEMPTS="1")
        one_line(outcome, 3, endpoint, "certificate")

    @pytest.mark.parametrize("trusted", ["the system's", "another one", "one that is not there"])
    def test_a_certificate_of_postgres(
        self, one_stream: ClusterLake, command: str, certificate: Path, trusted: str, tmp_path: Path
    ) -> None:
        roots = {"the system's": "system", "another one": str(tmp_path / "stranger.pem")}
        root = roots.get(trusted, "/no/such/root.crt")
        make_certificate(tmp_path, "stranger")
        with tls_server(certificate, speaks_postgres=True) as port:
            outcome = one_stream.run(
                command,
                LOTUSLAKE_CATALOG_URL=one_stream.postgres.url("lakehouse", port=port),
                PGSSLMODE="verify-full",
                PGSSLROOTCERT=root,
            )
        one_line(outcome, 3, str(port), "certificate")

    def test_tls_that_postgres_does_not_speak(self, one_stream: ClusterLake, command: str) -> None:
        one_line(one_stream.run(command, PGSSLMODE="require"), 3, "SSL")

    def test_a_password_in_the_url(self, one_stream: ClusterLake, command: str) -> None:
        secret = remember_secret("a password in a URL", "in-the-url-0123456789")
        url = one_stream.database_url.replace("lake@", f"lake:{secret}@")
        one_line(one_stream.run(command, LOTUSLAKE_CATALOG_URL=url), 2, "LOTUSLAKE_CATALOG_URL", "PGPASSWORD")


def test_a_wrong_data_bucket(cluster_lake: ClusterLake) -> None:
    outcome = cluster_lake.run("demo", "--scale", "0.05", LOTUSLAKE_DATA_URL="s3://no-such-bucket/data")
    one_line(outcome, outcome.exit_code, "no-such-bucket")
    assert outcome.exit_code in {2, 3}


def test_another_data_root_than_the_catalog_was_made_with(one_stream: ClusterLake) -> None:
    assert one_stream.run("register").exit_code == 0
    outcome = one_stream.run("register", LOTUSLAKE_DATA_URL=f"s3://{one_stream.bucket}/elsewhere")
    one_line(outcome, 2, "LOTUSLAKE_DATA_URL", "elsewhere")


@pytest.mark.parametrize("cluster_lake", BOTH_STORES, indirect=True)
def test_the_demo_gives_what_it_gives_on_a_laptop(cluster_lake: ClusterLake, tmp_path: Path) -> None:
    outcome = cluster_lake.run("demo", "--scale", "0.1", "--json")
    assert outcome.exit_code == 0, outcome.stderr
    landing = cluster_lake.objects("landing/")
    again = cluster_lake.run("register", "--full-sweep", "--json")
    assert again.exit_code == 0, again.stderr
    assert {item["registered_files"] + item["copied_files"] for item in again.envelope["data"]["streams"]} == {0}
    twice = cluster_lake.run("demo", "--scale", "0.1", "--json")
    assert twice.exit_code == 0, twice.stderr
    assert {stage["new_files"] for stage in twice.envelope["data"]["stages"]} == {0}
    assert cluster_lake.objects("landing/") == landing

    laptop = tmp_path / "laptop"
    marker = laptop / ".lotuslake" / "landing" / MARKER
    marker.parent.mkdir(parents=True)
    # The marker holds seed, scale and time: the demo takes them up and makes the very same shop.
    found = cluster_lake.storage.client().get_object(Bucket=cluster_lake.bucket, Key=f"landing/{MARKER}")
    marker.write_bytes(found["Body"].read())
    on_laptop = run_cli("demo", "--json", environment={}, cwd=laptop)
    assert on_laptop.exit_code == 0, on_laptop.stderr
    question = digests(rows(cluster_lake.run("query", "--json", TABLES)))
    here, there = (rows(one) for one in (cluster_lake.run("query", "--json", question), ask_laptop(laptop, question)))
    assert len(here) >= 10
    assert here == there


def ask_laptop(folder: Path, question: str) -> Outcome:
    return run_cli("query", "--json", question, environment={}, cwd=folder)


def digests(tables: list[Any]) -> str:
    """For each table: its name, how many rows, and a figure that changes with any value in it."""
    parts = [
        f"SELECT '{schema}.{name}', count(*), sum(hash(t::VARCHAR)::HUGEINT)::VARCHAR FROM {schema}.{name} AS t"
        for schema, name in tables
    ]
    return " UNION ALL ".join(parts) + " ORDER BY 1"
