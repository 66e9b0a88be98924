"""An Airbyte connector as a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lotuslake.core.discovery import DiscoveredStream


@dataclass(frozen=True, slots=True)
class DiscoverCall:
    """``config_file`` is given to the connector as it is; without one, ``configuration`` in a file of its own."""

    command: Sequence[str]
    config_file: Path | None
    configuration: Mapping[str, Any]
    timeout_seconds: float


class Connector(Protocol):
    """Runs a connector's `discover`."""

    def discover(self, call: DiscoverCall) -> dict[str, DiscoveredStream]:
        """The streams that it offers, by name.

        Raises:
            ConfigError: the command cannot be run, or the connector says that its configuration is wrong.
            UnreachableError: it failed for another reason, or took too long.
        """

    def find_version(self, command: Sequence[str]) -> tuple[str, str] | None:
        """Name and version of the connector, where its command shows them."""
