"""Errno by errno: which are a full disk, which a setting, and which are neither."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lotuslake.core.errors import ConfigError, DiskFullError, LotusLakeError
from lotuslake.core.os_errors import explain_errno, explain_os_error


@pytest.mark.parametrize(
    ("number", "kind", "part"),
    [
        (errno.ENOSPC, DiskFullError, "the disk that holds /x is full"),
        (errno.EDQUOT, DiskFullError, "the disk that holds /x is full"),
        (errno.EROFS, ConfigError, "/x lies on a read-only file system"),
        (errno.EACCES, ConfigError, "/x: permission denied"),
        (errno.EPERM, ConfigError, "/x: permission denied"),
        (errno.ENOENT, None, ""),
        (errno.EIO, None, ""),
        (None, None, ""),
    ],
)
def test_a_number_of_the_system(number: int | None, kind: type[LotusLakeError] | None, part: str) -> None:
    found = explain_errno(number, "/x")
    assert type(found) is (kind or type(None))
    if found is not None:
        assert part in found.message
        assert found.exit_code == (3 if kind is DiskFullError else 2)


def test_an_error_that_names_its_file_is_believed() -> None:
    error = OSError(errno.EROFS, os.strerror(errno.EROFS), "/really/here")
    found = explain_os_error(error, "/elsewhere")
    assert found is not None
    assert "/really/here" in found.message
    assert "/elsewhere" not in found.message


def test_a_copy_that_does_not_fit_names_where_it_went() -> None:
    """As shutil raises it: it names the file that was read first."""
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/read/from", None, "/written/to")
    found = explain_os_error(error)
    assert found is not None
    assert "holds /written/to is full" in found.message


def test_an_error_without_a_name_says_where_to_look() -> None:
    """`/dev/full` is the kernel's own disk without room."""
    with pytest.raises(OSError, match="No space left") as raised, Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")
    assert raised.value.filename is None
    assert "/the/temp" in str(explain_os_error(raised.value, "/the/temp"))
