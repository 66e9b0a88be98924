"""The `fields:` of a stream file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from lotuslake.config.options import OPTION_KEYS
from lotuslake.config.section import Section, describe
from lotuslake.core.field_types import VARCHAR
from lotuslake.core.json_schema import FieldSchemaError, column_type, sanitize_name
from lotuslake.core.stream import Field

# Airbyte keeps it for its own columns. Any other name may be a field's, those of the lake's own columns too.
RESERVED_PREFIX = "_airbyte_"


def parse_fields(section: Section) -> tuple[Field, ...]:
    """The declared fields in order, those that are wrong with a mistake noted. Raises ConfigError where none can be."""
    section.require("fields", "list the fields to sync, as JSON schema properties")
    below = section.section("fields")
    if not below.values and isinstance(section.values["fields"], Mapping):
        raise section.error("fields", "is empty: list at least the key and the cursor")
    fields: dict[str, Field] = {}
    for name, schema in below.values.items():
        # A field that cannot be is named by the key all the same: one mistake is told once.
        field = below.attempt(partial(_field, below, name, schema), Field(sanitize_name(name) or name, VARCHAR, {}))
        known = fields.setdefault(field.name.lower(), field)
        if known is not field:
            first = known.source_name or known.name
            below.note(name, f"collides with {first!r}: both are the column {known.name.lower()!r}; drop one")
    return tuple(fields.values())


def _misplaced(name: str) -> str:
    return f"; is {name} indented too far? It is a key of the file" if name in OPTION_KEYS else ""


def _field(section: Section, name: str, schema: Any) -> Field:
    column = sanitize_name(name)
    if not column:
        raise section.error(name, "has no name")
    if column.lower().startswith(RESERVED_PREFIX):
        raise section.error(name, "is a name that Airbyte keeps for itself; leave this field out")
    if not isinstance(schema, Mapping):
        raise section.error(
            name, f"must be a JSON schema such as {{type: string}}, not {describe(schema)}{_misplaced(name)}"
        )
    try:
        type_ = column_type(schema)
    except FieldSchemaError as error:
        raise section.error(name, f"cannot become a column: {error}{_misplaced(name)}", error.path) from None
    description = schema.get("description", "")
    if not isinstance(description, str):
        raise section.error(f"{name}.description", f"must be text, not {describe(description)}")
    return Field(column, type_, schema, description.strip(), name if name != column else None)
