"""`python -m tools.connectors FOLDER`: install the connectors of tests/connectors/requirements-*.txt below the folder.

Exit 75 when this machine cannot have them: no Python 3.11, or a package that no index gives; the reason is printed.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CONNECTORS = ("faker", "klaviyo", "shopify")
REQUIREMENTS = Path(__file__).parents[2] / "tests" / "connectors"
NOT_TO_BE_HAD = 75
# faker and klaviyo refuse 3.12, and the requirements were resolved for 3.11.
PYTHONS = (sys.executable, "python3.11", *sorted(map(str, Path.home().glob(".pyenv/versions/3.11.*/bin/python"))))
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input", "install", "--no-compile")
LOCKED = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
_UNAVAILABLE = re.compile(
    r"No matching distribution found|Could not (find|fetch)|NewConnectionError|ReadTimeout|Max retries exceeded"
    r"|Temporary failure in name resolution|HTTP error (403|404|5\d\d)|Connection (refused|reset|aborted)",
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
    """The first that runs, is 3.11 and can make environments."""
    check = "import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 11))"
    for candidate in candidates:
        if shutil.which(candidate) and not subprocess.run([candidate, "-c", check], capture_output=True).returncode:  # noqa: PLW1510
            return candidate
    raise UnavailableError("there is no Python 3.11 with venv, and two of them refuse 3.12")


def install(name: str, folder: Path, python: str) -> None:
    """The connector in an environment of its own, anew when its requirements have changed."""
    files = [REQUIREMENTS / f"requirements-{part}.txt" for part in ("build", name)]
    stamp = folder / "installed"
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing airbyte-source-{name}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _run([python, "-m", "venv", str(folder)])
    own = str(folder / "bin" / "python")
    _run([own, *PIP, *LOCKED, "--requirement", str(files[0])])
    # pendulum 2 has no wheel for 3.11: built here, with the locked build tools and no download on the side.
    own_build = ("--no-binary", "pendulum", "--no-build-isolation") if "pendulum==2" in files[1].read_text() else ()
    _run([own, *PIP, *LOCKED, *own_build, "--requirement", str(files[1])])
    stamp.write_text(wanted)


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
    told = errors[-1] if errors else f"exit {done.returncode}"
    if _UNAVAILABLE.search(done.stderr):
        raise UnavailableError(told)
    raise SystemExit(f"{' '.join(command[:3])}: {told}\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
