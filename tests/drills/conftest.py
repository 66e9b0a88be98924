"""Lakes that are lost, in part or whole, and come back."""

from __future__ import annotations

from tests.faults.conftest import embedded_lake, is_long, make_lake, service_lake

__all__ = ["embedded_lake", "is_long", "make_lake", "service_lake"]
