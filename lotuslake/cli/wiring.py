"""The one place that builds adapters: from settings to ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from lotuslake.cli.roots import Roots
from lotuslake.commands.register import RegisterPorts
from lotuslake.commands.removed_streams import ProjectStreams
from lotuslake.commands.transformation import TransformPorts
from lotuslake.config.airbyte_settings import URL as AIRBYTE_URL
from lotuslake.config.airbyte_settings import load_airbyte_settings
from lotuslake.config.airbyte_sources import load_airbyte_sources
from lotuslake.config.settings import Settings
from lotuslake.config.streams import Streams, load_streams
from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.ports import ObjectStore
from lotuslake.ports.airbyte import Airbyte
from lotuslake.ports.connector import Connector
from lotuslake.ports.lock import NoLock, WorkLock
from lotuslake.ports.outcomes import NoOutcomes, SyncOutcomes
from lotuslake.ports.project_files import ProjectFiles

if TYPE_CHECKING:
    from lotuslake.adapters.data_root_mark import DataRootMark
    from lotuslake.adapters.duckdb_instance import DuckDbInstance
    from lotuslake.adapters.ducklake_landing import DuckLakeLanding
    from lotuslake.adapters.ducklake_ledger import DuckLakeLedger
    from lotuslake.adapters.ducklake_lost_files import DuckLakeLostFiles
    from lotuslake.adapters.ducklake_maintenance import DuckLakeMaintenance
    from lotuslake.adapters.ducklake_models import DuckLakeModels
    from lotuslake.adapters.ducklake_query import DuckLakeQuery
    from lotuslake.adapters.ducklake_state import DuckLakeState
    from lotuslake.adapters.ducklake_streams import DuckLakeStreams
    from lotuslake.adapters.instance_options import InstanceOptions
    from lotuslake.ports.query import LargeQuery
    from lotuslake.ports.state import MetricsSink


class Wiring:
    """Builds each adapter once, when it is first asked for. Adapter modules are imported then, since they are heavy."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.environ = environ
        # A person says that the lake's roots were moved; to be set before anything is built.
        self.relocate = False
        # Raises during a wait where a person has asked to stop; to be set likewise.
        self.interrupt: Callable[[], None] = lambda: None
        self._open = ExitStack()

    @cached_property
    def streams(self) -> Streams:
        """The stream configs of the project."""
        return load_streams(self.settings.project_dir)

    @cached_property
    def airbyte_sources(self) -> tuple[AirbyteSource, ...]:
        """The sources of the project with what their connectors offer."""
        return load_airbyte_sources(self.settings.project_dir, self.streams)

    @cached_property
    def project_files(self) -> ProjectFiles:
        """The files of the project."""
        from lotuslake.adapters.project_files import FolderFiles

        return FolderFiles(self.settings.project_dir)

    @cached_property
    def connector(self) -> Connector:
        """Airbyte connectors as programs."""
        from lotuslake.adapters.airbyte_connector import AirbyteConnector

        return AirbyteConnector()

    @cached_property
    def airbyte(self) -> Airbyte:
        """The running Airbyte that the environment names."""
        from lotuslake.adapters.airbyte_api import AirbyteApi
        from lotuslake.adapters.airbyte_http import AirbyteHttp

        settings = load_airbyte_settings(self.environ)
        return AirbyteApi(AirbyteHttp(settings.url, settings.client_id, settings.client_secret))

    @cached_property
    def roots(self) -> Roots:
        """The stores of the two roots."""
        return Roots(self.settings, self.interrupt)

    @cached_property
    def store(self) -> ObjectStore:
        """The store that holds the landing root."""
        return self.roots.landing

    @cached_property
    def ledger(self) -> DuckLakeLedger:
        """The ledger in the lake."""
        from lotuslake.adapters.ducklake_ledger import DuckLakeLedger

        return DuckLakeLedger(self.instance, self.lock)

    @cached_property
    def landing(self) -> DuckLakeLanding:
        """The landing tables."""
        from lotuslake.adapters.ducklake_landing import DuckLakeLanding

        return DuckLakeLanding(self.instance, self.store)

    @cached_property
    def models(self) -> DuckLakeModels:
        """The models and their cursors."""
        from lotuslake.adapters.dbt_project import DbtProject
        from lotuslake.adapters.ducklake_models import DuckLakeModels

        project = DbtProject(self.settings.project_dir / "models", self.settings.temp_dir / "dbt", self.instance)
        self._open.callback(project.close)
        return DuckLakeModels(self.instance, project, self.landing.load_columns, self.landing.read_url)

    @cached_property
    def lock(self) -> WorkLock:
        """Spares two programs the same work."""
        if self.settings.catalog_is_embedded:
            return NoLock()
        from lotuslake.adapters.postgres_lock import PostgresLock

        lock = PostgresLock(self.settings.catalog_url, interrupt=self.interrupt)
        self._open.callback(lock.close)
        return lock

    @property
    def register_ports(self) -> RegisterPorts:
        """What registering needs."""
        return RegisterPorts(self.store, self.ledger, self.landing, self.lock)

    @property
    def transform_ports(self) -> TransformPorts:
        """What transforming needs."""
        return TransformPorts(self.ledger, self.models, self.landing, self.outcomes, self.lock, self.lost_files)

    @cached_property
    def outcomes(self) -> SyncOutcomes:
        """How syncs ended, where the environment names a running Airbyte."""
        if not self.environ.get(AIRBYTE_URL, "").strip():
            return NoOutcomes()
        from lotuslake.adapters.airbyte_outcomes import AirbyteOutcomes

        return AirbyteOutcomes(self.airbyte)

    @cached_property
    def maintenance(self) -> DuckLakeMaintenance:
        """Upkeep of the lake's own files."""
        from lotuslake.adapters.ducklake_maintenance import DuckLakeMaintenance

        return DuckLakeMaintenance(self.instance, self.store)

    @cached_property
    def data_root(self) -> DataRootMark:
        """The owner's mark in the data root."""
        from lotuslake.adapters.data_root_mark import DataRootMark

        return DataRootMark(self.instance, self.roots.data, self.settings.project_dir)

    @cached_property
    def lost_files(self) -> DuckLakeLostFiles:
        """The lake's own files that are gone."""
        from lotuslake.adapters.ducklake_lost_files import DuckLakeLostFiles

        return DuckLakeLostFiles(self.instance, self.ledger)

    @cached_property
    def query(self) -> DuckLakeQuery:
        """Questions of the program's own to the lake."""
        from lotuslake.adapters.ducklake_query import DuckLakeQuery

        return DuckLakeQuery(self.instance, self.ledger)

    @cached_property
    def separate_query(self) -> LargeQuery:
        """Questions that a person asks, each answered in a process of its own."""
        from lotuslake.adapters.separate_query import SeparateQuery

        return SeparateQuery(lambda: self.instance_options)

    @cached_property
    def state(self) -> DuckLakeState:
        """Where the lake stands."""
        from lotuslake.adapters.ducklake_state import DuckLakeState

        return DuckLakeState(self.instance, self.ledger)

    @cached_property
    def known_streams(self) -> DuckLakeStreams:
        """The streams that the lake knows."""
        from lotuslake.adapters.ducklake_streams import DuckLakeStreams

        return DuckLakeStreams(self.instance, self.ledger)

    @property
    def project_streams(self) -> ProjectStreams:
        """The streams of the project beside those of the lake."""
        return ProjectStreams(self.streams.ids, self.known_streams)

    def metrics_sink(self, url: str) -> MetricsSink:
        """The Pushgateway at this URL."""
        from lotuslake.adapters.pushgateway import Pushgateway

        return Pushgateway(url)

    @cached_property
    def instance(self) -> DuckDbInstance:
        """The DuckDB of this process."""
        from lotuslake.adapters.duckdb_instance import DuckDbInstance

        instance = DuckDbInstance(self.instance_options)
        self._open.callback(instance.close)
        return instance

    @cached_property
    def instance_options(self) -> InstanceOptions:
        """How the lake is opened; its catalog is waited for first, where the settings say so."""
        from lotuslake.adapters.instance_options import InstanceOptions

        settings = self.settings
        if not settings.catalog_is_embedded:
            self.roots.first_connections.await_postgres(settings.catalog_url)
        return InstanceOptions(
            catalog=settings.catalog_url,
            data_url=str(settings.data_url),
            memory_limit_bytes=settings.memory_limit_bytes,
            threads=settings.threads,
            temp_dir=settings.temp_dir,
            secrets=self.roots.secrets(),
            temp_limit_bytes=settings.temp_limit_bytes,
            home=settings.project_dir,
            landing_url=str(settings.landing_url),
            relocate=self.relocate,
            interrupt=self.interrupt,
        )

    def close(self) -> None:
        """Close what was opened."""
        self._open.close()
