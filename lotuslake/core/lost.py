"""What is said of the lake's own files that are gone, and the command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lotuslake.core.finding import Finding
from lotuslake.core.stream import Stream

KIND = "lost"


@dataclass(frozen=True, slots=True)
class LostTable:
    """A table whose files under the data root are not all there: how many are gone, and the rows that they held.

    ``first`` is the name of one of them. ``schema`` is `landing` for converted copies.
    """

    schema: str
    name: str
    files: int
    rows: int
    first: str


def lost_finding(stream: Stream, table: LostTable, now: datetime) -> Finding:
    """The finding for a table of this stream, or downstream of it; another loss of the same table is another finding."""
    if table.schema == "landing":
        what, command = f"{table.files} converted copies", f"lotuslake backfill {stream.id} --reregister"
        remedy = "makes them anew from the raw objects"
    else:
        what, command = f"{table.files} files", f"lotuslake transform {stream.id}"
        remedy = "builds what is gone anew, as far as landing has it"
    return Finding(
        id=f"{KIND}:{stream.id}:{table.schema}.{table.name}:{table.files}:{table.first}",
        kind="lost",
        stream=stream.id,
        subject=f"{table.schema}.{table.name}",
        reason=f"{what} ({table.rows} rows) are gone from the data root, such as {table.first}: {command} {remedy}",
        since_at=now,
    )
