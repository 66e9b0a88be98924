"""A source: what one `streams/{source}/_source.yml` says of a connector and its connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Source:
    """One connector with its connection; everything but the name may be left out.

    ``schedule`` is a Quartz cron expression in UTC, or ``manual``. ``secrets`` are names, never values: environment
    variables or keys of a Kubernetes secret. ``configuration`` is what the connector asks for and is no secret, in the
    connector's own words. ``connection_id`` names the connection in a running Airbyte; without it, it is looked up.
    """

    name: str
    description: str = ""
    definition_id: str | None = None
    start_date: date | None = None
    schedule: str = MANUAL
    namespace: str | None = None
    secrets: tuple[str, ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)
    connection_id: str | None = None
