"""The connectors that `make test-connectors` installed, and projects that they fill."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lotuslake.config.starter import copy_starter
from lotuslake.config.streams import load_streams
from lotuslake.core.stream import Stream
from tests.connectors.api_imitation import Api, Asked, serve
from tests.connectors.connector import Connector, Json, Output
from tests.connectors.demo_shop import DemoShop, make_demo_shop
from tests.connectors.destination import land
from tests.connectors.klaviyo_api import KlaviyoApi
from tests.connectors.shop_api import SHOP, ShopApi
from tests.functional.program import Project
from tests.support.leaks import remember_secret

ROOT = Path(__file__).parents[2]
API_KEY = remember_secret("the imitated Klaviyo's key", "pk_imitated_klaviyo_key")
PASSWORD = remember_secret("the imitated shop's password", "shpat_imitated_password")


def installed(name: str) -> Path:
    """The folder of a connector's environment; a plain `pytest` skips what is not there."""
    folder = Path(os.environ.get("CONNECTORS_DIR", ROOT / ".lotuslake" / "connectors")) / name
    if not (folder / "installed").exists():
        if "CONNECTORS_DIR" in os.environ:
            pytest.fail(f"airbyte-source-{name} is not in {folder}")
        pytest.skip(f"airbyte-source-{name} is not installed: run `make test-connectors`")
    return folder


@dataclass
class Run:
    """A source's connector, the imitation that it reads from, and a project that takes what two syncs gave."""

    source: str
    connector: Connector
    project: Project
    shop: DemoShop
    problems: list[str]
    asked: list[Asked]
    streams: tuple[Stream, ...]
    outputs: list[Output] = field(default_factory=list)
    registered: list[Json] = field(default_factory=list)
    transformed: list[Json] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    # How many requests had been made when each sync had ended.
    requests: list[int] = field(default_factory=list)

    @property
    def catalog(self) -> Path:
        return self.project.root / "manifests" / "airbyte" / "generated" / f"{self.source}.protocol.json"

    def sync(self, state: list[Json]) -> None:
        """Read, land, register, transform."""
        output = self.connector.read(self.catalog, state)
        sync_id = len(self.outputs) + 1
        self.outputs.append(output)
        self.requests.append(len(self.asked))
        self.changes += land(output, self.streams, self.project.landing, sync_id, datetime.now(UTC))
        self.registered.append(self.project.json("register", self.source).envelope["data"])
        self.transformed.append(self.project.json("transform", self.source).envelope["data"])

    def processed(self, stream: Stream) -> str:
        """The table that shows the stream."""
        return f"lakehouse.processed.int_{self.source}__{stream.name}"

    def stream(self, name: str) -> Stream:
        return next(stream for stream in self.streams if stream.name == name)


@pytest.fixture(scope="session")
def demo_shop() -> DemoShop:
    return make_demo_shop()


@pytest.fixture(scope="session")
def klaviyo(demo_shop: DemoShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Two syncs of Klaviyo's six streams with the state between."""
    configuration = {"api_key": API_KEY, "start_date": f"{demo_shop.opened_at:%Y-%m-%dT%H:%M:%SZ}"}
    api = KlaviyoApi(demo_shop, API_KEY)
    yield from two_syncs("klaviyo", api, configuration, tmp_path_factory.mktemp("klaviyo"))


@pytest.fixture(scope="session")
def shopify(demo_shop: DemoShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Two syncs of the shop's three streams with the state between."""
    credentials = {"auth_method": "api_password", "api_password": PASSWORD}
    configuration = {"shop": SHOP, "start_date": f"{demo_shop.opened_at:%Y-%m-%d}", "credentials": credentials}
    api = ShopApi(demo_shop, PASSWORD)
    yield from two_syncs("shopify", api, configuration, tmp_path_factory.mktemp("shopify"))


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """The run of the source that a test is parametrised with."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Run)
    return found


def two_syncs(source: str, api: Api, configuration: Json, folder: Path) -> Iterator[Run]:
    own = api
    assert isinstance(own, KlaviyoApi | ShopApi)
    environment = installed(source)
    root, work = folder / "project", folder / "work"
    root.mkdir()
    work.mkdir()
    assert copy_starter(root)
    project = Project(root)
    assert project.run("generate-catalog").exit_code == 0
    streams = load_streams(root).select([source])
    with serve(own) as url:
        connector = Connector(source, environment, configuration, work, url)
        made = Run(source, connector, project, own.shop, own.problems, own.asked, streams)
        made.sync([])
        own.now = own.shop.second_at
        made.sync(list(made.outputs[0].states.values()))
        yield made


def values(rows: list[tuple[Any, ...]]) -> list[Any]:
    """The only column of some rows."""
    return [row[0] for row in rows]
