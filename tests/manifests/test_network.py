"""Ways through the network: what each overlay's NetworkPolicies let pass, and nothing else."""

from urllib.parse import urlsplit

import pytest

from tests.manifests.test_overlays import container
from tests.support.labels import selects
from tests.support.manifests import OVERLAYS, Document, build, cron_jobs, named
from tests.support.network import POSTGRES, Network, labels_of


@pytest.fixture(params=OVERLAYS)
def documents(request: pytest.FixtureRequest) -> list[Document]:
    return build(f"overlays/{request.param}")


def test_nothing_passes_unless_it_is_named(documents: list[Document]) -> None:
    policy = named(documents, "NetworkPolicy")["default-deny"]["spec"]
    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_every_job_reaches_what_its_settings_name_and_nothing_else(documents: list[Document]) -> None:
    network = Network(documents)
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    inside = "." not in (urlsplit(settings["AWS_ENDPOINT_URL_S3"]).hostname or "")
    gateway = labels_of(named(documents, "Deployment")["lotuslake-pushgateway"])
    store = labels_of(named(documents, "StatefulSet")["seaweedfs"]) if inside else None
    for name, job in cron_jobs(documents).items():
        labels = labels_of(job)
        assert network.allows("egress", labels, POSTGRES, 5432)
        assert network.allows("ingress", POSTGRES, labels, 5432)
        assert network.allows("egress", labels, store, 8333 if inside else 443), name
        if store is not None:
            assert network.allows("ingress", store, labels, 8333)
        assert network.allows("egress", labels, None, 443) is not inside
        assert not network.allows("egress", labels, None, 80)
        for way, one, other in (("egress", labels, gateway), ("ingress", gateway, labels)):
            assert network.allows(way, one, other, 9091) is (name == "status")


def test_what_leaves_the_cluster_leaves_by_either_kind_of_address(documents: list[Document]) -> None:
    """IPv6 as IPv4; and the store stands in one list, by which program and backups both go."""
    lists = [rule["to"] for p in named(documents, "NetworkPolicy").values() for rule in p["spec"].get("egress", ())]
    outside = [{peer["ipBlock"]["cidr"] for peer in peers if "ipBlock" in peer} for peers in lists]
    assert [cidrs for cidrs in outside if cidrs and cidrs != {"0.0.0.0/0", "::/0"}] == []
    alone = Network([named(documents, "NetworkPolicy")["to-store"]])
    settings = named(documents, "ConfigMap")["lotuslake-settings"]["data"]
    store = urlsplit(settings["AWS_ENDPOINT_URL_S3"])
    other = None if "." in (store.hostname or "") else {"app.kubernetes.io/name": "seaweedfs"}
    for labels in ({"app.kubernetes.io/name": "lotuslake"}, POSTGRES):
        assert alone.allows("egress", labels, other, store.port or 443)
    for name in ("seaweedfs", "lotuslake-pushgateway"):
        assert not alone.allows("egress", {"app.kubernetes.io/name": name}, other, store.port or 443)


def test_the_refresh_alone_reaches_airbyte(documents: list[Document]) -> None:
    ways = [
        (policy["spec"]["podSelector"]["matchLabels"], [port["port"] for port in rule["ports"]])
        for policy in named(documents, "NetworkPolicy").values()
        for rule in policy["spec"].get("egress", ())
        for peer in rule["to"]
        if peer.get("namespaceSelector", {}).get("matchLabels") == {"kubernetes.io/metadata.name": "airbyte"}
    ]
    given = {item["name"]: item.get("value") for item in container(cron_jobs(documents)["refresh"]["spec"])["env"]}
    url = urlsplit(str(given["AIRBYTE_API_URL"]))
    assert ways == [({"lotuslake/task": "refresh"}, [url.port])]
    assert str(url.hostname).endswith(".airbyte")
    assert labels_of(cron_jobs(documents)["refresh"])["lotuslake/task"] == "refresh"


def test_prometheus_reaches_every_instance_of_postgres(documents: list[Document]) -> None:
    (monitor,) = named(documents, "PodMonitor").values()
    assert selects(monitor["spec"]["selector"], {"cnpg.io/cluster": "lotuslake-postgres-7"})
    # CloudNativePG's container port `metrics` is 9187: pkg/specs/podmonitor.go, docs/src/monitoring.md.
    assert [one["port"] for one in monitor["spec"]["podMetricsEndpoints"]] == ["metrics"]
    (rule,) = named(documents, "NetworkPolicy")["lotuslake-postgres-metrics"]["spec"]["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    assert rule["ports"] == [{"protocol": "TCP", "port": 9187}]
    assert selects(named(documents, "NetworkPolicy")["lotuslake-postgres-metrics"]["spec"]["podSelector"], POSTGRES)
