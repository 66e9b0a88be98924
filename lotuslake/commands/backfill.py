"""`backfill`: history once more, in bounded batches, resuming where it stopped, by one program or by several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from lotuslake.commands.backfill_shards import ShardedRebuild, require_shards, wait_or_give_up
from lotuslake.commands.context import RunContext
from lotuslake.commands.null_keys import settle_null_keys
from lotuslake.commands.rebuild_terms import since_of, with_terms
from lotuslake.commands.register import RegisterPorts
from lotuslake.commands.reregister import reregister
from lotuslake.commands.transform import finish
from lotuslake.commands.transform_stream import StreamWorker
from lotuslake.commands.transformation import StreamTransformation, TransformOptions, TransformPorts, TransformResult
from lotuslake.commands.turns import take_turns
from lotuslake.core.backfill_plan import DateRange, plan_replay
from lotuslake.core.build import built_by
from lotuslake.core.errors import ConfigError, LostRaceError
from lotuslake.core.model import Model
from lotuslake.core.stream import BatchLimits, Stream
from lotuslake.core.transform_plan import Cursor, Rebuild, Step, Terms


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """``days`` limits what is replayed; without limits the model is built anew. ``shard_index`` counts from 0."""

    limits: BatchLimits
    days: DateRange = field(default_factory=DateRange)
    shards: int = 1
    shard_index: int = 0
    reregister: bool = False
    restart: bool = False
    accept_loss: bool = False

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
            yield from ShardedRebuild(self._worker(), self.options.shards, self.options.shard_index).run()
        else:
            require_shards(self._worker(), 1)
            yield from self._worker(full_refresh=True).run()

    def _was_reregistered(self) -> bool:
        """A rebuild under way because of the present epoch follows a registration that an earlier run has finished."""
        rebuild = self.ports.transformer.load_rebuild(self.model.name)
        epoch = self.ports.ledger.load_head(self.stream).epoch
        was = rebuild is not None and rebuild.epoch == epoch != self._cursor().epoch
        if was:
            self.context.log(
                "goes on with the rebuild under way; --restart registers anew first", stream=self.stream.id
            )
        return was

    def _worker(self, *, full_refresh: bool = False) -> StreamWorker:
        options = TransformOptions(
            self.options.limits,
            full_refresh=full_refresh,
            accept_loss=self.options.accept_loss,
            rebuilds_changed=self.options.days.is_everything,
        )
        return StreamWorker(self.stream, self.model, self.ports, options, self.context, self.result)

    def _cursor(self) -> Cursor:
        return self.ports.transformer.load_cursor(self.model.name)

    def _replay(self) -> Iterator[None]:
        """Bring the model up to date, then merge the days asked for once more."""
        lost = 0
        while True:
            yield from self._worker().run()
            try:
                cursor = self._cursor()
                for _ in self._worker().take(self._plan_replay(cursor), cursor):
                    lost = 0
                    yield
                settle_null_keys(self.stream, self._cursor(), self.ports.ledger)
            except LostRaceError as error:
                lost = wait_or_give_up(lost, self.stream, error)
            else:
                return

    def _plan_replay(self, cursor: Cursor) -> list[Step]:
        head = self.ports.ledger.load_head(self.stream)
        worker = self._worker()
        content = worker.choose(self.ports.ledger.load_entries(self.stream), cursor)
        if content is None or worker.is_outdated(cursor, head, content):
            # Merged into what other SQL has made, the days would pass for all of it.
            self.context.warn(
                "no day is replayed: the model is not up to date; run the same again", stream=self.stream.id
            )
            return []
        part = self.options.days.part
        wanted = Rebuild(0, cursor.position, cursor.epoch, worker.build, cursor.generation_id)
        found = self.ports.transformer.load_rebuild(self.model.name, part)
        is_resumed = found is not None and replace(found, position=0, until=wanted.until) == wanted
        replay = found if found is not None and is_resumed else wanted
        limits = self.options.limits.capped_by(self.stream.batch)
        steps = plan_replay(self.model.name, content.entries, cursor, replay, self.options.days, limits)
        if not steps and found is not None:
            self.ports.transformer.drop_rebuild(self.model.name, part)
        elif steps and not is_resumed:
            self.ports.transformer.begin_rebuild(self.model.name, wanted, part, instead_of=found)
        # What was never read stays so: a replay reads what stands.
        unread = cursor.built_by.unread if cursor.built_by is not None else ()
        return with_terms(steps, Terms(built_by(self.stream, content.began, since_of(cursor), unread)))
