"""A project folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lotuslake.core.errors import ConfigError
from lotuslake.core.os_errors import FULL, explain_os_error


class FolderFiles:
    """The files below a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def load(self, path: str) -> str | None:
        try:
            with (self._root / path).open(encoding="utf-8", newline="") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            # Not ours, or spoilt: whatever it is, it differs from what we would write.
            return ""
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None

    def list_files(self, folder: str) -> list[str]:
        where = self._root / folder
        with _explained(folder, "read"):
            if not where.is_dir():
                return []
            return sorted(f"{folder}/{entry.name}" for entry in where.iterdir() if entry.is_file())

    def write(self, path: str, text: str) -> None:
        target = self._root / path
        with _explained(path, "written"):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                    file.write(text)
                # mkstemp makes files for the owner alone; these are for everybody who may read the project.
                Path(temporary).chmod(0o666 & ~_umask())
                Path(temporary).replace(target)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise

    def remove(self, path: str) -> None:
        with _explained(path, "removed"):
            (self._root / path).unlink(missing_ok=True)


@contextmanager
def _explained(path: str, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise explain_os_error(error, path) or error from None
        raise ConfigError(f"{path}: cannot be {verb}: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
