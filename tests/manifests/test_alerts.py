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


@pytest.fixture
def rules() -> dict[str, Any]:
    spec: dict[str, Any] = named(build("overlays/prod"), "PrometheusRule")["lotuslake"]["spec"]
    return spec


def promtool(*arguments: str, cwd: Path, given: str | None = None) -> None:
    assert PROMTOOL
    found = subprocess.run([PROMTOOL, *arguments], cwd=cwd, input=given, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@needs_promtool
def test_every_alert_fires_and_keeps_quiet_as_it_should(rules: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    shutil.copy(Path(__file__).with_name("alerts_test.yaml"), tmp_path)
    promtool("check", "rules", "rules.yaml", cwd=tmp_path)
    promtool("test", "rules", "alerts_test.yaml", cwd=tmp_path)


def test_every_alert_is_tested(rules: dict[str, Any]) -> None:
    text = Path(__file__).with_name("alerts_test.yaml").read_text(encoding="utf-8")
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert set(re.findall(r'alertname="(\w+)"', text)) == alerts


def test_every_alert_speaks_of_metrics_that_are_pushed(rules: dict[str, Any]) -> None:
    text = " ".join(rule["expr"] for group in rules["groups"] for rule in group["rules"])
    pushed = set(re.findall(r"^(lotuslake_\w+)", render_metrics(STATE, NOW), re.MULTILINE))
    assert set(re.findall(r"\blotuslake_[a-z_]+", text)) <= pushed


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
