"""What a running Airbyte says of its connections and jobs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lotuslake.core.errors import ConfigError
from lotuslake.core.source import Source

# JobStatusEnum; `incomplete` is a job between two attempts.
UNDER_WAY = frozenset({"pending", "running", "incomplete"})
SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class Connection:
    """A source with its destination; ``namespace`` is the format of its own, where it has one."""

    id: str
    name: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class SourceStream:
    """A stream as Airbyte names it."""

    name: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a connection; ``rows`` is what it has moved so far, where Airbyte says so."""

    id: int
    connection_id: str
    kind: str
    status: str
    rows: int | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it may still move rows."""
        return self.status in UNDER_WAY

    def __str__(self) -> str:
        rows = "" if self.rows is None else f", {self.rows:,} rows"
        return f"Airbyte job {self.id} ({self.kind}): {self.status}{rows}"


def find_connection(source: Source, connections: Sequence[Connection]) -> Connection:
    """The connection of a source that names none: by its name, such as `shopify to lake`, else by its namespace.

    Raises:
        ConfigError: there is none, or several.
    """
    by_name = [found for found in connections if _is_named_after(found.name, source.name)]
    namespace = source.namespace or source.name
    chosen = by_name or [found for found in connections if found.namespace == namespace]
    if len(chosen) == 1:
        return chosen[0]
    what = "several connections" if chosen else "no connection"
    shown = ", ".join(f"{found.name!r} ({found.id})" for found in (chosen or connections)[:5]) or "none at all"
    raise ConfigError(
        f"streams/{source.name}: Airbyte has {what} of this source; it has {shown}: "
        "name one as connection_id in the source's _source.yml"
    )


def _is_named_after(connection: str, source: str) -> bool:
    """`Shopify`, `shopify to lake` and Airbyte's own `Shopify → S3` are named after `shopify`."""
    first = re.split(r"\s+to\s+|\s*(?:→|->)\s*", connection.strip(), maxsplit=1)[0]
    return first.strip().casefold().replace(" ", "_") == source.casefold()
