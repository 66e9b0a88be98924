"""The image without a container: its content in a folder that nobody may write to, run as its user."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.support.manifests import ROOT
from tests.support.programs import find_program

# Where the Dockerfile puts the content, and what its user may write to.
IN_IMAGE, WORK = "/opt/lotuslake", "/work"
USER_ID = 10001
# Answers nothing: for machines that cannot make a network of their own.
REFUSED = "http://127.0.0.1:9"
NO_PROXY_CAN_HELP = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), REFUSED)
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Image:
    """The laid-out content below ``folder``."""

    folder: Path

    @property
    def content(self) -> Path:
        """What is IN_IMAGE there."""
        return self.folder / IN_IMAGE.lstrip("/")

    @property
    def size_bytes(self) -> int:
        """Of all files, as they lie on disk."""
        return sum(path.lstat().st_blocks * 512 for path in self.folder.rglob("*") if not path.is_dir())

    @cached_property
    def variables(self) -> dict[str, str]:
        """The Dockerfile's last ENV."""
        text = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")[-1]
        (block,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", text, re.MULTILINE)
        return dict(pair.split("=", 1) for pair in block.replace("\\\n", " ").split())

    def environment(self, work: Path) -> dict[str, str]:
        """What a container starts with; ``work`` is its /work."""
        found = {
            name: value.replace(IN_IMAGE, str(self.content)).replace("$PATH", SYSTEM_PATH)
            for name, value in self.variables.items()
        }
        return {name: re.sub(rf"^{WORK}(?=/|$)", str(work), value) for name, value in found.items()}

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], work: Path, *, offline: bool = False
    ) -> subprocess.Popen[str]:
        """A container's process: the entry point with `command`, nothing but this environment."""
        given = self.environment(work) | dict(environment) | (NO_PROXY_CAN_HELP if offline and not _CAN_UNSHARE else {})
        return subprocess.Popen(
            [*(_without_network() if offline else []), *_as_user(), *_entry_point(), *command],
            env=given,
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], work: Path, *, offline: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """The same, awaited."""
        process = self.start(command, environment, work, offline=offline)
        stdout, stderr = process.communicate(timeout=600)
        return subprocess.CompletedProcess(list(command), process.returncode, stdout, stderr)


def exit_code(process: subprocess.Popen[str]) -> int:
    """As tini and Kubernetes tell it: 128 and the signal, where one ended the process before it could answer."""
    code: int = process.returncode
    return code if code >= 0 else 128 - code


def lay_out(folder: Path) -> Image:
    """What the Dockerfile does, then nobody may write."""
    image = Image(folder)
    subprocess.run(
        [ROOT / "docker" / "layout", image.content],
        env=dict(os.environ) | {"PYTHON": sys.executable},
        check=True,
        capture_output=True,
        text=True,
    )
    subprocess.run(["chmod", "-R", "a+rX,a-w", folder], check=True)
    return image


def scratch_folder() -> str | None:
    """Where half a gigabyte of small files is quickly written and removed: memory, where there is room for programs."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or not os.access(memory, os.W_OK):
        return None
    found = os.statvfs(memory)
    is_roomy = found.f_bavail * found.f_frsize > 4 * 2**30
    return str(memory) if is_roomy and not found.f_flag & os.ST_NOEXEC else None


def make_work(folder: Path) -> Path:
    """A container's /work: empty, and its user's."""
    folder.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(folder, USER_ID, USER_ID)
    return folder


def _as_user() -> list[str]:
    """Root may write anywhere, so it becomes the image's user; for anybody else, what is not writable is not writable.

    The user keeps the right to read: the Python that the venv points to may lie in a folder closed to others.
    """
    if os.geteuid() != 0:
        return []
    reading = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")
    return ["setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", "--clear-groups", *reading]


def _entry_point() -> list[str]:
    """The image's, where Debian's tini is installed; -s since it is not PID 1 here."""
    tini = find_program("tini")
    return [tini, "-s", "--"] if tini else []


def _without_network() -> list[str]:
    return [*_UNSHARE] if _CAN_UNSHARE else []


_UNSHARE = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "--map-current-user", "-n"]
_CAN_UNSHARE = shutil.which("unshare") is not None and (
    subprocess.run([*_UNSHARE, "true"], check=False, capture_output=True).returncode == 0
)
