"""Which files a stream's processed model is to show: all that stand, or those of its newest complete generation.

The rules and their sources stand in docs/histories.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lotuslake.core.content import Choice, Content, Evidence
from lotuslake.core.data_file import READABLE, FileStatus, LedgerEntry
from lotuslake.core.full_refresh import FullRefresh
from lotuslake.core.generation import WITH_ROWS, split_generations
from lotuslake.core.shrinking import hold_back_shrunk
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor

EXPIRED_TOO = READABLE | {FileStatus.EXPIRED}


def choose_content(stream: Stream, entries: Sequence[LedgerEntry], cursor: Cursor, evidence: Evidence) -> Choice:
    """What the table is to show.

    A generation replaces what is shown when it is complete. In a ``full_refresh`` stream that is the newest one. In an
    incremental stream only a truncating refresh replaces: of the generation that the table began with no file is left.
    """
    if stream.sync_mode == "full_refresh":
        return FullRefresh(stream, entries, cursor, evidence).choose()
    wanted = _incremental_content(stream, entries, cursor, evidence.now)
    if wanted.is_shown or cursor.version == 0:
        return Choice(wanted)
    return hold_back_shrunk(stream, wanted, cursor, evidence)


def _incremental_content(stream: Stream, entries: Sequence[LedgerEntry], cursor: Cursor, now: datetime) -> Content:
    standing = tuple(entry for entry in entries if entry.status in READABLE)
    # What a retention has let go was learned for good: it still counts as there.
    generations = split_generations(entries, stream, EXPIRED_TOO)
    base = generations[0] if generations else None
    base_id = base.id if base else cursor.generation_id
    is_left = cursor.generation_id in {one.id for one in generations}
    if cursor.version == 0 or base is None or cursor.generation_id is None or is_left:
        id_ = cursor.generation_id if is_left and cursor.version > 0 else base_id
        return Content(standing, id_, is_shown=cursor.version > 0)
    # Files that are gone by now still say when it was over.
    newest = next(one for one in split_generations(entries, stream, WITH_ROWS) if one.id == generations[-1].id)
    if now - newest.newest_file_at < stream.settle_after:
        reason = (
            f"of generation {cursor.generation_id} no object is left, and the one that takes its place has not settled"
        )
        return Content(standing, cursor.generation_id, is_shown=True, held_back=reason)
    shrink_id = f"held_back:{stream.id}:{base_id}:{base.began}"
    return Content(standing, base_id, is_shown=False, shrink_id=shrink_id)
