"""A running Airbyte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lotuslake.core.airbyte_job import Connection, Job, SourceStream


class Airbyte(Protocol):
    """Asks a running Airbyte for more than its schedule gives.

    Every method raises ConfigError when Airbyte refuses us or what we ask for, SourceBusyError when the connection is
    at work, UnreachableError for everything that may pass.
    """

    def list_connections(self) -> Sequence[Connection]:
        """Every connection that our credentials may see."""

    def load_job_under_way(self, connection_id: str) -> Job | None:
        """The job that keeps the connection busy, if there is one."""

    def refresh(self, connection_id: str, streams: Sequence[SourceStream]) -> Job:
        """Begin to read just these streams anew from the beginning; what was landed before stays."""

    def load_state(self, connection_id: str) -> Mapping[str, Any]:
        """The connection's state, as ConnectionState of Airbyte's Configuration API."""

    def replace_state(self, connection_id: str, state: Mapping[str, Any]) -> None:
        """Replace the whole state, unless a sync is running."""

    def begin_sync(self, connection_id: str) -> Job:
        """Begin an ordinary sync of the whole connection."""

    def load_job(self, job_id: int) -> Job:
        """How a job stands."""
