"""The small interfaces that the commands need, and that the adapters and `lotuslake.testing` provide."""

from lotuslake.ports.object_store import ObjectStore, RequestCount

__all__ = ["ObjectStore", "RequestCount"]
