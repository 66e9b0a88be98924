"""An object store in a dict."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from lotuslake.core.data_file import DataFile
from lotuslake.core.errors import UnreachableError
from lotuslake.ports.object_store import RequestCount


def utc_now() -> datetime:
    """The present instant, aware."""
    return datetime.now(UTC)


class MemoryStore:
    """An ObjectStore that lives in a dict and pages its listings as S3 does.

    ``clock`` gives the time of each write; ``page_size`` is how many objects one LIST request shows.
    """

    def __init__(self, *, clock: Callable[[], datetime] = utc_now, page_size: int = 1000) -> None:
        self.requests = RequestCount()
        self._clock = clock
        self._page_size = page_size
        self._objects: dict[str, tuple[DataFile, bytes]] = {}

    def has_root(self) -> bool:
        """See ObjectStore."""
        return True

    def list_objects(self, prefix: str, *, start_after: str | None = None) -> Iterator[DataFile]:
        """See ObjectStore."""
        paths = [path for path in self._paths_in(prefix) if start_after is None or path > start_after]
        for start in range(0, max(len(paths), 1), self._page_size):
            self.requests.lists += 1
            for path in paths[start : start + self._page_size]:
                yield self._objects[path][0]

    def list_folders(self, prefix: str) -> list[str]:
        """See ObjectStore."""
        self.requests.lists += 1
        below = (path[len(_folder(prefix)) :] for path in self._paths_in(prefix))
        return sorted({path.partition("/")[0] for path in below if "/" in path})

    def head(self, path: str) -> DataFile | None:
        """See ObjectStore."""
        self.requests.heads += 1
        found = self._objects.get(path)
        return None if found is None else found[0]

    def fetch(self, path: str, to: Path) -> None:
        """See ObjectStore."""
        self.requests.gets += 1
        if path not in self._objects:
            raise UnreachableError(f"{self.url(path)} is gone.")
        to.write_bytes(self._objects[path][1])

    def put(self, path: str, body: bytes) -> None:
        """See ObjectStore."""
        self.requests.puts += 1
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        self._objects[path] = DataFile(path, len(body), etag, self._clock()), body

    def read(self, path: str) -> bytes:
        """The body of an object, as DuckDB would read it by its URL: no request is counted."""
        return self._objects[path][1]

    def delete(self, path: str) -> None:
        """See ObjectStore."""
        self._objects.pop(path, None)

    def url(self, path: str) -> str:
        """See ObjectStore."""
        return f"memory://{path}"

    def _paths_in(self, prefix: str) -> list[str]:
        return sorted(path for path in self._objects if path.startswith(_folder(prefix)))


def _folder(prefix: str) -> str:
    return f"{prefix}/" if prefix else ""
