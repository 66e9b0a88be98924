"""The image's content, laid out once for all tests of this folder."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.image import Image, lay_out


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    # Not below pytest's folder, which is closed to other users.
    with tempfile.TemporaryDirectory(prefix="lotuslake-image-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        _require_a_python_that_others_may_run()
        yield lay_out(folder / "root")
        # Quicker than Python's own.
        subprocess.run(["chmod", "-R", "u+w", folder / "root"], check=True)
        subprocess.run(["rm", "-rf", folder / "root"], check=True)


@pytest.fixture(scope="session")
def works() -> Iterator[Path]:
    """A folder for what containers write."""
    with tempfile.TemporaryDirectory(prefix="lotuslake-work-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _require_a_python_that_others_may_run() -> None:
    if os.geteuid() != 0:
        return
    python = os.path.realpath(sys.executable)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv (util-linux) is not installed: the image's content was not tried")
    command = [setpriv, "--reuid=10001", "--regid=10001", "--clear-groups", python, "-c", ""]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip(f"other users may not run {python}: the image's content was not tried")
