"""The image's content, laid out once for all tests of this folder."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.image import Image, lay_out, scratch_folder


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("setpriv (util-linux) is not installed: root cannot try what others may not write")
    # Not below pytest's folder, which is closed to other users.
    with tempfile.TemporaryDirectory(prefix="lotuslake-image-", dir=scratch_folder()) as name:
        Path(name).chmod(0o755)
        root = Path(name, "root")
        yield lay_out(root)
        subprocess.run(["chmod", "-R", "u+w", root], check=True)


@pytest.fixture(scope="session")
def works() -> Iterator[Path]:
    """A folder for what containers write."""
    with tempfile.TemporaryDirectory(prefix="lotuslake-work-", dir=scratch_folder()) as name:
        Path(name).chmod(0o755)
        yield Path(name)
