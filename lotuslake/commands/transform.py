"""`transform`: landing to processed in bounded steps, then every stale enriched model downstream, then their data tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from lotuslake.commands.context import RunContext, StreamError
from lotuslake.commands.turns import take_turns
from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.errors import ConfigError, ExitCode, LostRaceError, LotusLakeError, ModelError
from lotuslake.core.finding import Finding, TestOutcome
from lotuslake.core.generation import newest_complete, split_generations
from lotuslake.core.head import Head
from lotuslake.core.model import Model, downstream_of
from lotuslake.core.retry import ATTEMPTS, wait_before_retry
from lotuslake.core.stream import BatchLimits, Stream
from lotuslake.core.transform_plan import (
    Cursor,
    Rebuild,
    Step,
    is_stale,
    needs_rebuild,
    plan_merges,
    plan_rebuild,
    resume,
)
from lotuslake.ports.ledger import Ledger
from lotuslake.ports.transformer import Transformer


@dataclass(frozen=True, slots=True)
class TransformOptions:
    """``select`` are globs over model names; none means all."""

    limits: BatchLimits
    full_refresh: bool = False
    skip_tests: bool = False
    select: tuple[str, ...] = ()

    def wants(self, model: str) -> bool:
        """Whether the person asked for this model."""
        return not self.select or any(fnmatchcase(model, pattern) for pattern in self.select)


@dataclass(slots=True)
class StreamTransformation:
    """What was done for one stream; ``models`` are those built or brought forward because of it, in order."""

    stream: str
    batches: int = 0
    rows: int = 0
    models: tuple[str, ...] = ()

    def count(self, step: Step) -> None:
        """Take a committed step into account."""
        self.batches += 1
        self.rows += step.rows
        self.add_model(step.model)

    def add_model(self, model: str) -> None:
        """Name a model once."""
        if model not in self.models:
            self.models = (*self.models, model)


@dataclass(frozen=True, slots=True)
class TransformResult:
    """``finished`` is False when time ran out or an outage ended the run; ``tests`` are those that ran."""

    streams: tuple[StreamTransformation, ...]
    tests: tuple[TestOutcome, ...]
    findings: tuple[Finding, ...]
    errors: tuple[StreamError, ...]
    finished: bool

    @property
    def exit_code(self) -> ExitCode:
        """The first error's code, else 5 when a person must look, else 0."""
        if self.errors:
            return self.errors[0].error.exit_code
        return ExitCode.FINDINGS if self.findings else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class TransformPorts:
    """What transforming needs of the outside world."""

    ledger: Ledger
    transformer: Transformer


def transform(
    streams: Sequence[Stream], ports: TransformPorts, options: TransformOptions, context: RunContext
) -> TransformResult:
    """Bring the processed models of these streams up to date, then what is stale downstream, then run the data tests."""
    models = ports.transformer.load_models()
    ports.ledger.prepare(streams)
    ports.transformer.prepare(list(models.values()))
    results = [StreamTransformation(stream.id) for stream in streams]
    workers = [
        (stream.id, _Worker(stream, models[stream.processed_model], ports, options, context, result).run())
        for stream, result in zip(streams, results, strict=True)
        if _has_model(stream, models, context) and options.wants(stream.processed_model)
    ]
    finished, errors = take_turns(workers, context.should_end)
    tests: list[TestOutcome] = []
    if finished:
        try:
            finished, wrong = _build_enriched(streams, models, ports, options, context, results)
            errors += wrong
            if finished:
                tests = _run_tests(streams, models, ports, options, context)
        except LotusLakeError as error:
            errors.append(StreamError(error.stream, error))
            finished = False
    outage = any(item.error.exit_code is ExitCode.UNREACHABLE for item in errors)
    findings = () if outage else tuple(ports.ledger.load_findings(streams))
    return TransformResult(tuple(results), tuple(tests), findings, tuple(errors), finished)


def _has_model(stream: Stream, models: Mapping[str, Model], context: RunContext) -> bool:
    if stream.processed_model in models:
        return True
    context.warn(f"there is no model models/processed/{stream.processed_model}.sql yet", stream=stream.id)
    return False


@dataclass(frozen=True, slots=True)
class _Worker:
    """Brings one stream's processed model up to date, a step at a time."""

    stream: Stream
    model: Model
    ports: TransformPorts
    options: TransformOptions
    context: RunContext
    result: StreamTransformation

    def run(self) -> Iterator[None]:
        """Take the steps there are; after a lost race plan anew, since another process took some of them."""
        lost = 0
        forced = self.options.full_refresh
        while True:
            try:
                cursor = self.ports.transformer.load_cursor(self.model.name)
                steps = self._plan(cursor, forced=forced)
                if not steps:
                    return
                self.context.progress.begin(self.stream.id, len(steps))
                for step in steps:
                    now_at = replace(step, cursor=cursor)
                    self.ports.transformer.run(now_at, stream=self.stream, run_id=self.context.run_id)
                    cursor = cursor if step.mode == "append" else replace(cursor, version=cursor.version + 1)
                    self.result.count(step)
                    self.context.progress.advance(self.stream.id, f"{step.model}: {step.mode}, {step.rows} rows")
                    lost = 0
                    yield
                forced = False
            except LostRaceError as error:
                lost += 1
                if lost >= ATTEMPTS:
                    message = f"lost the race for {self.model.name} {lost} times; run the same command again"
                    raise LostRaceError(message, stream=self.stream.id) from error
                wait_before_retry(lost)

    def _plan(self, cursor: Cursor, *, forced: bool) -> list[Step]:
        # The head first: an entry that is written in between has a higher number and waits for the next plan.
        head = self.ports.ledger.load_head(self.stream)
        entries = self.ports.ledger.load_entries(self.stream)
        generation_id: int | None = None
        is_shown = True
        limits = self.options.limits.capped_by(self.stream.batch)
        if self.stream.sync_mode == "full_refresh":
            shown = newest_complete(self.stream, split_generations(entries), cursor, self.context.now())
            if shown is None and cursor.version:
                return []
            entries = list(shown.entries) if shown else []
            generation_id = shown.id if shown else None
            is_shown = shown is not None and shown.is_shown_at(cursor)
        under_way = self.ports.transformer.load_rebuild(self.model.name)
        due = forced or under_way is not None or needs_rebuild(cursor, head, self.model.hash)
        if due or not is_shown:
            return self._plan_rebuild(entries, cursor, head, under_way, generation_id, limits)
        return plan_merges(self.model.name, entries, cursor, head, limits)

    def _plan_rebuild(
        self,
        entries: Sequence[LedgerEntry],
        cursor: Cursor,
        head: Head,
        under_way: Rebuild | None,
        generation_id: int | None,
        limits: BatchLimits,
    ) -> list[Step]:
        wanted = Rebuild(0, head.seq, head.epoch, self.model.hash, generation_id)
        if under_way is not None and (resumed := resume(under_way, wanted, entries)):
            return plan_rebuild(self.model.name, entries, cursor, resumed, limits, begun=True)
        steps = plan_rebuild(self.model.name, entries, cursor, wanted, limits, begun=under_way is not None)
        if steps[0].mode == "append":
            self.ports.transformer.begin_rebuild(self.model.name, wanted)
        return steps


def _build_enriched(
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
    for model in downstream_of(models, [stream.processed_model for stream in streams]):
        if held_up.intersection(model.upstreams):
            held_up.add(model.name)
            continue
        if not options.wants(model.name):
            continue
        if context.should_end():
            return False, errors
        try:
            built = _build_one(model, models, ports, options, context)
        except ModelError as error:
            errors.append(StreamError(error.stream, error))
            held_up.add(model.name)
            continue
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
        versions = {name: ports.transformer.load_cursor(name).version for name in model.upstreams if name in models}
        unbuilt = sorted(name for name, version in versions.items() if version == 0)
        if unbuilt:
            context.warn(f"{model.name} waits for {', '.join(unbuilt)}: transform its source first")
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


def _run_tests(
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
        version = ports.transformer.load_cursor(model.name).version
        if version and tested.get(model.name) != version:
            untested[model.name] = version
    if not untested:
        return []
    outcomes = ports.transformer.test([model for model in covered if model.name in untested])
    ports.ledger.record_tests(outcomes, untested, run_id=context.run_id, now=context.now())
    return outcomes


def known_models(patterns: Sequence[str], models: Mapping[str, Model]) -> None:
    """Refuse a pattern that selects no model.

    Raises:
        ConfigError: naming the pattern.
    """
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in models):
            raise ConfigError(f"--select {pattern}: no model has such a name")
