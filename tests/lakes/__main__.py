"""Keep a lake as this program leaves it: `python -m tests.lakes`, as `make keep-lake` calls it. README.md says more."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from lotuslake import __version__
from lotuslake.adapters.ducklake_version import newest_version
from tests.support.fault_lake import make_items_project
from tests.support.kept_lake import ARCHIVES, SteadyLake, live, pack


def main() -> None:
    archive = ARCHIVES / f"{__version__}-lake-{newest_version()}.tar.xz"
    if archive.exists():
        sys.exit(f"{archive} is there already: what a program has left is never made again")
    with tempfile.TemporaryDirectory(prefix="lotuslake-kept-") as folder:
        root = Path(folder) / "project"
        make_items_project(root)
        lake = SteadyLake(root)
        live(lake)
        lake.check_landing()
        pack(lake, archive)
    print(f"{archive}: {archive.stat().st_size} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
