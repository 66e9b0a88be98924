"""`lotuslake add-stream`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from lotuslake.cli.command import add_command
from lotuslake.cli.generate_catalog import document_data, document_summary
from lotuslake.cli.output import Report, Table, columns
from lotuslake.cli.session import Session
from lotuslake.commands.add_stream import AddResult, add_stream
from lotuslake.config.airbyte_sources import load_airbyte_sources, load_discovery
from lotuslake.config.streams import check_stream_name, load_streams
from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.errors import ConfigError, ExitCode
from lotuslake.core.scaffold.new_stream import Wishes

SYNC_MODES = ("incremental", "full_refresh")


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "add-stream")
    def run(
        session: Session,
        stream: Annotated[str, typer.Argument(metavar="SOURCE/STREAM", help="A stream that discover has found.")],
        fields: Annotated[str, typer.Option(metavar="A,B,C", help="Only these; key and cursor come anyway.")] = "",
        sync_mode: Annotated[str, typer.Option(help="incremental (where the source can) or full_refresh.")] = "",
        primary_key: Annotated[str, typer.Option(metavar="A,B", help="Where the source defines no key.")] = "",
        cursor_field: Annotated[str, typer.Option(help="Where the source defines no cursor.")] = "",
    ) -> Report:
        """Write a stream's file, its processed model and tests, and the catalogs: ready to run."""
        source, _, name = stream.partition("/")
        check_stream_name(source, name)
        if sync_mode not in ("", *SYNC_MODES):
            raise ConfigError(f"--sync-mode must be {' or '.join(SYNC_MODES)}, not {sync_mode!r}")
        project_dir = session.settings.project_dir

        def reload() -> Sequence[AirbyteSource]:
            streams = load_streams(project_dir)
            streams.check([source])
            return load_airbyte_sources(project_dir, streams)

        wishes = Wishes(_names(fields), sync_mode, _names(primary_key), cursor_field)
        discovery = load_discovery(project_dir, source)
        result = add_stream(stream, discovery, wishes, session.wiring.project_files, reload)
        for warning in result.generated.warnings:
            session.context().warn(warning)
        return _report(result)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _report(result: AddResult) -> Report:
    stream = result.stream
    changed = [item.path for item in result.generated.stale]
    notes = [
        f"{stream.id}: {stream.sync_mode} by {', '.join(stream.primary_key)}, {len(stream.fields)} fields. "
        + document_summary(result.generated)
    ]
    if stream.left_out:
        notes.append(f"Left out, since they cannot become columns: {', '.join(stream.left_out)}.")
    notes.append("Next: apply manifests/airbyte; once Airbyte has synced, register and transform take it from there.")
    data = {
        "stream": stream.id,
        "sync_mode": stream.sync_mode,
        "primary_key": list(stream.primary_key),
        "cursor_field": stream.cursor_field or None,
        "fields": list(stream.fields),
        "left_out": list(stream.left_out),
        "paths": list(result.paths),
        "documents": document_data(result.generated),
    }
    rows = [[path] for path in (*result.paths, *changed)]
    return Report("add-stream", ExitCode.DONE, data=data, tables=[Table(columns("written"), rows)], notes=notes)
