"""The columns that Airbyte's destination leads every data file with.

Source: https://docs.airbyte.com/platform/understanding-airbyte/airbyte-metadata-fields
"""

from __future__ import annotations

from lotuslake.core.field_types import BIGINT, TIMESTAMP, VARCHAR, ColumnType, ListOf, Struct
from lotuslake.core.schema_comparison import Columns
from lotuslake.core.stream import Stream

META = Struct(
    (
        ("sync_id", BIGINT),
        ("changes", ListOf(Struct((("field", VARCHAR), ("change", VARCHAR), ("reason", VARCHAR))))),
    )
)
AIRBYTE_COLUMNS: tuple[tuple[str, ColumnType], ...] = (
    ("_airbyte_raw_id", VARCHAR),
    ("_airbyte_extracted_at", TIMESTAMP),
    ("_airbyte_meta", META),
    ("_airbyte_generation_id", BIGINT),
)


def declared_columns(stream: Stream) -> Columns:
    """Airbyte's columns and the declared fields, in the types that the stream's file asks for."""
    return (*AIRBYTE_COLUMNS, *((field.name, field.type) for field in stream.fields))
