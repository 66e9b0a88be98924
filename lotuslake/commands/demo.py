"""`demo`: an invented shop, delivered in two syncs as Airbyte would, each taken through the whole chain."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from lotuslake.commands.context import RunContext
from lotuslake.commands.register import RegisterOptions, RegisterPorts, RegisterResult, register
from lotuslake.commands.transform import transform
from lotuslake.commands.transformation import TransformOptions, TransformPorts, TransformResult
from lotuslake.core.errors import ConfigError, ExitCode
from lotuslake.core.stream import BatchLimits, Stream
from lotuslake.demo import DELIVERIES, Shop, build_shop, write_files
from lotuslake.ports import ObjectStore
from lotuslake.ports.query import Answer, Query

MARKER = "_lotuslake_demo.json"
SALES = """
SELECT
    strftime(date_trunc('month', sale_date), '%Y-%m') AS month, count(*) AS orders, sum(gross_sales) AS gross,
    sum(discounts) AS discounts, sum(returns) AS returns, sum(net_sales) AS net, sum(total_sales) AS total
FROM enriched.fct_sales GROUP BY ALL ORDER BY month DESC LIMIT 6
"""
STANDING = """
SELECT
    (SELECT count(*) FROM processed.int_shopify__orders) AS orders,
    (SELECT count(*) FROM processed.int_shopify__orders WHERE is_deleted) AS deleted_orders,
    (SELECT count(*) FROM processed.int_shopify__customers) AS customers,
    (SELECT count(*) FROM processed.int_shopify__order_refunds) AS refunds,
    (SELECT count(*) FROM processed.int_klaviyo__profiles) AS profiles,
    (SELECT count(*) FROM processed.int_klaviyo__events) AS events,
    (SELECT sum(total_sales) FROM enriched.fct_sales) AS total_sales
"""


@dataclass(frozen=True, slots=True)
class DemoPorts:
    """What the demo needs of the outside world."""

    store: ObjectStore
    register: RegisterPorts
    transform: TransformPorts
    query: Query


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What makes the shop: the same plan gives the same files, byte for byte."""

    seed: int
    scale: float
    now: datetime


@dataclass(frozen=True, slots=True)
class DemoStage:
    """One delivery taken through the chain; ``standing`` is what the lake held afterwards, by name.

    It is empty where the stage did not go through.
    """

    name: str
    new_files: int
    registered: RegisterResult
    transformed: TransformResult
    standing: dict[str, object]

    @property
    def exit_code(self) -> ExitCode:
        """The code of the first stage that did not go through, else 0."""
        return next((code for code in (self.registered.exit_code, self.transformed.exit_code) if code), ExitCode.DONE)


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Both stages, and the last months of sales."""

    stages: tuple[DemoStage, ...]
    sales: Answer | None

    @property
    def exit_code(self) -> ExitCode:
        """The code of the stage that ended the demo, else 0."""
        return self.stages[-1].exit_code


def demo(
    streams: Sequence[Stream],
    ports: DemoPorts,
    plan: DemoPlan,
    limits: BatchLimits,
    context: RunContext,
    announce: Callable[[DemoStage], None],
) -> DemoResult:
    """Deliver and process the shop; run again, it goes on where it stopped and repeats nothing.

    Raises:
        ConfigError: the landing root or the lake holds something that no demo put there.
    """
    plan = _claim(streams, ports, plan)
    ports.transform.transformer.warm_up()
    shop = build_shop(plan.seed, plan.scale, plan.now)
    stages: list[DemoStage] = []
    for name in DELIVERIES:
        stages.append(_run_stage(name, shop, streams, ports, limits, context))
        announce(stages[-1])
        if stages[-1].exit_code is not ExitCode.DONE:
            return DemoResult(tuple(stages), None)
    return DemoResult(tuple(stages), ports.query.ask(SALES))


def _claim(streams: Sequence[Stream], ports: DemoPorts, plan: DemoPlan) -> DemoPlan:
    """Mark empty roots as the demo's own, or take up the plan of the demo that did."""
    if ports.store.head(MARKER) is not None:
        return _read_marker(ports.store)
    if next(iter(ports.store.list_objects("")), None) is not None:
        raise ConfigError(
            "the landing root holds data that is not the demo's; the demo never adds to it. "
            "Run it in an empty folder: mkdir shop && cd shop && lotuslake demo"
        )
    if any(ports.register.ledger.load_head(stream).seq for stream in streams):
        raise ConfigError(
            "this lake holds data that is not the demo's; choose an empty one with LOTUSLAKE_CATALOG_URL and "
            "LOTUSLAKE_DATA_URL, or run the demo in an empty folder"
        )
    document = {"seed": plan.seed, "scale": plan.scale, "now": plan.now.isoformat()}
    ports.store.put(MARKER, json.dumps(document).encode())
    return plan


def _read_marker(store: ObjectStore) -> DemoPlan:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / MARKER
        store.fetch(MARKER, copy)
        try:
            document = json.loads(copy.read_text(encoding="utf-8"))
            return DemoPlan(int(document["seed"]), float(document["scale"]), datetime.fromisoformat(document["now"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{store.url(MARKER)} is damaged; delete the demo's landing root to start anew"
            ) from error


def _run_stage(
    name: str,
    shop: Shop,
    streams: Sequence[Stream],
    ports: DemoPorts,
    limits: BatchLimits,
    context: RunContext,
) -> DemoStage:
    there = {file.path for file in ports.store.list_objects("")}
    new_files = 0
    for file in write_files(shop, streams, "history" if name == "history" else "increment"):
        if file.path not in there:
            ports.store.put(file.path, file.body)
            new_files += 1
    # A full sweep: the increment has a file in an old day.
    registered = register(streams, ports.register, RegisterOptions(limits, full_sweep=True), context)
    transformed = transform(streams, ports.transform, TransformOptions(limits), context)
    stage = DemoStage(name, new_files, registered, transformed, {})
    if stage.exit_code is not ExitCode.DONE:
        # The tables may not be there; what stopped the stage is what the person must read.
        return stage
    answer = ports.query.ask(STANDING)
    return replace(stage, standing=dict(zip(answer.columns, answer.rows[0], strict=True)))
