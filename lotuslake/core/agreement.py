"""Whether a stream file agrees with what the connector offers: what Airbyte would refuse, found before it does."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lotuslake.core.discovery import DiscoveredStream, Discovery, discovered_type
from lotuslake.core.field_types import ColumnType, ListOf, Struct
from lotuslake.core.stream import Field, Stream

MAX_TYPE_TEXT = 60


@dataclass(frozen=True, slots=True)
class Disagreement:
    """``key`` of the stream file; empty when the stream as a whole is meant."""

    key: str
    problem: str

    def text(self, file: str) -> str:
        """The message for a person."""
        return f"{file}: key '{self.key}' {self.problem}" if self.key else f"{file}: {self.problem}"


def find_disagreements(stream: Stream, discovery: Discovery) -> list[Disagreement]:
    """Everything that Airbyte would refuse, or land otherwise than declared."""
    found = discovery.streams.get(stream.name)
    if found is None:
        near = _nearest(stream.name, discovery.streams)
        return [Disagreement("", f"{discovery.label} has no stream {stream.name!r}{near}")]
    return [
        *_sync_mode(stream, found, discovery),
        *_cursor(stream, found),
        *_primary_key(stream, found),
        *_fields(stream, found, discovery),
    ]


def source_name(stream: Stream, column: str) -> str:
    """The name that a column's field has at the source."""
    return next(field.source_name or field.name for field in stream.fields if field.name == column)


def _sync_mode(stream: Stream, found: DiscoveredStream, discovery: Discovery) -> Iterator[Disagreement]:
    # The protocol takes an empty list for full refresh alone.
    offered = found.sync_modes or ("full_refresh",)
    if stream.sync_mode not in offered:
        yield Disagreement(
            "sync_mode", f"is {stream.sync_mode}, but {discovery.label} reads {stream.name!r} by {' or '.join(offered)}"
        )


def _cursor(stream: Stream, found: DiscoveredStream) -> Iterator[Disagreement]:
    if stream.sync_mode != "incremental" or stream.cursor_field is None:
        return
    if not (found.has_own_cursor and found.default_cursor):
        return
    own = ".".join(found.default_cursor)
    if len(found.default_cursor) > 1:
        yield Disagreement(
            "cursor_field",
            f"cannot be chosen: the source defines the nested path {own!r}; write sync_mode: full_refresh",
        )
    elif source_name(stream, stream.cursor_field) != own:
        yield Disagreement(
            "cursor_field",
            f"is {source_name(stream, stream.cursor_field)!r}, but the source defines its own cursor: write {own}",
        )


def _primary_key(stream: Stream, found: DiscoveredStream) -> Iterator[Disagreement]:
    if not found.primary_key:
        return
    own = [".".join(path) for path in found.primary_key]
    if any(len(path) > 1 for path in found.primary_key):
        yield Disagreement("primary_key", f"cannot be used: the source defines the nested key {', '.join(own)}")
        return
    declared = [source_name(stream, column) for column in stream.primary_key]
    if sorted(declared) != sorted(own):
        yield Disagreement(
            "primary_key",
            f"is [{', '.join(declared)}], but the source defines its own key: write [{', '.join(own)}]",
        )


def _fields(stream: Stream, found: DiscoveredStream, discovery: Discovery) -> Iterator[Disagreement]:
    for field in stream.fields:
        name = field.source_name or field.name
        if name not in found.properties:
            near = _nearest(name, found.properties)
            yield Disagreement(f"fields.{name}", f"is unknown: {discovery.label} has no such field{near}")
        else:
            yield from _field_type(field, name, found)


def _field_type(field: Field, name: str, found: DiscoveredStream) -> Iterator[Disagreement]:
    offered = discovered_type(found.properties[name])
    if offered is not None:
        yield from _differences(field.type, offered, f"fields.{name}")


def _differences(declared: ColumnType, offered: ColumnType, key: str) -> Iterator[Disagreement]:
    """A declared object may leave properties out; everything else must be the same."""
    match declared, offered:
        case Struct(), Struct():
            known = dict(offered.fields)
            for name, type_ in declared.fields:
                if name in known:
                    yield from _differences(type_, known[name], f"{key}.{name}")
                else:
                    yield Disagreement(f"{key}.{name}", f"is unknown at the source{_nearest(name, known)}")
        case ListOf(), ListOf():
            yield from _differences(declared.element, offered.element, f"{key}[]")
        case _ if declared != offered:
            yield Disagreement(key, f"lands as {_short(offered)}, but is declared as {_short(declared)}")


def _short(type_: ColumnType) -> str:
    text = str(type_)
    return text if len(text) <= MAX_TYPE_TEXT else text[:MAX_TYPE_TEXT] + "…"


def _nearest(word: str, known: Iterable[str]) -> str:
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {matches[0]!r}?" if matches else ""
