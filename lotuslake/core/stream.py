"""A stream: what one `streams/{source}/{stream}.yml` says, parsed and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from lotuslake.core.field_types import ColumnType

SyncMode = Literal["incremental", "full_refresh"]
DestinationSyncMode = Literal["append", "overwrite"]
LandingMode = Literal["reference", "copy"]
NullKeys = Literal["keep", "drop"]

DEFAULT_LOOKBACK_DAYS = 3
DEFAULT_SETTLE_AFTER = timedelta(hours=2)
DEFAULT_MAX_SHRINK = 0.5


@dataclass(frozen=True, slots=True)
class Field:
    """A declared field: its JSON schema as written, and the landing type it maps to.

    ``name`` is the column's name; ``source_name`` is the name at the source where Airbyte had to change it.
    """

    name: str
    type: ColumnType
    schema: Mapping[str, Any]
    description: str = ""
    source_name: str | None = None


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Bounds of one batch: all three hold at once, but one file is always allowed."""

    max_files: int
    max_bytes: int
    max_rows: int

    def capped_by(self, lower: BatchLimits | None) -> BatchLimits:
        """The lower of the two bounds, one by one."""
        if lower is None:
            return self
        return BatchLimits(
            min(self.max_files, lower.max_files),
            min(self.max_bytes, lower.max_bytes),
            min(self.max_rows, lower.max_rows),
        )


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the newest file may be before a warning, and before a finding."""

    warn_after: timedelta | None = None
    error_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream, named `source/stream` everywhere.

    ``null_keys`` says where records go whose key is wholly NULL: into rows of their own, or nowhere but landing.
    """

    source: str
    name: str
    description: str
    sync_mode: SyncMode
    destination_sync_mode: DestinationSyncMode
    primary_key: tuple[str, ...]
    cursor_field: str | None
    fields: tuple[Field, ...]
    landing_path: str
    landing: LandingMode = "reference"
    batch: BatchLimits | None = None
    lookback_days: int = DEFAULT_LOOKBACK_DAYS
    freshness: Freshness = field(default_factory=Freshness)
    retention_days: int | None = None
    settle_after: timedelta = DEFAULT_SETTLE_AFTER
    max_shrink: float = DEFAULT_MAX_SHRINK
    tombstone_field: str | None = None
    null_keys: NullKeys = "keep"

    @property
    def id(self) -> str:
        """`source/stream`."""
        return f"{self.source}/{self.name}"

    @property
    def slug(self) -> str:
        """`source__stream`, the part shared by the names of this stream's tables."""
        return f"{self.source}__{self.name}"

    @property
    def landing_table(self) -> str:
        """Name of the table in schema `landing`."""
        return f"stg_{self.slug}"

    @property
    def processed_model(self) -> str:
        """Name of the table in schema `processed` and of the dbt model that makes it."""
        return f"int_{self.slug}"
