"""A real Airbyte connector in its own environment, run as Airbyte runs it: config, catalog and state as files."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airbyte_protocol.models import AirbyteMessage

Json = dict[str, Any]
REDIRECT = Path(__file__).parent / "redirect"
TIMEOUT_SECONDS = 240


@dataclass(frozen=True)
class Record:
    stream: str
    data: Json
    emitted_at: datetime


@dataclass
class Output:
    """What a `read` said: records in order, the last state of each stream, and the statuses of the streams."""

    records: list[Record] = field(default_factory=list)
    states: dict[str, Json] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    statuses: dict[str, list[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def of(self, stream: str) -> list[Json]:
        return [record.data for record in self.records if record.stream == stream]


@dataclass(frozen=True)
class Connector:
    """``configuration`` is what the connector's config file holds."""

    name: str
    folder: Path
    configuration: Mapping[str, Any]
    work: Path
    imitation_url: str | None = None

    @property
    def program(self) -> Path:
        return self.folder / "bin" / f"source-{self.name}"

    def environment(self) -> dict[str, str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.work), "DO_NOT_TRACK": "true"}
        if self.imitation_url:
            environment |= {"API_IMITATION_URL": self.imitation_url, "PYTHONPATH": str(REDIRECT)}
        return environment

    def config_file(self) -> Path:
        return self._write("config", dict(self.configuration))

    def discover(self) -> list[Json]:
        """The streams of its CATALOG message."""
        messages = self._run("discover", "--config", str(self.config_file()))
        found = [message["catalog"]["streams"] for message in messages if message["type"] == "CATALOG"]
        assert len(found) == 1, messages
        streams = found[0]
        assert isinstance(streams, list)
        return streams

    def read(self, catalog: Path, state: Sequence[Json] = ()) -> Output:
        """One sync; every message must be valid by Airbyte's own model of the protocol."""
        options = ["--config", str(self.config_file()), "--catalog", str(catalog)]
        if state:
            options += ["--state", str(self._write("state", list(state)))]
        output = Output()
        for message in self._run("read", *options):
            _take(AirbyteMessage.model_validate(message), message, output)
        return output

    def _run(self, *arguments: str) -> list[Json]:
        done = subprocess.run(
            [str(self.program), *arguments],
            env=self.environment(),
            cwd=self.work,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        messages: list[Json] = [json.loads(line) for line in lines]
        told = [message for message in messages if message["type"] in {"TRACE", "LOG"}][-5:]
        assert done.returncode == 0, f"{told}\n{done.stderr[-2000:]}"
        return messages

    def _write(self, name: str, document: Any) -> Path:
        path = self.work / f"{name}.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path


def _take(message: AirbyteMessage, raw: Json, output: Output) -> None:
    match message.type.value:
        case "RECORD":
            at = datetime.fromtimestamp(message.record.emitted_at / 1000, UTC)
            output.records.append(Record(message.record.stream, message.record.data, at))
        case "STATE":
            name = message.state.stream.stream_descriptor.name
            output.states[name] = raw["state"]
            stats = message.state.sourceStats
            output.counts[name] = output.counts.get(name, 0) + (stats.recordCount or 0 if stats else 0)
        case "TRACE" if message.trace.stream_status:
            status = message.trace.stream_status
            output.statuses.setdefault(status.stream_descriptor.name, []).append(status.status.value)
        case "TRACE" if message.trace.error:
            output.errors.append(message.trace.error.message)
