"""`backfill`: history once more, in bounded batches, resuming where it stopped, by one program or by several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from lotuslake.commands.context import RunContext
from lotuslake.commands.register import RegisterPorts
from lotuslake.commands.reregister import reregister
from lotuslake.commands.transform import finish
from lotuslake.commands.transform_stream import StreamWorker
from lotuslake.commands.transformation import StreamTransformation, TransformOptions, TransformPorts, TransformResult
from lotuslake.commands.turns import take_turns
from lotuslake.core.backfill_plan import REPLAY, DateRange, plan_publish, plan_replay, plan_shard, shard_part
from lotuslake.core.errors import ConfigError, LostRaceError
from lotuslake.core.generation import Content
from lotuslake.core.model import Model
from lotuslake.core.retry import ATTEMPTS, wait_before_retry
from lotuslake.core.stream import BatchLimits, Stream
from lotuslake.core.transform_plan import Cursor, Rebuild


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """``days`` limits what is replayed; without limits the model is built anew. ``shard_index`` counts from 0."""

    limits: BatchLimits
    days: DateRange = field(default_factory=DateRange)
    shards: int = 1
    shard_index: int = 0
    reregister: bool = False
    restart: bool = False

    def check(self) -> None:
        """Refuse what does not go together.

        Raises:
            ConfigError: naming the options.
        """
        if self.shards < 1 or not 0 <= self.shard_index < self.shards:
            raise ConfigError(f"--shard-index must lie between 0 and {max(self.shards, 1) - 1}")
        if self.shards > 1 and (self.reregister or not self.days.is_everything):
            raise ConfigError("--shards divides a whole rebuild: leave out --from, --to and --reregister")
        if self.days.start and self.days.end and self.days.start > self.days.end:
            raise ConfigError(f"--from {self.days.start} lies after --to {self.days.end}")


def backfill(
    streams: Sequence[Stream],
    register_ports: RegisterPorts,
    ports: TransformPorts,
    options: BackfillOptions,
    context: RunContext,
) -> TransformResult:
    """Replay the streams' history, then build what is stale downstream.

    Raises:
        ConfigError: no stream is named, options do not go together, or a stream has no model.
    """
    if not streams:
        raise ConfigError("name the streams whose history is to be replayed; backfill never takes all by itself")
    options.check()
    models = ports.transformer.load_models()
    for stream in streams:
        if stream.processed_model not in models:
            raise ConfigError(f"there is no model models/processed/{stream.processed_model}.sql", stream=stream.id)
    ports.ledger.prepare(streams)
    ports.transformer.prepare(list(models.values()))
    results = [StreamTransformation(stream.id) for stream in streams]
    workers = [
        (stream.id, _Backfill(stream, models[stream.processed_model], register_ports, ports, options, context, result))
        for stream, result in zip(streams, results, strict=True)
    ]
    finished, errors = take_turns([(name, worker.run()) for name, worker in workers], context.should_end)
    after = TransformOptions(options.limits)
    return finish(streams, models, ports, after, context, results, finished=finished, errors=errors)


@dataclass(frozen=True, slots=True)
class _Backfill:
    """The backfill of one stream."""

    stream: Stream
    model: Model
    register_ports: RegisterPorts
    ports: TransformPorts
    options: BackfillOptions
    context: RunContext
    result: StreamTransformation

    def run(self) -> Iterator[None]:
        if self.options.restart:
            self.ports.transformer.drop_rebuild(self.model.name)
        if self.options.reregister and not self._was_reregistered():
            yield from reregister(self.stream, self.register_ports, self.options.limits, self.context)
        if not self.options.days.is_everything:
            yield from self._replay()
        elif self.options.shards > 1:
            yield from self._rebuild_shard()
        else:
            yield from self._worker(full_refresh=True).run()

    def _was_reregistered(self) -> bool:
        """A rebuild under way of the present epoch follows a registration that an earlier run has finished."""
        rebuild = self.ports.transformer.load_rebuild(self.model.name)
        return rebuild is not None and rebuild.epoch == self.ports.ledger.load_head(self.stream).epoch

    def _worker(self, *, full_refresh: bool = False) -> StreamWorker:
        options = TransformOptions(self.options.limits, full_refresh=full_refresh)
        return StreamWorker(self.stream, self.model, self.ports, options, self.context, self.result)

    @property
    def _limits(self) -> BatchLimits:
        return self.options.limits.capped_by(self.stream.batch)

    def _cursor(self) -> Cursor:
        return self.ports.transformer.load_cursor(self.model.name)

    def _content(self) -> Content:
        content = self._worker().content(self.ports.ledger.load_entries(self.stream), self._cursor())
        return content or Content((), None, is_shown=True)

    def _replay(self) -> Iterator[None]:
        """Bring the model up to date, then merge the days asked for once more."""
        yield from self._worker().run()
        for lost in range(1, ATTEMPTS + 1):
            try:
                cursor = self._cursor()
                replay = self._begin(
                    REPLAY, Rebuild(0, cursor.position, cursor.epoch, self.model.hash, cursor.generation_id)
                )
                steps = plan_replay(
                    self.model.name, self._content().entries, cursor, replay, self.options.days, self._limits
                )
                if not steps:
                    self.ports.transformer.drop_rebuild(self.model.name)
                    return
                yield from self._worker().take(steps, cursor)
            except LostRaceError:
                wait_before_retry(lost)
            else:
                return
        raise self._lost()

    def _rebuild_shard(self) -> Iterator[None]:
        """One shard's share of a rebuild; the program that finds all shards done puts them in place together."""
        for lost in range(1, ATTEMPTS + 1):
            try:
                whole = self._begin("", self._wanted())
                if whole.shards != self.options.shards:
                    raise ConfigError(
                        f"a backfill of {self.stream.id} in {whole.shards} shards is under way: use --shards "
                        f"{whole.shards}, or --restart",
                        stream=self.stream.id,
                    )
                own = self._begin(shard_part(self.options.shard_index), replace(whole, position=0))
                entries = self._content().entries
                steps = plan_shard(
                    self.model.name, entries, self._cursor(), own, self.options.shard_index, self._limits
                )
                yield from self._worker().take(steps, self._cursor())
                yield from self._publish(whole)
            except LostRaceError:
                wait_before_retry(lost)
            else:
                return
        raise self._lost()

    def _wanted(self) -> Rebuild:
        head = self.ports.ledger.load_head(self.stream)
        generation_id = self._content().generation_id
        return Rebuild(0, head.seq, head.epoch, self.model.hash, generation_id, self.options.shards)

    def _begin(self, part: str, wanted: Rebuild) -> Rebuild:
        """The progress that is recorded under this name and still means the same work, or a new one."""
        found = self.ports.transformer.load_rebuild(self.model.name, part)
        if found is not None and (found.epoch, found.model_hash) == (wanted.epoch, wanted.model_hash):
            return found
        if found is not None:
            self.ports.transformer.drop_rebuild(self.model.name)
        self.ports.transformer.begin_rebuild(self.model.name, wanted, part)
        return wanted

    def _publish(self, whole: Rebuild) -> Iterator[None]:
        parts = [
            self.ports.transformer.load_rebuild(self.model.name, shard_part(index)) for index in range(whole.shards)
        ]
        cursor = self._cursor()
        step = plan_publish(self.model.name, cursor, parts, whole)
        if step is None:
            done = sum(part is not None and part.position >= whole.until for part in parts)
            self.context.log(f"{done} of {whole.shards} shards are done", stream=self.stream.id)
            return
        yield from self._worker().take([step], cursor)

    def _lost(self) -> LostRaceError:
        return LostRaceError(
            f"lost the race for the backfill of {self.stream.id} {ATTEMPTS} times; run the same command again",
            stream=self.stream.id,
        )
