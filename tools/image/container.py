"""A container without a runtime: namespaces of its own, a read-only root, the image's user, no network."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# buildah run makes no root read-only. Only this namespace sees the mounts, and they end with it.
START = """
set -eu
root=$1 work=$2 user=$3 folder=$4
shift 4
mount --bind "$root" "$root"
mount --bind "$work" "$root$folder"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o nosuid,size=1m,mode=755 tmpfs "$root/dev"
for device in null zero full random urandom; do
    : > "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
# dbt's locks are semaphores, which lie here.
mkdir "$root/dev/shm"
mount -t tmpfs -o nosuid,nodev,noexec,size=64m,mode=1777 tmpfs "$root/dev/shm"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --groups= --userspec="$user" "$root" env --chdir="$folder" "$@"
"""
NAMESPACES = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--net", "--ipc")


@dataclass(frozen=True)
class Container:
    """The unpacked image in `root` with its configuration; `work` is what it may write to, an emptyDir."""

    root: Path
    configuration: Mapping[str, Any]
    work: Path

    def run(self, command: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
        """The entry point with `command`, nothing but the image's environment and this one."""
        found = dict(pair.split("=", 1) for pair in self.configuration["Env"])
        user, folder = self.configuration["User"], self.configuration["WorkingDir"]
        given = [str(self.root), str(self.work), user, folder, *self.configuration["Entrypoint"], *command]
        return subprocess.run(
            [*NAMESPACES, "sh", "-c", START, "sh", *given],
            env=found | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def make_work(folder: Path, user: str) -> Path:
    """An empty folder of the image's user."""
    folder.mkdir(parents=True)
    os.chown(folder, *map(int, user.split(":")))
    return folder


def size_bytes(folder: Path) -> int:
    """Of all files, as they lie on disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
