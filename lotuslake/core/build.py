"""What a processed table was built by: recorded with its cursor and compared, not inferred from SQL."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from lotuslake.core.stream import Stream


@dataclass(frozen=True, slots=True)
class BuiltBy:
    """``began`` names the generation that a full-refresh table shows: the path of its first file, None while it is empty.

    ``since`` is the log number up to which a build from nothing has read: what was gone by then is not in the table.
    ``unread`` are the first log numbers of files that were gone before the table read them.
    """

    primary_key: tuple[str, ...]
    cursor_field: str | None
    sync_mode: str
    began: str | None = None
    since: int = 0
    unread: tuple[int, ...] = ()

    def differences(self, stream: Stream) -> list[str]:
        """What of it the stream's file says otherwise now, in words."""
        now = built_by(stream)
        pairs = {
            "primary_key": (list(self.primary_key), list(now.primary_key)),
            "cursor_field": (self.cursor_field, now.cursor_field),
            "sync_mode": (self.sync_mode, now.sync_mode),
        }
        return [f"{name} was {before}, is {after}" for name, (before, after) in pairs.items() if before != after]

    def __str__(self) -> str:
        return json.dumps(asdict(self))


def built_by(stream: Stream, began: str | None = None, since: int = 0, unread: tuple[int, ...] = ()) -> BuiltBy:
    """What a table made from this stream's file is built by."""
    return BuiltBy(stream.primary_key, stream.cursor_field, stream.sync_mode, began, since, unread)


def parse_built_by(text: str | None) -> BuiltBy | None:
    """The record in a cursor; None in one that an older version wrote."""
    if not text:
        return None
    found = json.loads(text)
    return BuiltBy(**{**found, "primary_key": tuple(found["primary_key"]), "unread": tuple(found["unread"])})


def build_hash(model_hash: str, stream: Stream) -> str:
    """Hash of all that makes a processed table, beside its data: the model's SQL, and what its stream's file declares."""
    declared = {
        "fields": [[field.name, str(field.type)] for field in stream.fields],
        "tombstone_field": stream.tombstone_field,
        "null_keys": stream.null_keys,
    }
    digest = hashlib.sha256(json.dumps(declared).encode()).hexdigest()
    return f"{model_hash}-{digest[:12]}"


def is_built_by(recorded: str, wanted: str) -> bool:
    """Whether a cursor's hash is this one. Older versions recorded the model's alone."""
    return recorded == wanted or (bool(recorded) and "-" not in recorded and wanted.startswith(f"{recorded}-"))
