"""The object store that commands read from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lotuslake.core.data_file import DataFile


@dataclass(slots=True)
class RequestCount:
    """Requests made so far, by kind: what a check costs at a store that charges or waits for each."""

    lists: int = 0
    heads: int = 0
    gets: int = 0
    puts: int = 0


class ObjectStore(Protocol):
    """A root with objects below it. Paths are relative to the root, with `/` between their parts.

    Every method raises UnreachableError when the store cannot be reached or refuses, ConfigError when the setting that
    names it is wrong. An object whose key ends in `/` only stands for a folder and is not shown.
    """

    @property
    def requests(self) -> RequestCount:
        """Requests made through this object since it was made."""

    def has_root(self) -> bool:
        """Whether the root itself is there. A bucket that is not there raises ConfigError when it is listed."""

    def list_objects(self, prefix: str, *, start_after: str | None = None) -> Iterator[DataFile]:
        """Objects in the folder `prefix` at any depth (`""` for the root), page by page as they are consumed.

        They come in the order of their keys; where names hold characters that sort before `/`, a store may order
        folder by folder instead. `start_after` is a path too, and need not exist; the name of a folder ends in `/`.
        A folder that does not exist is empty.
        """

    def list_folders(self, prefix: str) -> list[str]:
        """Names, in order, of the folders directly in the folder `prefix`."""

    def head(self, path: str) -> DataFile | None:
        """The object as it is now; None if it is gone."""

    def fetch(self, path: str, to: Path) -> None:
        """Download the whole object to the file `to`.

        A body that is shorter than announced raises UnreachableError and leaves no file; so does an object that is
        gone, which `head` tells apart.
        """

    def put(self, path: str, body: bytes) -> None:
        """Write or replace an object; only the demo's data comes this way."""

    def delete(self, path: str) -> None:
        """Delete an object, for a retention that a stream's file asks for; one that is gone already is no error."""

    def url(self, path: str) -> str:
        """What DuckDB is given to read the object."""
