"""Where the lake stands, and the same as Prometheus metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StreamState:
    """One stream. ``position`` is the end of its log; ``error_after_seconds`` None means that it is never stale."""

    stream: str
    files: int = 0
    rows: int = 0
    size_bytes: int = 0
    newest_file_at: datetime | None = None
    position: int = 0
    error_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model's cursor. ``position`` is None for an enriched model, which reads no log."""

    model: str
    stream: str | None
    position: int | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class RebuildState:
    """A rebuild under way, or a part of one, and when it last moved on. ``name``: the model's, and the part's if any."""

    name: str
    position: int
    until: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CommandState:
    """The newest run of a command."""

    command: str
    exit_code: int
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class LakeState:
    """All of it; of a lake that does not exist, everything is empty. ``findings`` counts those open by stream and kind."""

    streams: tuple[StreamState, ...] = ()
    models: tuple[ModelState, ...] = ()
    rebuilds: tuple[RebuildState, ...] = ()
    commands: tuple[CommandState, ...] = ()
    findings: tuple[tuple[str, str, int], ...] = ()
    snapshots: int = 0
    oldest_snapshot_at: datetime | None = None

    def behind(self, model: ModelState) -> int | None:
        """Log entries that a processed model has not read; None for an enriched model."""
        head = next((stream.position for stream in self.streams if stream.stream == model.stream), 0)
        return None if model.position is None else max(0, head - model.position)


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str
    help: str
    samples: Sequence[tuple[dict[str, str], float | None]]


def render_metrics(state: LakeState, now: datetime) -> str:
    """The Prometheus text format; a value that is not known is left out.

    https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
    """
    return "".join(_render(metric) for metric in _metrics(state, now) if any(v is not None for _, v in metric.samples))


def _metrics(state: LakeState, now: datetime) -> Iterator[_Metric]:
    yield _Metric("status_timestamp_seconds", "When this was read.", [({}, now.timestamp())])
    yield from _stream_metrics(state)
    yield from _model_metrics(state)
    yield from _command_metrics(state)
    yield _Metric("snapshots", "Snapshots that the catalog keeps.", [({}, state.snapshots)])
    yield _Metric(
        "oldest_snapshot_timestamp_seconds", "The oldest of them.", [({}, _seconds(state.oldest_snapshot_at))]
    )


def _stream_metrics(state: LakeState) -> Iterator[_Metric]:
    streams = [({"stream": one.stream}, one) for one in state.streams]
    yield _Metric("stream_files", "Files in the landing table.", [(to, one.files) for to, one in streams])
    yield _Metric("stream_rows", "Rows in the landing table.", [(to, one.rows) for to, one in streams])
    yield _Metric("stream_size_bytes", "Bytes of those files.", [(to, one.size_bytes) for to, one in streams])
    yield _Metric(
        "stream_newest_file_timestamp_seconds",
        "When the newest file was written.",
        [(to, _seconds(one.newest_file_at)) for to, one in streams],
    )
    yield _Metric(
        "stream_error_after_seconds",
        "The age at which the stream is stale.",
        [(to, one.error_after_seconds) for to, one in streams],
    )
    yield _Metric(
        "open_findings", "Findings open.", [({"stream": s, "kind": kind}, n) for s, kind, n in state.findings]
    )


def _model_metrics(state: LakeState) -> Iterator[_Metric]:
    models = [({"model": one.model}, one) for one in state.models]
    rebuilds = [({"rebuild": one.name}, one) for one in state.rebuilds]
    yield _Metric(
        "model_entries_behind",
        "Log entries that the model has not read.",
        [(to, state.behind(one)) for to, one in models],
    )
    yield _Metric(
        "model_updated_timestamp_seconds",
        "When the model was last written.",
        [(to, _seconds(one.updated_at)) for to, one in models],
    )
    yield _Metric(
        "rebuild_updated_timestamp_seconds",
        "When a rebuild under way last moved on.",
        [(to, _seconds(one.updated_at)) for to, one in rebuilds],
    )
    yield _Metric(
        "rebuild_entries_left", "Log entries it has to read.", [(to, one.until - one.position) for to, one in rebuilds]
    )


def _command_metrics(state: LakeState) -> Iterator[_Metric]:
    commands = [({"command": one.command}, one) for one in state.commands]
    yield _Metric("command_exit_code", "How its newest run ended.", [(to, one.exit_code) for to, one in commands])
    yield _Metric(
        "command_ended_timestamp_seconds",
        "When its newest run ended.",
        [(to, _seconds(one.ended_at)) for to, one in commands],
    )


def _render(metric: _Metric) -> str:
    name = f"lotuslake_{metric.name}"
    lines = [f"# HELP {name} {metric.help}", f"# TYPE {name} gauge"]
    lines += [f"{name}{_labels(labels)} {_number(value)}" for labels, value in metric.samples if value is not None]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _labels(labels: dict[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
