"""The processed model of a new stream, with its tests and docs."""

from __future__ import annotations

from lotuslake.core.field_types import quote_identifier
from lotuslake.core.scaffold.new_stream import NewStream
from lotuslake.core.scaffold.stream_file import scalar
from lotuslake.core.version_columns import IS_DELETED

# DuckDB's keywords that cannot stand alone as a column (duckdb_keywords()), all but those that are plain names.
KEYWORDS = frozenset(
    """
    all analyse analyze and anti any array as asc asof asymmetric at authorization between bigint binary bit boolean
    both by case cast char character check coalesce collate collation column columns concurrently constraint create
    cross dec decimal default deferrable desc describe distinct do else end except exists extract false fetch float
    for foreign freeze from full generated glob group grouping grouping_id having ilike in initially inner inout int
    integer intersect interval into is isnull join lambda lateral leading left like limit map national natural nchar
    none not notnull null nullif numeric offset on only or order out outer overlaps overlay pivot pivot_longer
    pivot_wider placing position positional precision primary qualify real references returning right row select
    semi setof show similar smallint some struct substring summarize symmetric table tablesample then time timestamp
    to trailing treat trim true try_cast union unique unpack unpivot using values varchar variadic verbose when
    where window with
    """.split()  # noqa: SIM905 - a hundred words read better as a text
)


def render_model(stream: NewStream) -> str:
    """The text of `models/processed/int_{source}__{stream}.sql`: every declared field, to be shaped by hand later."""
    columns = [f"    {_selected(stream, stream.column(name))}," for name in stream.fields]
    return "\n".join(["select", *columns, "    {{ airbyte_columns() }}", "from {{ landing() }}"]) + "\n"


def _selected(stream: NewStream, column: str) -> str:
    """A column of the select list; one that is called as the lake's own flag gets another name."""
    if column.lower() != IS_DELETED or not stream.has_tombstones:
        return _identifier(column)
    taken = {stream.column(name).lower() for name in stream.fields}
    other = f"source_{IS_DELETED}"
    while other in taken:
        other = f"source_{other}"
    return f"{_identifier(column)} as {other}"


def render_model_properties(stream: NewStream) -> str:
    """The text of the model's `.yml`: what it holds, its key, and the tests that every processed model has."""
    lines = [
        f"# What the columns mean at the source is in streams/{stream.id}.yml; here stands what the model adds.",
        "models:",
        f"  - name: {stream.model}",
        f"    description: {_description(stream)}",
    ]
    if len(stream.primary_key) > 1:
        key = ", ".join(_identifier(stream.column(name)) for name in stream.primary_key)
        lines += [
            "    data_tests:",
            f"      - unique: {{name: unique_{stream.model}_key, arguments: {{column_name: {_quoted(f'({key})')}}}}}",
        ]
    lines.append("    columns:")
    tests = "[unique, not_null]" if len(stream.primary_key) == 1 else "[not_null]"
    for name in stream.primary_key:
        lines += _column(stream.column(name), _key_description(stream, name), tests)
    if stream.has_tombstones:
        lines += _column(IS_DELETED, "Whether it was deleted at the source; what was known of it stays.", "[not_null]")
    lines += _column("_airbyte_extracted_at", "When Airbyte read this version.", "[not_null]")
    return "\n".join(lines) + "\n"


def _description(stream: NewStream) -> str:
    what = stream.name.replace("_", " ")
    if stream.sync_mode == "full_refresh":
        return scalar(f"The {what} of the newest complete sync.")
    return scalar(f"The newest version of each record of {what}.")


def _key_description(stream: NewStream, name: str) -> str:
    known = stream.fields[name].get("description", "")
    return known or ("The key of the record." if len(stream.primary_key) == 1 else "Part of the key.")


def _column(name: str, description: str, tests: str) -> list[str]:
    return [
        f"      - name: {scalar(name)}",
        *(["        quote: true"] if name.lower() in KEYWORDS else []),
        f"        description: {scalar(description)}",
        f"        data_tests: {tests}",
    ]


def _identifier(name: str) -> str:
    return quote_identifier(name) if name.lower() in KEYWORDS else name


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
