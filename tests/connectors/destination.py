"""A destination for the tests: a connector's records as Parquet in the layout of Airbyte's S3 destination.

Airbyte's own destination is a Java program in a container; this one writes the same paths, columns and types with the
demo's writer. A value that does not fit its declared type becomes null there, with an entry in `_airbyte_meta.changes`;
here it is returned, so that a test sees every one.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lotuslake.core.stream import Stream
from lotuslake.demo.parquet import LandedRecord, to_parquet_bytes
from tests.connectors.connector import Json, Output

ROWS_PER_FILE = 500


def land(output: Output, streams: Sequence[Stream], root: Path, sync_id: int, started_at: datetime) -> list[str]:
    """Write the files of one sync; the values that did not fit, as `stream.field: value`."""
    changes: list[str] = []
    for stream in streams:
        records = [
            LandedRecord(record.data, record.emitted_at, str(uuid.uuid4()), sync_id, 0)
            for record in output.records
            if record.stream == stream.name
        ]
        folder = root / stream.landing_path / f"year={started_at:%Y}/month={started_at:%m}/day={started_at:%d}"
        for part, first in enumerate(range(0, len(records), ROWS_PER_FILE)):
            rows = records[first : first + ROWS_PER_FILE]
            body = to_parquet_bytes(stream, rows)
            changes += _lost(stream, rows, body)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{sync_id}_{part}.parquet").write_bytes(body)
    return changes


def landed_rows(stream: Stream, records: Sequence[Json]) -> list[Json]:
    """What a file of these records holds, under one and the same stamp."""
    stamped = [LandedRecord(record, datetime(2026, 1, 1, tzinfo=UTC), "", 0, 0) for record in records]
    return pq.read_table(io.BytesIO(to_parquet_bytes(stream, stamped))).to_pylist()


def _lost(stream: Stream, records: Sequence[LandedRecord], body: bytes) -> Iterator[str]:
    """Scalars that the connector sent and that are null in the file, however deep they lie."""
    for record, row in zip(records, pq.read_table(io.BytesIO(body)).to_pylist(), strict=True):
        for field in stream.fields:
            sent = record.data.get(field.source_name or field.name)
            for path in _lost_values(sent, row[field.name], field.schema):
                yield f"{stream.id}.{field.name}{path}"


def _lost_values(sent: Any, landed: Any, schema: Any) -> Iterator[str]:
    if sent is None:
        return
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if isinstance(sent, dict) and isinstance(landed, dict):
        for name, inner in (properties or {}).items():
            key = name if name in landed else name.replace("-", "_").replace("$", "_")
            for path in _lost_values(sent.get(name), landed.get(key), inner):
                yield f".{name}{path}"
    elif isinstance(sent, list) and isinstance(landed, list):
        for one, other in zip(sent, landed, strict=True):
            yield from (f"[]{path}" for path in _lost_values(one, other, schema.get("items") or {}))
    elif landed is None:
        yield f": {sent!r}"
