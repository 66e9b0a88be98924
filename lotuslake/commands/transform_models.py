"""Enriched models that are stale, and the data tests of what was built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lotuslake.commands.context import RunContext, StreamError
from lotuslake.commands.transformation import StreamTransformation, TransformOptions, TransformPorts
from lotuslake.core.errors import LostRaceError, ModelError
from lotuslake.core.finding import TestOutcome, failed_model
from lotuslake.core.model import Model, downstream_of
from lotuslake.core.retry import ATTEMPTS, wait_before_retry
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Step, is_stale


def build_enriched(
    streams: Sequence[Stream],
    models: Mapping[str, Model],
    ports: TransformPorts,
    options: TransformOptions,
    context: RunContext,
    results: Sequence[StreamTransformation],
) -> tuple[bool, list[StreamError]]:
    """Build what is stale, in order; (False when time ran out before the end, models that do not build).

    A model that does not build holds up those that read it, and no others.
    """
    below = [{model.name for model in downstream_of(models, [stream.processed_model])} for stream in streams]
    errors: list[StreamError] = []
    held_up: set[str] = set()
    raised = [one for stream in streams for one in ports.ledger.load_raised(stream) if one.kind == "model"]
    for model in downstream_of(models, [stream.processed_model for stream in streams]):
        if held_up.intersection(model.upstreams):
            held_up.add(model.name)
            continue
        if not options.wants(model.name):
            continue
        if context.should_end():
            return False, errors
        above = [stream for stream, names in zip(streams, below, strict=True) if model.name in names]
        try:
            built = _build_one(model, models, ports, options, context)
        except ModelError as error:
            errors.append(StreamError(error.stream, error))
            held_up.add(model.name)
            for stream in above:
                failed = failed_model(stream.id, model.name, model.hash, error.message, context.now())
                ports.ledger.raise_finding(failed)
            continue
        ports.ledger.close_findings([finding for finding in raised if finding.subject == model.name])
        for result, names in zip(results, below, strict=True):
            if built and model.name in names:
                result.add_model(model.name)
    return True, errors


def _build_one(
    model: Model, models: Mapping[str, Model], ports: TransformPorts, options: TransformOptions, context: RunContext
) -> bool:
    """Whether the model was stale and has been built."""
    forced = options.full_refresh
    for lost in range(1, ATTEMPTS + 1):
        above = {name: ports.transformer.load_cursor(name) for name in model.upstreams if name in models}
        versions = {name: cursor.version for name, cursor in above.items()}
        for remedy, names in (
            ("transform its source first", [name for name, cursor in above.items() if cursor.version == 0]),
            (
                "its own files are lost, and it is not built anew yet",
                [n for n, one in above.items() if one.is_unreadable],
            ),
        ):
            if names:
                context.warn(f"{model.name} waits for {', '.join(sorted(names))}: {remedy}")
                return False
        cursor = ports.transformer.load_cursor(model.name)
        if not forced and not is_stale(cursor, model.hash, versions):
            return False
        try:
            step = Step(model=model.name, mode="enriched", cursor=cursor, model_hash=model.hash)
            ports.transformer.run(step, stream=None, run_id=context.run_id)
        except LostRaceError:
            forced = False
            wait_before_retry(lost)
        else:
            context.log(f"built {model.name}")
            return True
    raise LostRaceError(f"lost the race for {model.name} {ATTEMPTS} times; run the same command again")


def run_tests(
    streams: Sequence[Stream],
    models: Mapping[str, Model],
    ports: TransformPorts,
    options: TransformOptions,
    context: RunContext,
) -> list[TestOutcome]:
    """Run the data tests of those models whose present version has not been tested, and record what they found."""
    if options.skip_tests:
        return []
    roots = [stream.processed_model for stream in streams if stream.processed_model in models]
    covered = [
        model
        for model in [*(models[name] for name in roots), *downstream_of(models, roots)]
        if options.wants(model.name)
    ]
    untested: dict[str, int] = {}
    tested = ports.ledger.load_tested_versions()
    for model in covered:
        cursor = ports.transformer.load_cursor(model.name)
        if cursor.version and tested.get(model.name) != cursor.version and not cursor.is_unreadable:
            untested[model.name] = cursor.version
    if not untested:
        return []
    outcomes = ports.transformer.test([model for model in covered if model.name in untested])
    ports.ledger.record_tests(outcomes, untested, run_id=context.run_id, now=context.now())
    return outcomes
