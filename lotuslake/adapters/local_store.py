"""Landing data in a local folder."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG

from lotuslake.core.data_file import DataFile
from lotuslake.core.errors import ConfigError, UnreachableError
from lotuslake.core.os_errors import FULL, explain_os_error
from lotuslake.ports.object_store import RequestCount

# Device and inode of a folder, its identity whatever the path.
_FolderId = tuple[int, int]
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


class LocalStore:
    """A folder as an object store: every regular file in it is an object, symbolic links are followed.

    Names that are not UTF-8 come with surrogates, as everywhere in Python. ``setting`` names where the root was
    configured, for messages. A call that lists counts as one request, however many folders it reads.
    """

    def __init__(self, root: Path, *, setting: str = "LOTUSLAKE_LANDING_URL") -> None:
        # Not resolve(): DuckLake stores these paths, and a link may be pointed elsewhere later.
        self.root = Path(os.path.abspath(root))
        self.requests = RequestCount()
        self._setting = setting

    def has_root(self) -> bool:
        """See ObjectStore."""
        return self.root.is_dir()

    def list_objects(self, prefix: str, *, start_after: str | None = None) -> Iterator[DataFile]:
        """See ObjectStore."""
        self.requests.lists += 1
        with self._explained(prefix):
            self._require_folder()
            position = None if start_after is None else os.fsencode(start_after)
            yield from self._walk(_folder(prefix), position, self._lineage(prefix))

    def list_folders(self, prefix: str) -> list[str]:
        """See ObjectStore."""
        self.requests.lists += 1
        with self._explained(prefix):
            self._require_folder()
            return [entry.name for entry in self._entries(_folder(prefix)) if _is_folder(entry)]

    def head(self, path: str) -> DataFile | None:
        """See ObjectStore."""
        self.requests.heads += 1
        with self._explained(path):
            return self._data_file(path)

    def fetch(self, path: str, to: Path) -> None:
        """See ObjectStore."""
        self.requests.gets += 1
        with self._explained(path):
            announced = self._data_file(path)
            if announced is None:
                raise UnreachableError(f"{self.url(path)} is gone.")
            copied = shutil.copyfile(self.url(path), to).stat().st_size
        if copied != announced.size_bytes:
            to.unlink()
            raise UnreachableError(f"{self.url(path)}: read {copied} of {announced.size_bytes} bytes.")

    def put(self, path: str, body: bytes) -> None:
        """See ObjectStore; readers see the old file or the new one, never a part."""
        self.requests.puts += 1
        target = self.root / path
        with self._explained(path, writes=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(f".{target.name}.tmp")
            try:
                unfinished.write_bytes(body)
                unfinished.replace(target)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise

    def delete(self, path: str) -> None:
        """See ObjectStore."""
        with self._explained(path, writes=True):
            (self.root / path).unlink(missing_ok=True)

    def url(self, path: str) -> str:
        """Absolute path of the file."""
        return str(self.root / path)

    def _walk(self, folder: str, start_after: bytes | None, lineage: tuple[_FolderId, ...]) -> Iterator[DataFile]:
        for entry in self._entries(folder):
            path = folder + entry.name
            if not _is_folder(entry):
                file = self._data_file(path) if start_after is None or os.fsencode(path) > start_after else None
                if file is not None:
                    yield file
            elif start_after is None or _reaches_beyond(f"{path}/", start_after):
                found = _folder_id(entry.path)
                # A link to a folder that it lies in would be walked for ever.
                if found is not None and found not in lineage:
                    yield from self._walk(f"{path}/", start_after, (*lineage, found))

    def _lineage(self, prefix: str) -> tuple[_FolderId, ...]:
        """The folders from the root down to `prefix`."""
        start = self.root / prefix
        inside = [folder for folder in (start, *start.parents) if folder.is_relative_to(self.root)]
        return tuple(found for folder in inside if (found := _folder_id(folder)) is not None)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """What a folder holds, sorted as S3 would sort the keys; nothing if it is not there (any more)."""
        try:
            with os.scandir(self.root / folder) as entries:
                return sorted(entries, key=lambda entry: os.fsencode(entry.name + ("/" if _is_folder(entry) else "")))
        except OSError as error:
            if error.errno in _NOT_THERE:
                return []
            raise

    def _data_file(self, path: str) -> DataFile | None:
        try:
            found = (self.root / path).stat()
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise
        if not S_ISREG(found.st_mode):
            return None
        # A hash of the content would read every file at every listing. The time in nanoseconds and the size change with
        # every rewrite in practice; and a changed etag only leads to a closer look at the file.
        etag = f"{found.st_mtime_ns:x}-{found.st_size:x}"
        return DataFile(path, found.st_size, etag, datetime.fromtimestamp(found.st_mtime, UTC))

    def _require_folder(self) -> None:
        if self.root.exists() and not self.root.is_dir():
            raise ConfigError(f"{self._setting}: {self.root} is a file, not a folder.")

    @contextmanager
    def _explained(self, path: str, *, writes: bool = False) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # What may not be read may be so again a moment later, as on S3; what may not be written is a setting.
            told = explain_os_error(error, self.url(path)) if writes or error.errno in FULL else None
            if told is not None:
                raise told from error
            place = error.filename or self.url(path)
            raise UnreachableError(f"Cannot use {place}: {error.strerror or error}.") from error


def _folder(prefix: str) -> str:
    return f"{prefix}/" if prefix else ""


def _reaches_beyond(folder: str, start_after: bytes) -> bool:
    """Whether a folder (with its slash) can hold a path after `start_after`."""
    name = os.fsencode(folder)
    return name > start_after or start_after.startswith(name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # Path.is_dir(), unlike DirEntry.is_dir(), takes a link to itself for no folder instead of raising.
    return entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and Path(entry.path).is_dir())


def _folder_id(folder: str | Path) -> _FolderId | None:
    try:
        found = Path(folder).stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
