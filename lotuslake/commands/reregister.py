"""Registers every file of a stream anew, by today's stream config: new fields get their history, retyped ones their type."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lotuslake.commands.context import RunContext
from lotuslake.commands.register import RegisterPorts
from lotuslake.core.batch import Weight, split_batches
from lotuslake.core.data_file import READABLE, DataFile, FileStatus, LedgerEntry
from lotuslake.core.decision import decide
from lotuslake.core.errors import LostRaceError
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.head import Head
from lotuslake.core.retry import ATTEMPTS, wait_before_retry
from lotuslake.core.stream import BatchLimits, Stream
from lotuslake.ports.landing import RegisterBatch

AGAIN = READABLE | {FileStatus.QUARANTINED, FileStatus.EMPTY}


def reregister(stream: Stream, ports: RegisterPorts, limits: BatchLimits, context: RunContext) -> Iterator[None]:
    """Read all footers in bounded batches, then make the landing table anew in one commit.

    A file whose raw object is gone keeps its converted copy; one that has none is missing from now on. What was made from
    the stream is due for a rebuild.

    Raises:
        LostRaceError: other processes registered files meanwhile, time and again.
    """
    read: dict[DataFile, Footer | Unreadable | None] = {}
    for lost in range(1, ATTEMPTS + 1):
        # The head first: what another process registers after it makes the commit lose.
        head = ports.ledger.load_head(stream)
        entries = [entry for entry in ports.ledger.load_entries(stream) if entry.status in AGAIN]
        yield from _read(stream, [entry for entry in entries if entry.file not in read], read, ports, limits, context)
        batch = _plan(stream, head, entries, read, ports, context)
        try:
            ports.landing.commit(batch)
        except LostRaceError:
            context.log("another process was faster: planning anew", stream=stream.id)
            wait_before_retry(lost)
        else:
            context.log(f"registered {len(batch.decisions)} files anew", stream=stream.id)
            yield
            return
    message = f"lost the race for {stream.id} {ATTEMPTS} times; run the same command again"
    raise LostRaceError(message, stream=stream.id)


def _read(
    stream: Stream,
    entries: Sequence[LedgerEntry],
    read: dict[DataFile, Footer | Unreadable | None],
    ports: RegisterPorts,
    limits: BatchLimits,
    context: RunContext,
) -> Iterator[None]:
    """Read footers into ``read``, batch after batch; None stands for a file that is gone."""
    batches = list(split_batches(entries, limits, lambda entry: Weight(size_bytes=entry.file.size_bytes)))
    context.progress.begin(stream.id, len(batches))
    for batch in batches:
        found = {found.file: found for found in ports.landing.inspect([entry.file for entry in batch])}
        read |= {entry.file: found.get(entry.file) for entry in batch}
        context.progress.advance(stream.id, f"read {len(batch)} footers")
        yield


def _plan(
    stream: Stream,
    head: Head,
    entries: Sequence[LedgerEntry],
    read: Mapping[DataFile, Footer | Unreadable | None],
    ports: RegisterPorts,
    context: RunContext,
) -> RegisterBatch:
    inspected = [found for entry in entries if (found := read[entry.file]) is not None]
    gone = [entry for entry in entries if read[entry.file] is None]
    columns = ports.landing.choose_columns(
        stream, [found.columns for found in inspected if isinstance(found, Footer) and found.rows]
    )
    return RegisterBatch(
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
