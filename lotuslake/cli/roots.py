"""The stores of a run's two roots, and how DuckDB reaches them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from lotuslake.config.settings import Settings
from lotuslake.config.variables import variable
from lotuslake.core.location import Location
from lotuslake.ports import ObjectStore

if TYPE_CHECKING:
    from lotuslake.adapters.aws import DuckdbS3Secret, S3Access
    from lotuslake.adapters.first_connection import FirstConnections


class Roots:
    """The landing root and the data root; their adapters are imported when they are first asked for.

    ``interrupt`` raises during a wait where a person has asked to stop.
    """

    def __init__(self, settings: Settings, interrupt: Callable[[], None]) -> None:
        self._settings = settings
        self._interrupt = interrupt
        self._accesses: dict[str, S3Access] = {}

    @cached_property
    def first_connections(self) -> FirstConnections:
        """The patience that a run has at its start."""
        from lotuslake.adapters.first_connection import FirstConnections

        return FirstConnections(self._settings.connect_seconds, self._interrupt)

    @cached_property
    def landing(self) -> ObjectStore:
        """The store that holds the landing root."""
        return self._store("landing_url")

    @cached_property
    def data(self) -> ObjectStore:
        """The store that holds the data root."""
        return self._store("data_url")

    def secrets(self) -> list[DuckdbS3Secret]:
        """For DuckDB, one for each root in S3, with credentials as they are now."""
        urls = [name for name in ("landing_url", "data_url") if self._location(name).scheme == "s3"]
        return [self._access(name).duckdb_secret() for name in urls]

    def _store(self, name: str) -> ObjectStore:
        location = self._location(name)
        if location.scheme == "file":
            from pathlib import Path

            from lotuslake.adapters.local_store import LocalStore

            return LocalStore(Path(location.path), setting=variable(name))
        from lotuslake.adapters.s3_store import S3Store

        return S3Store(self._access(name))

    def _location(self, name: str) -> Location:
        return self._settings.landing_url if name == "landing_url" else self._settings.data_url

    def _access(self, name: str) -> S3Access:
        """One for each root: it resolves endpoint and credentials once."""
        if name not in self._accesses:
            from lotuslake.adapters.aws import S3Access

            settings = self._settings
            profile = settings.landing_profile if name == "landing_url" else settings.data_profile
            access = self._accesses[name] = S3Access(self._location(name), profile=profile, setting=variable(name))
            if settings.connect_seconds:
                endpoint = access.endpoint_url or f"https://s3.{access.region}.amazonaws.com"
                self.first_connections.await_store(endpoint)
        return self._accesses[name]
