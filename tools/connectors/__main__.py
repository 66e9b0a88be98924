"""`python -m tools.connectors FOLDER`: install the connectors of tests/connectors/requirements-*.txt below the folder.

Exit 75 when this machine cannot have them: no Python 3.11, or a package that no index gives; the reason is printed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

CONNECTORS = ("faker", "klaviyo", "shopify")
REQUIREMENTS = Path(__file__).parents[2] / "tests" / "connectors"
NOT_TO_BE_HAD = 75
# faker and klaviyo refuse 3.12, and the requirements were resolved for 3.11.
PYTHONS = (sys.executable, "python3.11", *sorted(map(str, Path.home().glob(".pyenv/versions/3.11.*/bin/python"))))
UV = (sys.executable, "-m", "uv", "--quiet")
INSTALL = (*UV, "pip", "install", "--require-hashes", "--no-deps", "--only-binary", ":all:")
_UNAVAILABLE = re.compile(
    r"there (is|are) no versions? of|not found in the package registry|Failed to fetch|dns error|operation timed out"
    r"|HTTP status (client|server) error \((403|404|5\d\d)|Connection (refused|reset|aborted)",
)


class UnavailableError(Exception):
    """This machine cannot have the connectors; the text says why."""


def main(arguments: Sequence[str]) -> int:
    """Install what is not there yet, all at once."""
    folder = Path(*arguments).absolute()
    try:
        python = find_python(PYTHONS)
        with ThreadPoolExecutor(len(CONNECTORS)) as pool:
            list(pool.map(lambda name: install(name, folder / name, python), CONNECTORS))
    except UnavailableError as reason:
        print(f"Airbyte's connectors are not to be had here: {reason}")
        return NOT_TO_BE_HAD
    return 0


def find_python(candidates: Sequence[str]) -> str:
    """The first that runs and is 3.11."""
    check = "import sys; sys.exit(sys.version_info[:2] != (3, 11))"
    for candidate in candidates:
        if shutil.which(candidate) and not subprocess.run([candidate, "-c", check], capture_output=True).returncode:  # noqa: PLW1510
            return candidate
    raise UnavailableError("there is no Python 3.11, and two of them refuse 3.12")


def install(name: str, folder: Path, python: str) -> None:
    """The connector in an environment of its own, anew when its requirements have changed."""
    files = [REQUIREMENTS / f"requirements-{part}.txt" for part in ("build", name)]
    stamp = folder / "installed"
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing airbyte-source-{name}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _run([*UV, "venv", "--python", python, str(folder)])
    own = ("--python", str(folder / "bin" / "python"))
    _run([*INSTALL, *own, "--requirement", str(files[0])])
    # pendulum 2 has no wheel for 3.11: built here, with the locked build tools and no download on the side.
    own_build = ("--no-binary", "pendulum", "--no-build-isolation") if "pendulum==2" in files[1].read_text() else ()
    _run([*INSTALL, *own, *own_build, "--requirement", str(files[1])])
    stamp.write_text(wanted)


def with_pips_index(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for uv, which does not read the index that pip is told to use."""
    index = environ.get("PIP_INDEX_URL") or _pip_setting("global.index-url")
    return {**({"UV_DEFAULT_INDEX": index} if index else {}), **environ}


@cache
def _pip_setting(name: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", name], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, env=with_pips_index(os.environ), capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    told = " ".join(done.stderr.split()) or f"exit {done.returncode}"
    if _UNAVAILABLE.search(done.stderr):
        raise UnavailableError(told[:500])
    raise SystemExit(f"{' '.join(command[:6])}: {told[-2000:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
