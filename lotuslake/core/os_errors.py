"""What the operating system refuses, in the program's own words."""

from __future__ import annotations

import errno

from lotuslake.core.errors import ConfigError, DiskFullError, LotusLakeError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def explain_os_error(error: OSError, place: str = "") -> LotusLakeError | None:
    """The program's error for a full disk or a refusal; None for anything else.

    ``place`` is what was written or read, where the error itself does not name it.
    """
    # Python names both files of a copy: the first is read, the second is written.
    written = error.filename2 if error.errno in FULL else None
    named = written or error.filename
    return explain_errno(error.errno, str(named) if named else place)


def explain_errno(number: int | None, place: str) -> LotusLakeError | None:
    """As `explain_os_error`, from the system's number."""
    if number in FULL:
        return disk_full(f"the disk that holds {place or 'the project or the temporary folder'} is full")
    if number == errno.EROFS:
        return ConfigError(
            f"{place or 'a file'} lies on a read-only file system: mount it for writing, or run this where it is"
        )
    if number in REFUSED:
        return ConfigError(f"{place or 'a file'}: permission denied; give the user that runs lotuslake the right to it")
    return None


def disk_full(what: str) -> DiskFullError:
    """The error for a full disk; ``what`` says which."""
    return DiskFullError(f"{what}. Nothing is lost: make room there and run the same command again")
