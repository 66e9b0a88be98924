"""A rebuild that several programs share: each appends its share beside the live table, the last one publishes them all."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from lotuslake.commands.rebuild_terms import with_terms
from lotuslake.commands.transform_stream import StreamWorker
from lotuslake.core.backfill_plan import NOT_BEGUN, is_done, plan_publish, plan_shard, shard_part
from lotuslake.core.content import Content
from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.errors import ConfigError, LostRaceError, NotCarriedError, ShrunkError
from lotuslake.core.head import Head
from lotuslake.core.retry import ATTEMPTS, wait_before_retry
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Rebuild, Terms


def require_shards(worker: StreamWorker, shards: int) -> None:
    """Refuse to take over a rebuild under way that is divided otherwise.

    Raises:
        ConfigError: naming the shards that it has.
    """
    found = worker.ports.transformer.load_rebuild(worker.model.name)
    epoch = worker.ports.ledger.load_head(worker.stream).epoch
    if found is None or found.shards == shards or (found.epoch, found.model_hash) != (epoch, worker.build):
        return
    raise ConfigError(
        f"a backfill of {worker.stream.id} in {found.shards} shards is under way: use --shards {found.shards}, "
        "or --restart",
        stream=worker.stream.id,
    )


def wait_or_give_up(lost: int, stream: Stream, error: LostRaceError) -> int:
    """Wait after a lost race; how many were lost in a row by now.

    Raises:
        LostRaceError: they were too many.
    """
    if lost + 1 >= ATTEMPTS:
        message = f"lost the race for the backfill of {stream.id} {ATTEMPTS} times; run the same command again"
        raise LostRaceError(message, stream=stream.id) from error
    wait_before_retry(lost + 1)
    return lost + 1


@dataclass(frozen=True, slots=True)
class _Joined:
    """The rebuild that all shards share, what it reads, and on which terms it is published."""

    whole: Rebuild
    entries: Sequence[LedgerEntry]
    terms: Terms


@dataclass(frozen=True, slots=True)
class ShardedRebuild:
    """One of ``shards`` programs; ``index`` counts from 0."""

    worker: StreamWorker
    shards: int
    index: int

    def run(self) -> Iterator[None]:
        """Do this program's share, publish when all shards are done, and take in what was registered meanwhile."""
        lost = 0
        has_joined = False
        while True:
            try:
                if has_joined and self._load() is None:
                    break  # Another program was faster to publish.
                joined = self._join()
                if joined is None:
                    return
                has_joined = True
                for _ in self._take_share(joined):
                    lost = 0
                    yield
                is_published = yield from self._publish(joined)
            except (ShrunkError, NotCarriedError):
                return
            except LostRaceError as error:
                lost = wait_or_give_up(lost, self.worker.stream, error)
            else:
                if not is_published:
                    return
                break
        yield from self.worker.run()

    def _load(self, part: str = "") -> Rebuild | None:
        return self.worker.ports.transformer.load_rebuild(self.worker.model.name, part)

    def _begin(self, wanted: Rebuild, part: str, instead_of: Rebuild | None) -> Rebuild:
        self.worker.ports.transformer.begin_rebuild(self.worker.model.name, wanted, part, instead_of=instead_of)
        return wanted

    def _join(self) -> _Joined | None:
        """The rebuild that all shards share, and what it reads; None while nothing may be shown anew."""
        require_shards(self.worker, self.shards)
        # The head first: an entry that is written in between has a higher number and is merged at the end.
        head = self.worker.ports.ledger.load_head(self.worker.stream)
        entries = self.worker.ports.ledger.load_entries(self.worker.stream)
        cursor = self.worker.ports.transformer.load_cursor(self.worker.model.name)
        content = self.worker.choose(entries, cursor)
        if content is None:
            reason = "its newest generation is not complete"
            self.worker.context.warn(f"{self.worker.model.name} is not rebuilt: {reason}", stream=self.worker.stream.id)
            return None
        terms = self.worker.judge_rebuild(entries, cursor, head, content)
        if terms is None:
            return None
        found = self._load()
        if found is not None and self._is_of_use(found, head, content):
            return _Joined(found, content.entries, terms)
        wanted = Rebuild(0, head.seq, head.epoch, self.worker.build, content.generation_id, self.shards)
        return _Joined(self._begin(wanted, "", found), content.entries, terms)

    def _is_of_use(self, found: Rebuild, head: Head, content: Content) -> bool:
        """Whether the rebuild under way reads this content. Ids of generations come again: log numbers do not."""
        wanted = Rebuild(0, found.until, head.epoch, self.worker.build, content.generation_id, self.shards)
        is_namesake = self.worker.stream.sync_mode == "full_refresh" and all(
            entry.seq > found.until for entry in content.entries
        )
        return found == wanted and not is_namesake

    def _take_share(self, joined: _Joined) -> Iterator[None]:
        part = shard_part(self.index)
        wanted = replace(joined.whole, position=NOT_BEGUN)
        found = self._load(part)
        is_resumed = found is not None and replace(found, position=NOT_BEGUN) == wanted
        own = found if found is not None and is_resumed else self._begin(wanted, part, found)
        cursor = self.worker.ports.transformer.load_cursor(self.worker.model.name)
        limits = self.worker.options.limits.capped_by(self.worker.stream.batch)
        steps = plan_shard(self.worker.model.name, joined.entries, cursor, own, self.index, limits)
        yield from self.worker.take(with_terms(steps, joined.terms), cursor)

    def _publish(self, joined: _Joined) -> Generator[None, None, bool]:
        """Put all shards in place together; whether the live table is the new one."""
        whole = joined.whole
        cursor = self.worker.ports.transformer.load_cursor(self.worker.model.name)
        parts = [self._load(shard_part(index)) for index in range(self.shards)]
        step = plan_publish(self.worker.model.name, cursor, parts, whole)
        if step is None and self._load() == whole:
            done = sum(is_done(part, whole) for part in parts)
            self.worker.context.log(f"{done} of {self.shards} shards are done", stream=self.worker.stream.id)
            return False
        if step is None:
            raise LostRaceError(f"another process has published or dropped the rebuild of {self.worker.model.name}")
        yield from self.worker.take(with_terms([step], joined.terms), cursor)
        return True
