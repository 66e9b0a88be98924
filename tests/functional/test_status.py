"""`lotuslake status`, on a lake and without one."""

from pathlib import Path

from tests.functional.conftest import DemoLake
from tests.functional.program import Project


def test_without_a_lake(tmp_path: Path) -> None:
    outcome = Project(tmp_path).json("status")
    assert outcome.envelope["data"]["streams"] == []
    assert not (tmp_path / ".lotuslake" / "catalog.ducklake").exists()


def test_of_the_demo(demo_lake: DemoLake) -> None:
    data = demo_lake.project.json("status").envelope["data"]
    assert len(data["streams"]) == 9
    assert {model["entries_behind"] for model in data["models"]} == {0, None}
    assert {command["command"] for command in data["commands"]} >= {"demo"}
    assert data["rebuilds"] == []
    assert data["snapshots"] > 9
    orders = next(stream for stream in data["streams"] if stream["stream"] == "shopify/orders")
    assert orders["rows"] == len(demo_lake.shop.delivered("shopify/orders"))


def test_as_tables(demo_lake: DemoLake) -> None:
    outcome = demo_lake.project.run("status")
    assert outcome.exit_code == 0
    assert "int_shopify__orders" in outcome.stdout
    assert "entries behind" in outcome.stdout


def test_a_push_to_nowhere(demo_lake: DemoLake) -> None:
    outcome = demo_lake.project.run("status", "--push", "http://127.0.0.1:9")
    assert outcome.exit_code == 3
    assert "Pushgateway" in outcome.message
    assert demo_lake.project.run("status", "--push", "nowhere").exit_code == 2
