"""What this machine must have for a build: rights, programs, packages; and how a program is run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

PROGRAMS = ("buildah", "mmdebstrap")
# Of apt, pip and what they stand on. A package that an index does not have is no lack of this machine.
_UNREACHABLE = re.compile(
    r"Failed to fetch|Could not (resolve|connect)|Temporary failure|Connection (refused|reset|timed out)"
    r"|NewConnectionError|ReadTimeout|Network is unreachable",
)


class UnavailableError(Exception):
    """This machine cannot build the image; the text says why."""


def run(command: Sequence[str | Path], **options: str | Mapping[str, str]) -> str:
    """Its stdout. Options are `input` and `env`.

    Raises:
        UnavailableError: what it wanted could not be fetched.
        SystemExit: it failed otherwise; the text ends with what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode == 0:
        return str(done.stdout)
    told = f"{done.stdout}\n{done.stderr}".strip()[-4000:]
    if found := _UNREACHABLE.search(done.stderr):
        line = next(line for line in done.stderr.splitlines() if found.group() in line)
        raise UnavailableError(f"{Path(command[0]).name}: {line.strip()[:300]}")
    raise SystemExit(f"{' '.join(map(str, command[:6]))} … ended with {done.returncode}:\n{told}")


def prepare(base_python: str) -> None:
    """See to the rights and the programs; buildah and mmdebstrap are installed by apt-get where they are missing.

    `base_python` is the version of the base's Python, such as 3.11: packages are fetched for it by this one.
    """
    if os.geteuid() != 0:
        raise UnavailableError("building without a daemon takes root here (a bootstrapped Debian, chroot)")
    own_python = "{}.{}".format(*sys.version_info)
    if own_python != base_python:
        raise UnavailableError(
            f"packages for Python {base_python} are fetched by that version, and this is {own_python}"
        )
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        _install(missing)
    tried = subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        raise UnavailableError("this machine lets nobody make namespaces (unshare)")


def apt_sources(suite: str, folder: Path = Path("/etc/apt")) -> list[Path]:
    """The machine's own lists of sources that name the suite."""
    named = re.compile(rf"(?<![\w-]){suite}(?![\w])")
    files: Iterable[Path] = (folder / "sources.list", *sorted(folder.glob("sources.list.d/*")))
    found = [f for f in files if f.suffix in (".list", ".sources") and f.is_file() and named.search(_uncommented(f))]
    if not found:
        raise UnavailableError(f"none of this machine's apt sources is for {suite}")
    return found


def _uncommented(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def _install(programs: Sequence[str]) -> None:
    if not shutil.which("apt-get"):
        raise UnavailableError(f"{' and '.join(programs)} missing, and there is no apt-get")
    print(f"image-build: installing {' and '.join(programs)} with apt-get", flush=True)
    quiet = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *programs]
    told = ""
    # The second time with fresh lists of packages: there may be none, or old ones.
    for command in (install, ["apt-get", "-qq", "update"], install):
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
        if command is install and done.returncode == 0:
            return
        told = " ".join(done.stderr.split())[-300:]
    raise UnavailableError(f"apt-get cannot install {' and '.join(programs)}: {told}")
