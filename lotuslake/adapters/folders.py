"""Folders that settings name, looked at before anything is written, and files that are there in full or as they were."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from lotuslake.core.errors import ConfigError
from lotuslake.core.os_errors import explain_errno


def require_folder(path: Path, setting: str) -> None:
    """Make a folder that is to be written to.

    Raises:
        ConfigError: it cannot be made, or nothing may be written to it.
        DiskFullError: it does not fit.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain_errno(error.errno, f"{setting}: {error.filename or path}") or ConfigError(
            f"{setting}: the folder {path} cannot be made: {error.strerror}"
        ) from None
    require_writable(path, setting)


def require_writable(path: Path, setting: str) -> None:
    """Raise ConfigError for a file or folder that this user, or this mount, may not write."""
    if os.access(path, os.W_OK):
        return
    number = errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES
    raise explain_errno(number, f"{setting}: {path}") or ConfigError(f"{setting}: {path} may not be written")


def replace_file(path: Path, body: bytes) -> None:
    """Write a file that another program may be reading, or that a full disk may cut short."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(body)
        unfinished.replace(path)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise
