"""Lists a stream's data files with as few requests as the question allows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import chain, takewhile

from lotuslake.core.data_file import DataFile
from lotuslake.core.errors import ConfigError
from lotuslake.core.listing_scope import ListingScope
from lotuslake.core.ordering import natural_key
from lotuslake.core.stream import Stream
from lotuslake.ports.object_store import ObjectStore


def list_stream_files(
    store: ObjectStore, stream: Stream, *, since: date | None, passed_over: list[str] | None = None
) -> list[DataFile]:
    """Data files of a stream in natural order: all of them, or those that `ListingScope` covers from the day `since`.

    With `since`, what the store is asked grows with the files from that day on and those outside date partitions, not
    with the history. ``passed_over`` is given the paths of what looks like content and is no Parquet. Raises ConfigError for
    a name that cannot be written down, since it could not be recorded.
    """
    scope = ListingScope(stream.landing_path, since)
    covered: list[DataFile] = []
    for file in _candidates(store, scope):
        if scope.covers(file.path):
            covered.append(file)
        elif passed_over is not None and scope.passes_over(file.path):
            passed_over.append(file.path)
    for file in covered:
        _require_utf8(file.path, stream)
    return sorted(covered, key=lambda file: natural_key(file.path))


def _candidates(store: ObjectStore, scope: ListingScope) -> Iterator[DataFile]:
    everything = store.list_objects(scope.landing_path)
    if scope.start_after is None:
        return everything
    # Flat files and folders that sort before `year=` come first: the listing is left as soon as the days begin, as a
    # rule in its first page, and taken up again at the day asked for.
    before_partitions = takewhile(lambda file: file.path < scope.first_partition, everything)
    return chain(before_partitions, store.list_objects(scope.landing_path, start_after=scope.start_after))


def _require_utf8(path: str, stream: Stream) -> None:
    if any("\ud800" <= character <= "\udfff" for character in path):
        shown = path.encode("utf-8", "backslashreplace").decode()
        raise ConfigError(f"The name of {shown} is not valid UTF-8: rename the file.", stream=stream.id)
