"""`status`: where the lake stands, for a person and for Prometheus."""

from __future__ import annotations

from lotuslake.commands.context import RunContext
from lotuslake.core.lake_state import LakeState, render_metrics
from lotuslake.ports.state import MetricsSink, StateReader


def status(reader: StateReader, sink: MetricsSink | None, context: RunContext) -> LakeState:
    """Read the state and, given a sink, push it as metrics."""
    state = reader.load_state()
    if sink is not None:
        sink.push(render_metrics(state, context.now()))
    return state
