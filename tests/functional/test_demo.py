"""`lotuslake demo`, and what it leaves behind."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import yaml

from tests.functional.conftest import DEMO_SCALE, DemoLake
from tests.functional.program import STATE_DIR, Project, write
from tests.support.expected import Current, Key, expected_sales, newest_versions

STREAMS = (
    *("klaviyo/campaigns", "klaviyo/events", "klaviyo/flows", "klaviyo/lists", "klaviyo/metrics", "klaviyo/profiles"),
    *("shopify/customers", "shopify/order_refunds", "shopify/orders"),
)


def current(demo_lake: DemoLake, stream_id: str) -> dict[Key, Current]:
    stream = next(stream for stream in demo_lake.streams.all if stream.id == stream_id)
    return newest_versions(demo_lake.shop.delivered(stream_id), str(stream.cursor_field), stream.tombstone_field)


def test_the_demo_shows_both_syncs_the_sales_and_what_to_try_next(demo_lake: DemoLake) -> None:
    text = demo_lake.outcome.stdout
    first, second = text.index("First sync"), text.index("Second sync")
    assert first < second < text.index("Sales by month") < text.index("Try next:")
    for stream in STREAMS:
        assert text.count(stream) == 2, stream
    assert "→" in text[second:]
    assert "Traceback" not in demo_lake.outcome.stderr
    assert [line["level"] for line in demo_lake.outcome.log if line["level"] != "info"] == []


def test_the_lake_knows_exactly_the_files_that_the_demo_wrote(demo_lake: DemoLake) -> None:
    project = demo_lake.project
    written = {str(path.relative_to(project.landing)) for path in project.landing.rglob("*.parquet")}
    known = project.rows("SELECT path, status FROM meta.current_files")
    assert {path for path, _ in known} == written
    assert {status for _, status in known} == {"registered"}
    assert len(known) == project.rows("SELECT count(*) FROM meta.files")[0][0]


@pytest.mark.parametrize("stream_id", STREAMS)
def test_landing_holds_every_record_once(demo_lake: DemoLake, stream_id: str) -> None:
    delivered = sorted(record.raw_id for record in demo_lake.shop.delivered(stream_id))
    table = f"landing.stg_{stream_id.replace('/', '__')}"
    found = demo_lake.project.rows(f"SELECT _airbyte_raw_id FROM {table} ORDER BY 1")
    assert [row[0] for row in found] == delivered


@pytest.mark.parametrize("stream_id", STREAMS)
def test_processed_holds_one_row_a_key_and_its_newest_version(demo_lake: DemoLake, stream_id: str) -> None:
    expected = current(demo_lake, stream_id)
    deletable = next(stream.tombstone_field for stream in demo_lake.streams.all if stream.id == stream_id)
    table = f"processed.int_{stream_id.replace('/', '__')}"
    is_deleted = "is_deleted" if deletable else "false"
    found = demo_lake.project.rows(
        f"SELECT id, _airbyte_raw_id, epoch_ms(_airbyte_extracted_at), {is_deleted} FROM {table}"
    )
    assert len(found) == len({row[0] for row in found})
    assert {key: (raw_id, at, deleted) for key, raw_id, at, deleted in found} == {
        key: (row.raw_id, round(row.extracted_at.timestamp() * 1000), row.is_deleted) for key, row in expected.items()
    }


def test_orders_that_tempt_a_careless_merge(demo_lake: DemoLake) -> None:
    found = dict(demo_lake.project.rows("SELECT id, is_deleted FROM processed.int_shopify__orders"))
    special = demo_lake.shop.special_orders
    assert {name: found[special[name]] for name in special} == {
        "withheld": False,
        "deleted_in_history": True,
        "deleted": True,
        "deleted_then_reread": True,
        "reborn": False,
        "old_refund": False,
        "settling_refund": False,
    }


def test_sales_agree_with_figures_worked_out_without_sql(demo_lake: DemoLake) -> None:
    project = yaml.safe_load((demo_lake.project.root / "models" / "dbt_project.yml").read_text())
    expected = expected_sales(
        current(demo_lake, "shopify/orders"),
        current(demo_lake, "shopify/order_refunds"),
        project["vars"]["shop_timezone"],
    )
    with demo_lake.project.stock() as connection:
        cursor = connection.execute("SELECT * FROM enriched.fct_sales")
        names = [column[0] for column in cursor.description or ()]
        found = {row[names.index("order_id")]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
    assert len(found) > 100
    assert found == {order_id: dataclasses.asdict(row) for order_id, row in expected.items()}


def test_a_second_register_finds_nothing_to_do(demo_lake: DemoLake) -> None:
    outcome = demo_lake.project.json("register")
    for item in outcome.envelope["data"]["streams"]:
        assert {name: value for name, value in item.items() if name != "stream"} == dict.fromkeys(
            item.keys() - {"stream"}, 0
        )
    assert len(outcome.envelope["data"]["streams"]) == len(STREAMS)


def test_a_second_transform_finds_nothing_to_do(demo_lake: DemoLake) -> None:
    before = demo_lake.project.rows("SELECT max(snapshot_id) FROM lakehouse.snapshots()")
    outcome = demo_lake.project.json("transform")
    assert {(item["batches"], item["rows"], *item["models"]) for item in outcome.envelope["data"]["streams"]} == {
        (0, 0)
    }
    assert outcome.envelope["data"]["tests"] == {"passed": 0, "warned": 0, "failed": 0}
    after = demo_lake.project.rows("SELECT max(snapshot_id) FROM lakehouse.snapshots()")
    assert after[0][0] - before[0][0] == 1, "only the run itself is recorded"


def test_nothing_is_pending_afterwards(demo_lake: DemoLake) -> None:
    outcome = demo_lake.project.json("ingest-check", "--detailed-exitcode", "--full-sweep")
    for item in outcome.envelope["data"]["streams"]:
        assert item["freshness"] == "pass"
        assert item["pending_files"] == item["pending_bytes"] == item["missing_files"] == item["quarantined_files"] == 0


def test_a_stock_duckdb_reads_everything_under_another_name(demo_lake: DemoLake) -> None:
    with demo_lake.project.stock(alias="elsewhere") as connection:
        relations = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = 'elsewhere'"
        ).fetchall()
        by_schema: dict[str, set[str]] = {}
        for schema, name in relations:
            by_schema.setdefault(schema, set()).add(name)
            connection.execute(f'SELECT * FROM elsewhere."{schema}"."{name}"').fetchall()
    slugs = {stream.replace("/", "__") for stream in STREAMS}
    assert by_schema["landing"] == {f"stg_{slug}" for slug in slugs}
    assert by_schema["processed"] == {f"int_{slug}" for slug in slugs}
    assert by_schema["enriched"] == {"fct_sales"}
    assert {"files", "batches", "runs", "current_files", "findings", "stream_status"} <= by_schema["meta"]
    assert {f"fence_{slug}" for slug in slugs} | {f"cursor_int_{slug}" for slug in slugs} <= by_schema["meta"]


def test_every_run_is_recorded_with_its_exit_code(demo_lake: DemoLake) -> None:
    runs = demo_lake.project.rows(
        "SELECT command, exit_code, ended_at >= started_at FROM meta.runs ORDER BY started_at"
    )
    assert runs[0] == ("demo", 0, True)
    assert {run[0] for run in runs} <= {"demo", "register", "transform"}
    assert all(code == 0 and in_order for _, code, in_order in runs)


def test_every_data_test_of_the_project_ran_and_passed(demo_lake: DemoLake) -> None:
    from dbt.contracts.graph.manifest import Manifest

    packed = demo_lake.project.root / STATE_DIR / "temp" / "dbt" / "target" / "partial_parse.msgpack"
    manifest = Manifest.from_msgpack(packed.read_bytes())
    wanted = {node.name for node in manifest.nodes.values() if node.resource_type == "test"}
    assert len(wanted) > 40
    ran = demo_lake.project.rows("SELECT DISTINCT test FROM meta.test_results")
    assert {name for (name,) in ran} == wanted
    statuses = demo_lake.project.rows("SELECT DISTINCT status FROM meta.test_results WHERE status <> 'warn'")
    assert statuses == [("pass",)]
    assert f"{len(wanted)} data tests ran." in demo_lake.outcome.stdout


def test_the_demo_goes_on_where_it_stands(demo_lake: DemoLake) -> None:
    """Run again it repeats nothing, whatever scale and seed it is given."""
    before = demo_lake.project.rows("SELECT count(*) FROM meta.files")
    outcome = demo_lake.project.json("demo", "--scale", "3", "--seed", "9")
    assert [stage["new_files"] for stage in outcome.envelope["data"]["stages"]] == [0, 0]
    assert demo_lake.project.rows("SELECT count(*) FROM meta.files") == before
    assert demo_lake.shop.scale == DEMO_SCALE


def test_a_check_of_a_lake_that_does_not_exist_creates_nothing(tmp_path: Path, demo_lake: DemoLake) -> None:
    del demo_lake
    from lotuslake.config.starter import copy_starter

    copy_starter(tmp_path)
    project = Project(tmp_path)
    before = project.tree()
    for options in ((), ("--detailed-exitcode",), ("--full-sweep",)):
        outcome = project.json("ingest-check", *options)
        assert [item["stream"] for item in outcome.envelope["data"]["streams"]] == list(STREAMS)
        assert {item["pending_files"] for item in outcome.envelope["data"]["streams"]} == {0}
    outcome = project.json("register", "--dry-run")
    assert {item["planned_files"] for item in outcome.envelope["data"]["streams"]} == {0}
    assert project.tree() == before


@pytest.mark.parametrize("where", ["landing", "lake"])
def test_the_demo_never_adds_to_data_that_is_not_its_own(things: Project, where: str) -> None:
    from tests.functional.things import data_file, key_of

    file = things.put(key_of("a.parquet"), data_file([1]))
    if where == "lake":
        things.json("register")
        file.unlink()
    before = things.tree()
    outcome = things.run("demo", "--json")
    assert outcome.exit_code == 2
    assert "not the demo's" in outcome.message
    assert outcome.envelope["status"] == "error"
    assert things.tree() == before
    assert not (things.landing / "_lotuslake_demo.json").exists()


def test_a_damaged_marker_is_named(tmp_path: Path) -> None:
    project = Project(tmp_path)
    write(project.landing / "_lotuslake_demo.json", json.dumps({"seed": "x"}))
    outcome = project.run("demo")
    assert outcome.exit_code == 2
    assert "_lotuslake_demo.json is damaged" in outcome.message
