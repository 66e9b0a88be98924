"""A landing root that has changed: nothing is registered until a person says that the objects were moved there."""

from __future__ import annotations

import uuid

from lotuslake.commands.context import RunContext
from lotuslake.core.data_file import READABLE
from lotuslake.core.errors import ConfigError
from lotuslake.core.head import Head
from lotuslake.core.stream import Stream
from lotuslake.ports.landing import Landing, RegisterBatch
from lotuslake.ports.ledger import Ledger


def check_root(
    stream: Stream, head: Head, ledger: Ledger, landing: Landing, context: RunContext, *, relocate: bool
) -> None:
    """Make sure that the landing table reads from the present root; with ``relocate`` it does so from now on.

    The same objects under another root are no new data, so that nothing is read anew or rebuilt. Under a wrong root, on the
    other hand, all of them would look as if they had vanished.

    Raises:
        ConfigError: the table reads from another root.
        UnreachableError: an object is not there under the new one; nothing has changed.
    """
    elsewhere = landing.find_elsewhere(stream)
    if elsewhere is None:
        return
    if not relocate:
        raise ConfigError(
            f"LOTUSLAKE_LANDING_URL is not the root that {stream.landing_table} reads from, which holds {elsewhere}; set it "
            "back, or, if the objects were moved, run: lotuslake register --relocate",
            stream=stream.id,
        )
    standing = tuple(entry for entry in ledger.load_entries(stream) if entry.status in READABLE)
    batch = RegisterBatch(
        stream, str(uuid.uuid4()), context.run_id, head, decisions=(), standing=standing, rewrite=True
    )
    landing.commit(batch)
    context.log(f"{len(standing)} files are read from the new landing root", stream=stream.id)
