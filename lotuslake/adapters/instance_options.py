"""How a DuckDB is opened for a lake; without DuckDB itself, whose import takes longer than a quick command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lotuslake.adapters.aws import DuckdbS3Secret


def never() -> None:
    """Nobody asks a wait to end."""


@dataclass(frozen=True, slots=True)
class InstanceOptions:
    """``catalog`` is a file or a `postgresql://` URL, ``data_url`` DuckLake's DATA_PATH.

    ``home`` is the project's folder. ``relocate`` says that the data root was moved since the catalog was made,
    ``interrupt`` raises during a wait where a person has asked to stop.
    """

    catalog: str
    data_url: str
    memory_limit_bytes: int
    threads: int
    temp_dir: Path
    secrets: Sequence[DuckdbS3Secret] = ()
    lock_wait_seconds: float = 30.0
    temp_limit_bytes: int | None = None
    home: Path | None = None
    landing_url: str = ""
    relocate: bool = False
    interrupt: Callable[[], None] = never

    @property
    def is_embedded(self) -> bool:
        """Whether the catalog is a file."""
        return not self.catalog.startswith("postgresql://")

    @property
    def uses_s3(self) -> bool:
        """Whether any root lies in an object store."""
        return bool(self.secrets) or self.data_url.startswith("s3://")

    @property
    def extensions(self) -> list[str]:
        """The extensions that the roots and the catalog ask for."""
        extensions = ["ducklake"]
        if self.uses_s3:
            extensions.append("httpfs")
        if not self.is_embedded:
            extensions.append("postgres_scanner")
        return extensions
