"""What a transform does with files whose footers are whole and whose pages are not: they leave landing, the rest goes on."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from lotuslake.commands.context import RunContext
from lotuslake.core.data_file import READABLE, LedgerEntry
from lotuslake.core.setting_aside import set_aside
from lotuslake.core.stream import Stream
from lotuslake.ports.landing import Landing, RegisterBatch
from lotuslake.ports.ledger import Ledger


def set_aside_unreadable(
    stream: Stream, entries: Sequence[LedgerEntry], ledger: Ledger, landing: Landing, context: RunContext
) -> bool:
    """Take those of ``entries`` out of landing whose pages cannot be read; whether there were any.

    Raises:
        UnreachableError: the store does not answer, which is no fault of a file.
        LostRaceError: another process wrote to the log meanwhile.
    """
    # The head first: what is written after it makes the commit lose.
    head = ledger.load_head(stream)
    found = landing.find_unreadable(stream, entries)
    if not found:
        return False
    bad = {entry.file.path for entry, _ in found}
    standing = [entry for entry in ledger.load_entries(stream) if entry.status in READABLE]
    landing.commit(
        RegisterBatch(
            stream=stream,
            batch_id=str(uuid.uuid4()),
            run_id=context.run_id,
            head=head,
            decisions=(),
            withdrawn=tuple(set_aside(entry, reason) for entry, reason in found),
            standing=tuple(entry for entry in standing if entry.file.path not in bad),
            rewrite=True,
        )
    )
    for entry, reason in found:
        context.warn(f"quarantined {entry.file.path}: {reason}", stream=stream.id)
    return True
