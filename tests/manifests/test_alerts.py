"""The alerts, by promtool; and that they speak of metrics which the program has."""

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from lotuslake.core.lake_state import (
    CommandState,
    LakeState,
    ModelState,
    RebuildState,
    StreamState,
    render_metrics,
)
from tests.support.manifests import ROOT, build, named
from tests.support.programs import find_program

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
STATE = LakeState(
    streams=(StreamState("shopify/orders", 3, 120, 4096, NOW, 7, 86400), StreamState('odd/"na\\me"')),
    models=(ModelState("int_shopify__orders", "shopify/orders", 4, NOW), ModelState("fct_sales", None, None, None)),
    rebuilds=(RebuildState("int_shopify__orders_shard_1", 2, 7, NOW),),
    commands=(CommandState("register", 5, NOW),),
    findings=(("shopify/orders", "quarantined", 2),),
    snapshots=9,
    oldest_snapshot_at=NOW,
)
PROMTOOL = find_program("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (make debian-tools): alerts were not run"
)


# promtool's file of each PrometheusRule.
TESTS = {"lotuslake": "alerts_test.yaml", "lotuslake-postgres": "alerts_postgres_test.yaml"}
# Metrics of others that the alerts speak of, and who has them.
FOREIGN = {
    # kube-state-metrics, docs/metrics/workload: of Jobs and of CronJobs
    *("kube_job_failed", "kube_cronjob_created", "kube_cronjob_spec_suspend"),
    "kube_cronjob_status_last_successful_time",
    # cloudnative-pg, config/manager/default-monitoring.yaml and docs/src/monitoring.md
    *("cnpg_pg_stat_archiver_last_failed_time", "cnpg_pg_stat_archiver_last_archived_time", "cnpg_collector_up"),
    *("cnpg_pg_replication_lag", "cnpg_pg_replication_in_recovery", "cnpg_pg_replication_is_wal_receiver_up"),
    # plugin-barman-cloud, web/docs/observability.md
    "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
    # the kubelet, pkg/kubelet/metrics/collectors/volume_stats.go
    *("kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"),
}


def rules_by_name() -> dict[str, dict[str, Any]]:
    return {name: one["spec"] for name, one in named(build("overlays/prod"), "PrometheusRule").items()}


@pytest.fixture
def rules() -> dict[str, Any]:
    """All of them as one."""
    return {"groups": [group for one in rules_by_name().values() for group in one["groups"]]}


def promtool(*arguments: str, cwd: Path, given: str | None = None) -> None:
    assert PROMTOOL
    found = subprocess.run([PROMTOOL, *arguments], cwd=cwd, input=given, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@needs_promtool
@pytest.mark.parametrize("name", TESTS)
def test_every_alert_fires_and_keeps_quiet_as_it_should(tmp_path: Path, name: str) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules_by_name()[name]))
    shutil.copy(Path(__file__).with_name(TESTS[name]), tmp_path)
    promtool("check", "rules", "rules.yaml", cwd=tmp_path)
    promtool("test", "rules", TESTS[name], cwd=tmp_path)


def test_every_alert_is_tested() -> None:
    assert set(rules_by_name()) == set(TESTS)
    for name, spec in rules_by_name().items():
        text = Path(__file__).with_name(TESTS[name]).read_text(encoding="utf-8")
        alerts = {rule["alert"] for group in spec["groups"] for rule in group["rules"]}
        # One that is only ever shown to be silent would show nothing: it stands among what is expected.
        assert set(re.findall(r'labels: ALERTS\{alertname="(\w+)"', text)) == alerts


def test_every_alert_speaks_of_metrics_that_there_are(rules: dict[str, Any]) -> None:
    text = " ".join(rule["expr"] for group in rules["groups"] for rule in group["rules"])
    pushed = set(re.findall(r"^(lotuslake_\w+)", render_metrics(STATE, NOW), re.MULTILINE))
    assert set(re.findall(r"\blotuslake_[a-z_]+", text)) <= pushed
    assert set(re.findall(r"\b(?:kube|kubelet|cnpg|barman)_[a-z_]+(?=\{|\s*unless|,)", text)) == FOREIGN


def test_every_page_that_an_alert_names_has_that_heading(rules: dict[str, Any]) -> None:
    texts = [rule["annotations"].get("description", "") for group in rules["groups"] for rule in group["rules"]]
    named_headings = {heading for text in texts for heading in re.findall(r'troubleshooting\.md, "([^"]+)"', text)}
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert named_headings
    assert {heading for heading in named_headings if f"## {heading}\n" not in page} == set()


@needs_promtool
def test_the_metrics_are_what_prometheus_reads(tmp_path: Path) -> None:
    promtool("check", "metrics", cwd=tmp_path, given=render_metrics(STATE, NOW))
    promtool("check", "metrics", cwd=tmp_path, given=render_metrics(LakeState(), NOW))
