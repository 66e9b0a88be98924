"""The nine streams by Airbyte's real connectors, fed by imitations of the shop's and Klaviyo's API.

Real: the connector packages, their discover, their reading with our catalog, their state. Imitated: the two APIs that
they call, and Airbyte's S3 destination.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

import pytest
from airbyte_protocol.models import ConfiguredAirbyteCatalog

from lotuslake.core.field_types import ColumnType
from lotuslake.core.type_text import parse_type
from tests.connectors.conftest import Run, values
from tests.connectors.connector import REDIRECT
from tests.connectors.destination import landed_rows
from tests.support.leaks import leaks_below

BOTH = pytest.mark.parametrize("run", ["klaviyo", "shopify"], indirect=True)
STREAMS = {
    "klaviyo": {"campaigns", "events", "flows", "lists", "metrics", "profiles"},
    "shopify": {"customers", "order_refunds", "orders"},
}


@BOTH
def test_discover_gives_what_the_stream_configs_were_checked_against(run: Run) -> None:
    kept = run.project.root / "streams" / run.source / "_discovered.json"
    before = kept.read_text(encoding="utf-8")
    environment = {"API_IMITATION_URL": str(run.connector.imitation_url), "PYTHONPATH": str(REDIRECT)}
    run.project.environment |= environment
    config = run.connector.config_file()
    command = ("discover", run.source, "--connector", str(run.connector.program), "--config", str(config))
    found = run.project.json(*command).envelope["data"]
    assert found["changes"] == []
    assert kept.read_text(encoding="utf-8") == before, "streams/*/_discovered.json is of another version"
    assert run.project.run("generate-catalog", "--check").exit_code == 0


@BOTH
def test_the_connector_reads_with_the_generated_catalog(run: Run) -> None:
    document = json.loads(run.catalog.read_text(encoding="utf-8"))
    assert {entry.stream.name for entry in ConfiguredAirbyteCatalog.model_validate(document).streams} == STREAMS[
        run.source
    ]
    for output in run.outputs:
        assert output.errors == []
        assert set(output.statuses) == STREAMS[run.source]
        assert {name for name, told in output.statuses.items() if told[-1] != "COMPLETE"} == set()
    assert run.problems == [], "the imitation was asked for what it does not know"


@BOTH
def test_every_state_counts_the_records_before_it(run: Run) -> None:
    for output in run.outputs:
        assert Counter(record.stream for record in output.records) == {
            name: int(count) for name, count in output.counts.items() if count
        }


@BOTH
def test_nothing_that_the_connector_sends_is_lost_to_its_declared_type(run: Run) -> None:
    assert run.changes == []
    for registered in run.registered:
        assert sum(stream["quarantined_files"] + stream["copied_files"] for stream in registered["streams"]) == 0


@BOTH
def test_every_record_is_in_landing_once(run: Run) -> None:
    for stream in run.streams:
        sent = sum(len(output.of(stream.name)) for output in run.outputs)
        landed = run.project.rows(
            f"SELECT count(*), count(DISTINCT _airbyte_raw_id) FROM landing.stg_{run.source}__{stream.name}"
        )
        assert landed == [(sent, sent)], stream.id
        assert sent > 0


@BOTH
def test_every_declared_field_is_a_column_of_its_type(run: Run) -> None:
    for stream in run.streams:
        landed = _types(run, f"landing.stg_{run.source}__{stream.name}")
        declared = {field.name: field.type for field in stream.fields}
        assert {name: landed.get(name) for name in declared} == declared, stream.id
        shown = _types(run, run.processed(stream))
        chosen = [*stream.primary_key, *([stream.cursor_field] if stream.cursor_field else [])]
        assert [shown[name] for name in chosen] == [declared[name] for name in chosen], stream.id


@BOTH
def test_processed_holds_each_key_once_as_it_is_now(run: Run) -> None:
    for stream in run.streams:
        keys = values(run.project.rows(f"SELECT id FROM {run.processed(stream)}"))
        seen = {entity.key for entity in run.shop.entities[stream.id] if entity.changes[0] <= run.shop.second_at} - (
            _never_seen(run) if stream.name == "orders" else set()
        )
        assert len(keys) == len(set(keys)), stream.id
        assert set(keys) == seen | (set(run.shop.deleted) if stream.name == "orders" else set()), stream.id


@BOTH
def test_the_newest_version_of_each_key_is_shown(run: Run) -> None:
    for stream in run.streams:
        if stream.name == "order_refunds":  # its cursor is created_at: later changes come with orders.refunds
            continue
        cursor = str(stream.cursor_field)
        shown = {record["id"]: record for record in run.shop.shown(stream.id, run.shop.second_at)}
        gone = "AND NOT is_deleted" if stream.name == "orders" else ""
        rows = run.project.rows(f"SELECT id, epoch({cursor})::BIGINT FROM {run.processed(stream)} WHERE true {gone}")
        assert dict(rows) == {key: _epoch(record[cursor]) for key, record in shown.items()}, stream.id


@BOTH
def test_the_second_sync_reads_on_from_the_state(run: Run) -> None:
    first, second = run.outputs
    assert 0 < len(second.records) < len(first.records) / 4
    assert run.requests[1] - run.requests[0] < run.requests[0]


@BOTH
def test_records_land_as_the_demos_own_field_by_field(run: Run) -> None:
    """The demo claims to write what the connectors send: every declared field holds it to that."""
    different: Counter[str] = Counter()
    for stream in run.streams:
        shown = {record["id"]: record for record in run.shop.shown(stream.id, run.shop.first_at)}
        sent = [record for record in run.outputs[0].of(stream.name) if record["id"] in shown]
        for real, invented in zip(
            landed_rows(stream, sent), landed_rows(stream, [shown[record["id"]] for record in sent]), strict=True
        ):
            different.update(f"{stream.id}.{name}" for name in real if real[name] != invented[name])
    assert different == Counter()


def test_deleted_orders_come_as_tombstones(shopify: Run) -> None:
    rows = shopify.project.rows("SELECT id, is_deleted, updated_at IS NULL FROM processed.int_shopify__orders")
    deleted = {key: is_empty for key, is_deleted, is_empty in rows if is_deleted}
    assert set(deleted) == set(shopify.shop.deleted)
    early = [key for key, at in shopify.shop.deleted.items() if at <= shopify.shop.first_at]
    assert {key for key, is_empty in deleted.items() if is_empty} == set(early), "what was known of it stays"


@BOTH
def test_no_key_of_the_api_is_left_behind(run: Run) -> None:
    assert leaks_below(run.project.root) == []


def _types(run: Run, table: str) -> dict[str, ColumnType]:
    """Columns of a table; an instant may stand in either form, that of the files or that of the model."""
    columns = run.project.rows(f"DESCRIBE {table}")
    return {name: parse_type(type_.replace(" WITH TIME ZONE", "")) for name, type_, *_ in columns}


def _never_seen(run: Run) -> set[int | str]:
    return {key for key, at in run.shop.deleted.items() if at <= run.shop.first_at}


def _epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
