"""Killed at any moment and run again, the lake holds what one clean run gives."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lotuslake.config.starter import copy_starter
from lotuslake.config.streams import load_streams
from lotuslake.demo import Shop, build_shop, write_files
from lotuslake.demo.shop import DeliveryName
from tests.functional.program import Project, run_until_killed

TABLES = ("int_shopify__customers", "int_shopify__order_refunds", "int_shopify__orders")
BATCHES = {"LOTUSLAKE_BATCH_MAX_FILES": "20"}
FIRST_LINE = "batches to do"
# A process that has imported everything and is forked: a start then takes no time, and every kill hits the work itself.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["lotuslake.cli.main", "lotuslake.adapters.ducklake_models", "dbt.cli.main", "pyarrow"])


def shopify_project(root: Path) -> Project:
    """The starter with Shopify alone."""
    copy_starter(root)
    shutil.rmtree(root / "streams" / "klaviyo")
    for path in (root / "models" / "processed").glob("int_klaviyo*"):
        path.unlink()
    return Project(root, dict(BATCHES))


def deliver(project: Project, shop: Shop, name: DeliveryName) -> None:
    for file in write_files(shop, load_streams(project.root).all, name):
        project.put(file.path, file.body)


def kill_during(project: Project, command: str, *, seconds: float, line: str = FIRST_LINE) -> int | None:
    """Run the command until it says `line` and some seconds more, then kill it; how it ended."""
    process = FORKS.Process(target=run_until_killed, args=(project, (command,), line, seconds))
    process.start()
    process.join(timeout=120)
    return process.exitcode


def contents(project: Project) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a person could see, in an order of its own."""
    with project.stock() as connection:
        found = {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
            for table in (*(f"processed.{name}" for name in TABLES), "enriched.fct_sales")
        }
        for name in TABLES:
            table = f"landing.stg_{name.removeprefix('int_')}"
            found[table] = connection.execute(f"SELECT _airbyte_raw_id, id FROM {table} ORDER BY ALL").fetchall()
        found["files"] = connection.execute(
            "SELECT stream, path, status, rows, size_bytes FROM meta.files ORDER BY ALL"
        ).fetchall()
    return found


def assert_landing_agrees_with_the_ledger(project: Project) -> None:
    """After every kill: what is registered is there, once, and nothing else is."""
    if not project.catalog.exists():
        return
    with project.stock() as connection:
        tables = {
            f"{schema}.{name}" for schema, name in connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables"
            ).fetchall()
        }  # fmt: skip
        if "meta.files" not in tables:
            return
        known = dict(connection.execute("SELECT stream, sum(rows) FROM meta.files GROUP BY stream").fetchall())
        for name in TABLES:
            slug = name.removeprefix("int_")
            rows = 0
            if f"landing.stg_{slug}" in tables:
                ((rows,),) = connection.execute(f"SELECT count(*) FROM landing.stg_{slug}").fetchall()
            assert rows == known.get(slug.replace("__", "/"), 0), slug


@pytest.fixture(scope="module")
def shop() -> Shop:
    return build_shop(seed=5, scale=0.05, now=datetime.now(UTC))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> dict[str, list[tuple[Any, ...]]]:
    """What a lake holds that nobody disturbed."""
    project = shopify_project(tmp_path_factory.mktemp("clean"))
    project.environment.clear()
    deliver(project, shop, "history")
    deliver(project, shop, "increment")
    project.json("register")
    project.json("transform")
    return contents(project)


def test_a_lake_that_was_killed_again_and_again_is_whole(
    tmp_path: Path, shop: Shop, clean: dict[str, list[tuple[Any, ...]]]
) -> None:
    project = shopify_project(tmp_path)
    # The parsed project, so that a start is quick.
    project.run("transform", "--skip-tests")
    rng = random.Random(20)
    ended: list[int | None] = []
    for delivery, rounds in (("history", 3), ("increment", 2)):
        deliver(project, shop, delivery)  # type: ignore[arg-type]
        for _ in range(rounds):
            ended.append(kill_during(project, "register", seconds=rng.uniform(0, 0.8)))
            assert_landing_agrees_with_the_ledger(project)
        for _ in range(rounds):
            ended.append(kill_during(project, "transform", seconds=rng.uniform(0, 1.5)))
            assert_landing_agrees_with_the_ledger(project)
    assert ended.count(-signal.SIGKILL) >= 4, ended
    project.json("register", "--full-sweep")
    project.json("transform")
    assert contents(project) == clean
    assert project.json("register", "--full-sweep").stream("shopify/orders")["registered_files"] == 0
    assert project.json("ingest-check", "--detailed-exitcode", "--full-sweep").exit_code == 0


def test_an_enriched_model_is_built_after_a_kill_right_before_it(
    tmp_path: Path, shop: Shop, clean: dict[str, list[tuple[Any, ...]]]
) -> None:
    """The next transform of any stream above it does it, though it has no file of its own to read."""
    project = shopify_project(tmp_path)
    deliver(project, shop, "history")
    deliver(project, shop, "increment")
    project.json("register")
    ended = kill_during(project, "transform", seconds=0, line="int_shopify__orders: publish")
    assert ended == -signal.SIGKILL
    built = {name for (name,) in project.rows("SELECT table_name FROM information_schema.tables")}
    assert {*TABLES} <= built
    assert "fct_sales" not in built
    outcome = project.json("transform", "shopify/order_refunds")
    assert outcome.stream("shopify/order_refunds") == {
        "stream": "shopify/order_refunds", "batches": 0, "rows": 0, "models": ["fct_sales"],
        "rows_before": None, "rows_after": None,
    }  # fmt: skip
    assert contents(project) == clean
