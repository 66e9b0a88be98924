"""Which of the commits that pass through a proxy is to be cut."""

from __future__ import annotations


class LakeCommit:
    """A predicate for `TcpProxy.cut_when`: the ``number``-th COMMIT that makes a new snapshot of the lake."""

    def __init__(self, number: int = 1) -> None:
        self._left = number
        self._writes = False

    def __call__(self, data: bytes) -> bool:
        """Whether these bytes hold it."""
        if b"ducklake_snapshot_changes" in data and b"INSERT" in data:
            self._writes = True
        if not (self._writes and b"COMMIT" in data[-40:]):
            return False
        self._writes = False
        self._left -= 1
        return self._left == 0
