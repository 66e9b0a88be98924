"""`lotuslake discover`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from lotuslake.cli.command import add_command
from lotuslake.cli.output import Report, Table, columns
from lotuslake.cli.session import Session
from lotuslake.cli.words import plural
from lotuslake.commands.discover import DiscoverResult, keep_discovery
from lotuslake.config.airbyte_sources import discovered_path, load_discovery
from lotuslake.config.streams import load_source
from lotuslake.core.airbyte_messages import ConnectorError, read_saved
from lotuslake.core.discovery import DiscoveredStream, Discovery
from lotuslake.core.errors import ConfigError, ExitCode
from lotuslake.ports.connector import DiscoverCall

UNKNOWN_VERSION = "unknown"
MAX_TYPE_TEXT = 70


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "discover")
    def run(
        session: Session,
        source: Annotated[str, typer.Argument(metavar="SOURCE", help="The folder below streams/.")],
        connector: Annotated[
            str | None, typer.Option(help="The connector's command, such as /opt/klaviyo/bin/source-klaviyo.")
        ] = None,
        config: Annotated[Path | None, typer.Option(help="Its configuration, given to it as it is.")] = None,
        from_file: Annotated[
            Path | None, typer.Option("--from", help="A saved output of discover, in place of --connector.")
        ] = None,
        connector_version: Annotated[
            str | None, typer.Option(help="Version, where the command does not show it.")
        ] = None,
        timeout: Annotated[float, typer.Option(min=1, help="Seconds that the connector may take.")] = 600,
    ) -> Report:
        """Ask a connector what it offers, and keep the answer in streams/SOURCE/_discovered.json."""
        project_dir = session.settings.project_dir
        configuration = load_source(project_dir, source).configuration
        before = load_discovery(project_dir, source)
        name, version = before.connector if before else f"airbyte-source-{source}", UNKNOWN_VERSION
        if (connector is None) == (from_file is None):
            raise ConfigError("give either --connector COMMAND or --from FILE")
        if connector is not None:
            command = _command(connector)
            name, version = session.wiring.connector.find_version(command) or (name, version)
            streams = session.wiring.connector.discover(DiscoverCall(command, config, configuration, timeout))
        else:
            streams = _saved(from_file)
        after = Discovery(name, connector_version or version, streams)
        result = keep_discovery(discovered_path(source), before, after, session.wiring.project_files)
        return _report(source, result)


def _command(text: str) -> list[str]:
    try:
        command = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"--connector: {text!r} is no command: {error}") from None
    if not command:
        raise ConfigError("--connector is empty")
    return command


def _saved(path: Path | None) -> dict[str, DiscoveredStream]:
    try:
        return read_saved((path or Path()).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"--from {path}: cannot be read: {reason}") from None
    except ConnectorError as error:
        raise ConfigError(f"--from {path}: {error}") from None


def _report(source: str, result: DiscoverResult) -> Report:
    rows = [[item.stream, item.field, item.kind, _short(item.before), _short(item.after)] for item in result.changes]
    data = {
        "source": source,
        "path": result.path,
        "connector": result.discovery.connector,
        "connector_version": result.discovery.version,
        "streams": [
            {"stream": f"{source}/{stream.name}", "fields": len(stream.properties)}
            for stream in result.discovery.streams.values()
        ],
        "changes": [
            {"stream": f"{source}/{item.stream}", "field": item.field or None, "change": item.kind}
            | {"before": item.before or None, "after": item.after or None}
            for item in result.changes
        ],
    }
    notes = [f"{result.discovery.label} offers {plural(len(result.discovery.streams), 'stream')}; see {result.path}."]
    if result.discovery.version == UNKNOWN_VERSION:
        notes.append("The version is not known; give it with --connector-version.")
    if result.is_new:
        rows = [[item.stream, "", item.kind, "", ""] for item in result.changes]
    elif result.changes:
        notes.append("Next: lotuslake generate-catalog says whether the stream files still agree.")
    else:
        notes.append("Nothing has changed.")
    tables = [Table(columns("stream", "field", "change", "before", "after"), rows)] if rows else []
    return Report("discover", ExitCode.DONE, data=data, tables=tables, notes=notes)


def _short(text: str) -> str:
    return text if len(text) <= MAX_TYPE_TEXT else text[:MAX_TYPE_TEXT] + "…"
