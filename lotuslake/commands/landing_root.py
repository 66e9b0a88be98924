"""Whether the landing root is the lake's: an empty or another one must not make everything look vanished."""

from __future__ import annotations

from collections.abc import Sequence

from lotuslake.core.errors import ConfigError
from lotuslake.core.stream import Stream
from lotuslake.ports import ObjectStore
from lotuslake.ports.ledger import Ledger

NAMED_STREAMS = 3


class LandingRoot:
    """The root below which the lake knows files of ``streams``. Once found right, it is not asked for again."""

    def __init__(self, streams: Sequence[Stream], store: ObjectStore, ledger: Ledger) -> None:
        self._streams = streams
        self._store = store
        self._ledger = ledger
        self._is_right = False

    def require(self) -> None:
        """Make sure that something of what the lake knows is there; one stream alone may have become empty.

        For a stream of which nothing is listed: it costs a query and a request for each stream.

        Raises:
            ConfigError: the root is not there, or nothing of any stream is; the same words whichever stream asks.
        """
        if self._is_right:
            return
        known = [stream for stream in self._streams if self._ledger.load_head(stream).seq]
        root = self._store.url("").rstrip("/")
        if known and not self._store.has_root():
            raise ConfigError(_words(f"the landing root {root} does not exist", known))
        if len(known) > 1 and not any(self._has_objects(stream) for stream in known):
            raise ConfigError(_words(f"no object of any stream is below the landing root {root}", known))
        self._is_right = True

    def _has_objects(self, stream: Stream) -> bool:
        return next(iter(self._store.list_objects(stream.landing_path)), None) is not None


def _words(what: str, known: Sequence[Stream]) -> str:
    names = ", ".join(stream.id for stream in known[:NAMED_STREAMS]) + (", …" if len(known) > NAMED_STREAMS else "")
    return (
        f"{what}, although the lake knows files of {len(known)} streams ({names}). Nothing was changed: set "
        "LOTUSLAKE_LANDING_URL right, or mount the root again, and run the same command"
    )
