"""A disk is full, at COMMIT or anywhere: exit 3 and which one, nothing is lost, and with room again the work is done."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.support.disks import small_disk
from tests.support.fault_lake import EmbeddedLake, Item, items, path_of
from tests.support.tally import count

# Free bytes, from none to what lets all but the last write through: the disk is full at another moment each time.
FREE = [0, 4_096, 16_384, 40_960, 131_072, 393_216]
SHORT = {0, 40_960}


@pytest.mark.parametrize("free", [pytest.param(n, marks=[] if n in SHORT else pytest.mark.long) for n in FREE])
@pytest.mark.parametrize("what", ["catalog", "data", "temp"])
def test_a_disk_is_full(embedded_lake: EmbeddedLake, what: str, free: int) -> None:
    lake = embedded_lake
    state = lake.root / ".lotuslake"
    # The catalog lies in .lotuslake/ itself: what is not to be on its disk lies elsewhere.
    where = {"catalog": state, "data": lake.root / "data", "temp": lake.root / "temp"}
    lake.environment |= {"LOTUSLAKE_DATA_URL": str(where["data"]), "LOTUSLAKE_TEMP_DIR": str(where["temp"])}
    with small_disk(where[what], 48) as disk:
        lake.put(path_of("first"), items(0, 3))
        lake.settle()
        lake.put(path_of("second"), [Item(1, 5), *items(10, 3)])
        lake.put(path_of("text"), items(20, 3), amount_type=pa.string())
        disk.fill(but_for=free)
        for command in ("register", "transform"):
            ended = lake.run(command, expect=(0, 3))
            count("full disks")
            if ended.exit_code:
                assert f"the disk that holds {where[what]}" in ended.stderr, ended.stderr
                assert "make room" in ended.stderr
            assert "Traceback" not in ended.stderr
            assert "unexpected" not in ended.stderr
        disk.make_room()
        lake.settle()
        lake.check()
