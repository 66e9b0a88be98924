"""NetworkPolicies, as far as ours use them: who may reach whom."""

from __future__ import annotations

from tests.support.labels import selects
from tests.support.manifests import Document, named

# The operator's label on every pod of a Cluster.
POSTGRES = {"cnpg.io/cluster": "lotuslake-postgres"}


class Network:
    """NetworkPolicies, as far as they are used here."""

    def __init__(self, documents: list[Document]) -> None:
        self.policies = [policy["spec"] for policy in named(documents, "NetworkPolicy").values()]

    def allows(self, way: str, labels: dict[str, str], other: dict[str, str] | None, port: int) -> bool:
        """Whether a pod with `labels` may be reached from (ingress) or reach (egress) `other`; None is outside."""
        side = "from" if way == "ingress" else "to"
        rules = [rule for policy in self.policies if self._selects(policy, labels) for rule in policy.get(way, ())]
        return any(
            any(entry["port"] == port for entry in rule["ports"])
            and any(self._is_peer(peer, other) for peer in rule[side])
            for rule in rules
        )

    def _selects(self, policy: Document, labels: dict[str, str]) -> bool:
        return selects(policy["podSelector"], labels)

    def _is_peer(self, peer: Document, other: dict[str, str] | None) -> bool:
        if other is None:
            return "ipBlock" in peer
        if "podSelector" not in peer or "namespaceSelector" in peer:
            return False
        return selects(peer["podSelector"], other)


def labels_of(document: Document) -> dict[str, str]:
    spec = document["spec"]["jobTemplate"]["spec"] if document["kind"] == "CronJob" else document["spec"]
    labels: dict[str, str] = spec["template"]["metadata"]["labels"]
    return labels
