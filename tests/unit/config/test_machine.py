"""What the cgroup grants."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from lotuslake.config.machine import FALLBACK_MEMORY_BYTES, memory_bytes, processors

MEMINFO = "MemTotal:       8388608 kB\nMemFree: 1 kB\n"
MACHINE_BYTES = 8 * 1024**3
GIB = 1024**3


def machine(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, FALLBACK_MEMORY_BYTES),
        ({"proc/meminfo": MEMINFO}, MACHINE_BYTES),
        ({"proc/meminfo": MEMINFO, "sys/fs/cgroup/memory.max": "2147483648\n"}, 2 * GIB),
        ({"proc/meminfo": MEMINFO, "sys/fs/cgroup/memory.max": "max\n"}, MACHINE_BYTES),
        ({"proc/meminfo": MEMINFO, "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n"}, GIB),
        ({"proc/meminfo": MEMINFO, "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE_BYTES),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/user.slice/job.scope\n",
                "sys/fs/cgroup/user.slice/memory.max": "1073741824\n",
                "sys/fs/cgroup/user.slice/job.scope/memory.max": "max\n",
            },
            GIB,
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "9:memory:/pod1\n",
                "sys/fs/cgroup/memory/pod1/memory.limit_in_bytes": "1073741824\n",
            },
            GIB,
        ),
    ],
)
def test_memory(tmp_path: Path, files: Mapping[str, str], expected: int) -> None:
    assert memory_bytes(machine(tmp_path, files)) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8),
        ({"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
        ({"sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ({"sys/fs/cgroup/cpu.max": "9900000 100000\n"}, 8),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 8),
    ],
)
def test_processors(tmp_path: Path, files: Mapping[str, str], expected: int) -> None:
    assert processors(machine(tmp_path, files), machine=8) == expected


def test_the_real_machine_has_something() -> None:
    assert memory_bytes() > 0
    assert processors() >= 1
