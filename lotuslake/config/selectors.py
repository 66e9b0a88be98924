"""Which streams a command's arguments name."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from lotuslake.config.section import nearest
from lotuslake.core.errors import ConfigError
from lotuslake.core.stream import Stream


def select_streams(streams: Sequence[Stream], selectors: Sequence[str]) -> tuple[Stream, ...]:
    """The streams that any selector names, in the given order; all when there is none.

    A selector is `source/stream`, `source`, or a glob over `source/stream`. Raises ConfigError for one that matches
    nothing.
    """
    for selector in selectors:
        if not any(_matches(stream, selector) for stream in streams):
            raise ConfigError(f"no stream matches {selector!r}{_suggestion(streams, selector)}")
    if not selectors:
        return tuple(streams)
    return tuple(stream for stream in streams if any(_matches(stream, selector) for selector in selectors))


def concerns(selector: str, id_: str) -> bool:
    """Whether a selector may mean anything of ``id_``: a stream's id, or a source's name where it stands for all of it."""
    if "/" in id_:
        return selector in (id_, id_.partition("/")[0]) or fnmatchcase(id_, selector)
    return fnmatchcase(id_, selector.partition("/")[0])


def _matches(stream: Stream, selector: str) -> bool:
    return selector in (stream.source, stream.id) or fnmatchcase(stream.id, selector)


def _suggestion(streams: Sequence[Stream], selector: str) -> str:
    for stream in streams:
        if stream.name == selector:
            return f"; did you mean {stream.id!r}?"
    known = [*(stream.id for stream in streams), *{stream.source for stream in streams}]
    listed = ", ".join(stream.id for stream in streams[:12])
    return nearest(selector, sorted(known)) or f"; streams are {listed}"
