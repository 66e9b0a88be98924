"""A source that nobody has written a line for: discovered, added, synced twice and queried, with Airbyte's faker."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airbyte_protocol.models import ConfiguredAirbyteCatalog

from lotuslake.config.starter import copy_starter
from lotuslake.config.streams import load_streams
from tests.connectors.conftest import installed
from tests.connectors.connector import Connector
from tests.connectors.destination import land
from tests.functional.program import Project

COUNT = 120
STREAMS = ("products", "purchases", "users")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    assert copy_starter(root)
    return Project(root)


def test_from_discover_to_rows_with_no_edit_by_hand(project: Project, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    configuration = {"count": COUNT, "seed": 7, "parallelism": 1, "always_updated": False}
    connector = Connector("faker", installed("faker"), configuration, work)
    config = str(connector.config_file())
    found = project.json("discover", "faker", "--connector", str(connector.program), "--config", config)
    assert (found.envelope["data"]["connector"], found.envelope["data"]["connector_version"]) == (
        "airbyte-source-faker",
        "7.2.1",
    )
    for name in STREAMS:
        added = project.json("add-stream", f"faker/{name}").envelope["data"]
        assert (added["primary_key"], added["cursor_field"]) == (["id"], "updated_at")
    assert project.run("generate-catalog", "faker", "--check").exit_code == 0

    catalog = project.root / "manifests" / "airbyte" / "generated" / "faker.protocol.json"
    ConfiguredAirbyteCatalog.model_validate(json.loads(catalog.read_text(encoding="utf-8")))
    streams = load_streams(project.root).select(["faker"])
    first = connector.read(catalog)
    second = connector.read(catalog, list(first.states.values()))
    sent = {name: len(first.of(name)) + len(second.of(name)) for name in STREAMS}
    assert len(first.of("users")) == COUNT
    for sync_id, output in enumerate((first, second), 1):
        assert land(output, streams, project.landing, sync_id, datetime.now(UTC)) == []
        project.json("register", "faker")
        project.json("transform", "faker")
    for name in STREAMS:
        keys = len({record["id"] for record in first.of(name)})
        landed = project.rows(f"SELECT count(*) FROM landing.stg_faker__{name}")
        current = project.rows(f"SELECT count(*), count(DISTINCT id) FROM processed.int_faker__{name}")
        assert (landed, current) == ([(sent[name],)], [(keys, keys)]), name
    types = dict(
        project.rows(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'int_faker__users'"
        )
    )
    assert (types["id"], types["age"], types["created_at"]) == ("BIGINT", "BIGINT", "TIMESTAMP")
