"""Registers every file of a stream anew, by today's stream config: new fields get their history, retyped ones their type."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

from lotuslake.commands.context import RunContext
from lotuslake.commands.register import RegisterPorts
from lotuslake.core.batch import Weight, split_batches
from lotuslake.core.data_file import READABLE, FileStatus
from lotuslake.core.decision import decide
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.stream import BatchLimits, Stream
from lotuslake.ports.landing import RegisterBatch

AGAIN = READABLE | {FileStatus.QUARANTINED, FileStatus.EMPTY}


def reregister(stream: Stream, ports: RegisterPorts, limits: BatchLimits, context: RunContext) -> Iterator[None]:
    """Read all footers in bounded batches, then make the landing table anew in one commit.

    A file whose raw object is gone keeps its converted copy; one that has none is missing from now on. What was made from
    the stream is due for a rebuild.

    Raises:
        LostRaceError: another process registered files meanwhile.
    """
    head = ports.ledger.load_head(stream)
    entries = [entry for entry in ports.ledger.load_entries(stream) if entry.status in AGAIN]
    batches = list(split_batches(entries, limits, lambda entry: Weight(size_bytes=entry.file.size_bytes)))
    context.progress.begin(stream.id, len(batches))
    inspected: list[Footer | Unreadable] = []
    for batch in batches:
        inspected += ports.landing.inspect([entry.file for entry in batch])
        context.progress.advance(stream.id, f"read {len(batch)} footers")
        yield
    there = {found.file.path for found in inspected}
    gone = [entry for entry in entries if entry.file.path not in there]
    columns = ports.landing.choose_columns(
        stream, [found.columns for found in inspected if isinstance(found, Footer) and found.rows]
    )
    ports.landing.commit(
        RegisterBatch(
            stream=stream,
            batch_id=str(uuid.uuid4()),
            run_id=context.run_id,
            head=head,
            decisions=tuple(decide(stream, columns, inspected)),
            withdrawn=tuple(
                replace(entry, status=FileStatus.MISSING) for entry in gone if entry.data_path is None and entry.rows
            ),
            standing=tuple(entry for entry in gone if entry.data_path is not None),
            rewrite=True,
            new_epoch=True,
            columns=tuple(columns),
        )
    )
    context.log(f"registered {len(inspected)} files anew", stream=stream.id)
    yield
