"""`transform`: landing to processed in bounded steps, then every stale enriched model downstream, then their data tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from lotuslake.commands.context import RunContext, StreamError
from lotuslake.commands.lost_files import LossWatch
from lotuslake.commands.transform_models import build_enriched, run_tests
from lotuslake.commands.transform_stream import StreamWorker
from lotuslake.commands.transformation import StreamTransformation, TransformOptions, TransformPorts, TransformResult
from lotuslake.commands.turns import locked, take_turns
from lotuslake.core.errors import ConfigError, ExitCode, LotusLakeError
from lotuslake.core.finding import TestOutcome
from lotuslake.core.model import Model
from lotuslake.core.stream import Stream

__all__ = [
    "StreamTransformation",
    "TransformOptions",
    "TransformPorts",
    "TransformResult",
    "finish",
    "transform",
]


def transform(
    streams: Sequence[Stream], ports: TransformPorts, options: TransformOptions, context: RunContext
) -> TransformResult:
    """Bring the processed models of these streams up to date, then what is stale downstream, then run the data tests."""
    models = ports.transformer.load_models()
    _require_known(options.select, models)
    ports.ledger.prepare(streams)
    ports.transformer.prepare(list(models.values()))
    results = [StreamTransformation(stream.id) for stream in streams]
    workers = [
        (
            stream.id,
            locked(
                ports.lock,
                f"transform {stream.id}",
                StreamWorker(stream, models[stream.processed_model], ports, options, context, result).run(),
            ),
        )
        for stream, result in zip(streams, results, strict=True)
        if _has_model(stream, models, context) and options.wants(stream.processed_model)
    ]
    finished, errors = take_turns(workers, context.should_end)
    return finish(streams, models, ports, options, context, results, finished=finished, errors=errors)


def finish(
    streams: Sequence[Stream],
    models: Mapping[str, Model],
    ports: TransformPorts,
    options: TransformOptions,
    context: RunContext,
    results: Sequence[StreamTransformation],
    *,
    finished: bool,
    errors: Sequence[StreamError],
) -> TransformResult:
    """Once the processed models are done: what is stale downstream, the data tests, and what is open."""
    wrong = list(errors)
    tests: list[TestOutcome] = []
    if finished:
        try:
            finished, broken = build_enriched(streams, models, ports, options, context, results)
            wrong += broken
            finished = finished and not context.should_end()
            if finished:
                tests = run_tests(streams, models, ports, options, context)
        except LotusLakeError as error:
            wrong.append(StreamError(error.stream, error))
            finished = False
    outage = any(item.error.exit_code is ExitCode.UNREACHABLE for item in wrong)
    if not outage:
        LossWatch(streams, ports.lost, ports.transformer, ports.ledger, context).settle()
    findings = () if outage else tuple(ports.ledger.load_findings(streams))
    return TransformResult(tuple(results), tuple(tests), findings, tuple(wrong), finished)


def _has_model(stream: Stream, models: Mapping[str, Model], context: RunContext) -> bool:
    if stream.processed_model in models:
        return True
    context.warn(f"there is no model models/processed/{stream.processed_model}.sql yet", stream=stream.id)
    return False


def _require_known(patterns: Sequence[str], models: Mapping[str, Model]) -> None:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in models):
            raise ConfigError(f"--select {pattern}: no model has such a name")
