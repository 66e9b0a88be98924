"""Names of the tables that tell where models stand."""

from __future__ import annotations

from lotuslake.adapters.duckdb_instance import LAKE
from lotuslake.core.field_types import quote_identifier


def cursor_table(model: str) -> str:
    """The one-row table that tells where a model stands."""
    return f"{LAKE}.meta.{quote_identifier(f'cursor_{model}')}"


def rebuild_name(model: str, part: str = "") -> str:
    """The one-row table that tells how far a rebuild, or a part of it, has come; there only while one is under way."""
    return f"rebuild_{model}_{part}" if part else f"rebuild_{model}"


def rebuild_table(model: str, part: str = "") -> str:
    """Its quoted name."""
    return f"{LAKE}.meta.{quote_identifier(rebuild_name(model, part))}"
