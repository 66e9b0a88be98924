"""What the public API and the official Terraform provider take, read by manifests/airbyte with `jsondecode`."""

from __future__ import annotations

from typing import Any

from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.documents.selection import cursor_path, discovered, field_paths, key_paths
from lotuslake.core.source import MANUAL
from lotuslake.core.stream import Stream


def terraform_inputs(source: AirbyteSource) -> dict[str, Any]:
    """Source and connection, without secrets; `configurations` is the provider's attribute of that name."""
    return {
        "definition_id": source.source.definition_id,
        "configuration": _configuration(source),
        "secrets": list(source.source.secrets),
        "namespace_definition": "custom_format",
        "namespace_format": source.namespace,
        "schedule": _schedule(source.source.schedule),
        "configurations": {"streams": [_stream_configuration(source, stream) for stream in source.streams]},
    }


def _configuration(source: AirbyteSource) -> dict[str, Any]:
    """Most connectors know `start_date` as a plain date; one that wants an instant says so in `_source.yml`."""
    configuration = dict(source.source.configuration)
    if source.source.start_date and "start_date" not in configuration:
        configuration["start_date"] = source.source.start_date.isoformat()
    return configuration


def _schedule(schedule: str) -> dict[str, str]:
    if schedule == MANUAL:
        return {"schedule_type": "manual"}
    return {"schedule_type": "cron", "cron_expression": schedule}


def _stream_configuration(source: AirbyteSource, stream: Stream) -> dict[str, Any]:
    """Cursor and key are left out where the source defines them: the server refuses to be told."""
    found = discovered(source, stream)
    configuration: dict[str, Any] = {
        "name": stream.name,
        "sync_mode": f"{stream.sync_mode}_{stream.destination_sync_mode}",
    }
    if found.namespace:
        configuration["namespace"] = found.namespace
    if cursor_path(stream) and not found.has_own_cursor:
        configuration["cursor_field"] = cursor_path(stream)
    if not found.primary_key:
        configuration["primary_key"] = key_paths(stream, found)
    return configuration | {"selected_fields": [{"field_path": path} for path in field_paths(stream)]}
