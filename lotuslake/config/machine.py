"""How much memory and how many processors this process may use: what its cgroup grants, else what the machine has."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

FALLBACK_MEMORY_BYTES = 4 * 1024**3

_CGROUP = Path("sys/fs/cgroup")


def memory_bytes(root: Path = Path("/")) -> int:
    """The lowest of the cgroup's memory limits and the machine's memory. ``root`` holds `proc` and `sys`."""
    limits = [_number(folder / "memory.max") for folder in _own_folders(root, "")]
    limits += [_number(folder / "memory.limit_in_bytes") for folder in _own_folders(root, "memory")]
    return min((limit for limit in [*limits, _machine_memory(root)] if limit), default=FALLBACK_MEMORY_BYTES)


def processors(root: Path = Path("/"), machine: int | None = None) -> int:
    """The lowest of the cgroup's quotas, rounded up, and the machine's processors; at least 1."""
    quotas = [_quota_v2(folder) for folder in _own_folders(root, "")]
    quotas += [_quota_v1(folder) for folder in _own_folders(root, "cpu")]
    return max(1, min(quota for quota in [*quotas, machine or os.cpu_count() or 1] if quota))


def _own_folders(root: Path, controller: str) -> Iterator[Path]:
    """The folder of this process's cgroup and of each one above it; `""` is the unified (v2) hierarchy."""
    top = root / _CGROUP / controller
    folder = top / _own_group(root, controller)
    while folder != top and top in folder.parents:
        yield folder
        folder = folder.parent
    yield top


def _own_group(root: Path, controller: str) -> str:
    """The path in `/proc/self/cgroup`, whose lines are `id:controllers:path`."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controller in controllers.split(",") and ".." not in path:
            return path.strip("/")
    return ""


def _quota_v2(folder: Path) -> int | None:
    """`cpu.max` holds the quota and the period, or `max` and the period."""
    words = _text(folder / "cpu.max").split()
    return _rounded_up(*words) if len(words) == 2 else None  # noqa: PLR2004 - quota and period


def _quota_v1(folder: Path) -> int | None:
    return _rounded_up(_text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us").strip())


def _rounded_up(quota: str, period: str) -> int | None:
    if not (quota.isdigit() and period.isdigit() and int(period)):
        return None
    return math.ceil(int(quota) / int(period)) or None


def _machine_memory(root: Path) -> int | None:
    for line in _text(root / "proc/meminfo").splitlines():
        words = line.split()
        if words[:1] == ["MemTotal:"] and words[1:2] and words[1].isdigit():
            return int(words[1]) * 1024
    return None


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
