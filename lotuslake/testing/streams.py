"""The streams of a lake in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lotuslake.testing.lake import MemoryLake


class MemoryStreams:
    """See the KnownStreams port."""

    def __init__(self, lake: MemoryLake) -> None:
        self._lake = lake

    def load_ids(self) -> list[str]:
        """See KnownStreams."""
        with self._lake.calling("known_streams.load_ids"):
            return sorted(self._lake.streams)

    def forget(self, stream_id: str) -> None:
        """See KnownStreams."""
        with self._lake.calling("known_streams.forget"):
            lake, model = self._lake, f"int_{stream_id.replace('/', '__')}"
            for kept in (lake.streams, lake.landed, lake.elsewhere):
                kept.pop(stream_id, None)
            for named in (lake.tables, lake.cursors):
                named.pop(model, None)
            lake.rebuilds = {key: rebuild for key, rebuild in lake.rebuilds.items() if key[0] != model}
            lake.raised = {id_: found for id_, found in lake.raised.items() if found.stream != stream_id}
            lake.outcomes = {key: outcome for key, outcome in lake.outcomes.items() if stream_id not in key}
            lake.accepted = {id_: why for id_, why in lake.accepted.items() if stream_id not in id_.split(":")}
