"""What the lake's own columns are called in a stream's processed table: those that tell a record's versions apart.

A field may bear any name, also one of these. The lake's column then takes another, so that models and readers find the
field under its own. `is_deleted` alone is promised to readers: it stays the lake's wherever a source sends tombstones.
"""

from __future__ import annotations

from dataclasses import dataclass

from lotuslake.core.stream import Stream

IS_DELETED = "is_deleted"
# Leads these columns where a model reads them. No field's name can: Airbyte writes letters, digits and underscores alone.
MARK = "lotuslake:"
_USUAL = {
    "cursor": "_cursor",
    "deleted_extracted_at": "_deleted_extracted_at",
    "deleted_raw_id": "_deleted_raw_id",
}


@dataclass(frozen=True, slots=True)
class VersionColumns:
    """Names by what they hold; None where the stream has no such column. ``tombstone`` is the stream's own field."""

    cursor: str | None = None
    is_deleted: str | None = None
    deleted_extracted_at: str | None = None
    deleted_raw_id: str | None = None
    tombstone: str | None = None

    @property
    def unusual(self) -> tuple[str, ...]:
        """Those that are not called as in other streams."""
        own = (self.cursor, self.deleted_extracted_at, self.deleted_raw_id)
        return tuple(name for name in own if name is not None and name not in _USUAL.values())


def name_version_columns(stream: Stream) -> VersionColumns:
    """The usual names, each with underscores before it until no field bears it."""
    names = {role: _free(name, _field_names(stream)) for role, name in _USUAL.items()}
    cursor = names["cursor"] if stream.cursor_field is not None else None
    if stream.tombstone_field is None:
        return VersionColumns(cursor)
    return VersionColumns(
        cursor, IS_DELETED, names["deleted_extracted_at"], names["deleted_raw_id"], stream.tombstone_field
    )


def bears_a_usual_name(stream: Stream) -> bool:
    """Whether a field of the stream is called as one of the lake's columns usually is."""
    return not _field_names(stream).isdisjoint({IS_DELETED, *_USUAL.values()})


def _field_names(stream: Stream) -> frozenset[str]:
    return frozenset(field.name.lower() for field in stream.fields)


def _free(name: str, taken: frozenset[str]) -> str:
    while name in taken:
        name = f"_{name}"
    return name
