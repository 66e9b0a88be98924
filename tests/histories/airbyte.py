"""Airbyte at work on one stream: a source whose records change, connections, jobs, attempts, and the files they write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from tests.histories.world import Config, File, Record, Vanish

LETTERS = ("ada", "bob", "cy", "dee", "eve", "flo", "gus", "hal", "ida", "jo", "kim", "lee")


@dataclass
class Sync:
    """A job's attempt under way: the files that it will still write."""

    job: int
    generation: int
    chunks: list[tuple[Record, ...]]
    replaces: bool = False
    written: list[str] = field(default_factory=list)


@dataclass
class Connection:
    """Generation ids belong to it; ``objects`` are what it wrote, by name."""

    generation: int = -1
    objects: dict[str, int] = field(default_factory=dict)
    running: Sync | None = None
    failed: Sync | None = None
    # The source's clock up to which an incremental connection has read.
    read_until: int = -1


@dataclass
class Airbyte:
    """One stream of one Airbyte, and the source behind it."""

    random: Random
    has_sync_ids: bool = True
    has_null_keys: bool = True
    jobs: int = 0
    connections: list[Connection] = field(default_factory=lambda: [Connection()])
    # id -> (name, amount, updated_at, is_deleted), in the order of the source's clock.
    source: dict[int | None, tuple[str | None, int, int, bool]] = field(default_factory=dict)
    clock: int = 0
    names: int = 0
    raws: int = 0

    # The source

    def change_source(self, config: Config) -> None:
        """Records are added, changed, deleted; now and then nearly all of them go."""
        random = self.random
        live = [id_ for id_, (*_, is_deleted) in self.source.items() if not is_deleted]
        if len(live) > 4 and random.random() < 0.12:
            for id_ in live[random.choice([0, 1, len(live) // 3]) :]:
                self._delete(id_, config)
            return
        for _ in range(random.randint(1, 5)):
            choice = random.random()
            if choice < 0.5 or not live:
                self._set(random.randint(1, 12), config)
            elif choice < 0.8:
                self._set(random.choice(live), config)
            elif random.choice(live) in self.source:
                self._delete(random.choice(live), config)
        if self.has_null_keys and not config.is_full and random.random() < 0.08:
            self._set(None, config)

    def _set(self, id_: int | None, config: Config) -> None:
        self.clock += 1
        may_lack_name = self.has_null_keys or config.primary_key != ("name",)
        lacks_name = self.random.random() < 0.04 and may_lack_name
        name = None if id_ is None or lacks_name else LETTERS[id_ % len(LETTERS)]
        self.source[id_] = (name, self.clock * 10, self.clock, False)

    def _delete(self, id_: int | None, config: Config) -> None:
        self.clock += 1
        if config.is_full or not config.has_tombstones:
            self.source.pop(id_, None)
        elif id_ in self.source:
            name, *_ = self.source[id_]
            self.source[id_] = (name, self.clock * 10, self.clock, True)

    # Jobs

    def begin(self, connection: Connection, config: Config, *, refresh: str = "") -> None:
        """A job starts: a sync, or one that reads the stream anew."""
        self.jobs += 1
        if config.is_full or refresh or connection.generation < 0:
            connection.generation += 1
        reads_all = config.is_full or bool(refresh) or connection.read_until < 0
        replaces = config.is_overwrite or refresh == "truncating"
        chunks = self._chunks(connection, config, reads_all=reads_all)
        connection.running = Sync(self.jobs, connection.generation, chunks, replaces)
        connection.failed = None

    def retry(self, connection: Connection, config: Config) -> None:
        """The next attempt of a job that failed."""
        failed = connection.failed
        assert failed is not None
        if config.is_full:
            connection.generation += 1
        chunks = self._chunks(connection, config, reads_all=config.is_full or failed.replaces)
        connection.running = Sync(failed.job, connection.generation, chunks, failed.replaces)
        connection.failed = None

    def _chunks(self, connection: Connection, config: Config, *, reads_all: bool) -> list[tuple[Record, ...]]:
        # An incremental window is inclusive, and overlaps what was read before.
        since = -1 if reads_all else connection.read_until - self.random.choice([0, 0, 2])
        found = [self._record(id_, config) for id_, (*_, at, _) in self.source.items() if at >= since]
        self.random.shuffle(found)
        number = self.random.choice([1, 1, 2, 3])
        chunks = [tuple(found[start::number]) for start in range(number)]
        return [chunk for chunk in chunks if chunk]

    def _record(self, id_: int | None, config: Config) -> Record:
        random = self.random
        name, amount, updated_at, is_deleted = self.source[id_]
        cursor = None if random.random() < 0.06 else updated_at
        edited_at = None if random.random() < 0.06 else 1_000 - updated_at
        # Ties in extraction are common: a connector stamps a page of records alike.
        ago = random.choice([2, 2, 2, 3, 8, 9])
        return Record(self.raw_id(config), id_, name, amount, cursor, ago, is_deleted, edited_at)

    def raw_id(self, config: Config) -> str:
        self.raws += 1
        flags = (("e", config.has_extra), ("n", config.has_note), ("m", config.has_member))
        return f"{self.raws:05}{''.join(flag for flag, has in flags if has)}"

    def write(self, connection: Connection, config: Config, *, lag: int = 0) -> File | None:
        """The next file of the attempt under way; None where there is none left."""
        sync = connection.running
        assert sync is not None
        if not sync.chunks:
            return None
        records = _apart(sync.chunks.pop(0), sync.generation)
        self.names += 1
        name = f"{sync.job}_{self.names}"
        connection.objects[name] = sync.generation
        sync.written.append(name)
        flagged = tuple(replace(record, raw_id=self.raw_id(config)) for record in records)
        return File(name, flagged, sync.generation, sync.job if self.has_sync_ids else None, lag)

    def finish(self, connection: Connection, config: Config, there: Sequence[str]) -> Vanish | None:
        """The attempt succeeds: what it replaces goes, or its deletion fails in part."""
        sync = connection.running
        assert sync is not None
        connection.running = None
        connection.read_until = self.clock
        if not sync.replaces:
            return None
        old = [n for n, generation in connection.objects.items() if generation < sync.generation and n in there]
        fate = self.random.random()
        going = old if fate < 0.75 else old[: len(old) // 2] if fate < 0.87 else []
        return (
            Vanish(tuple(going), f"the sync of generation {sync.generation} deletes older objects") if going else None
        )

    def die(self, connection: Connection) -> None:
        connection.failed, connection.running = connection.running, None

    def connect_anew(self, *, is_new_airbyte: bool, stays: bool) -> None:
        """A connection made anew; where Airbyte itself is, jobs count from 1 again. The old one may go on beside it."""
        if is_new_airbyte:
            self.jobs = 0
        self.connections = [*(self.connections[-1:] if stays and not is_new_airbyte else []), Connection()]

    def clear(self, connection: Connection, there: Sequence[str]) -> Vanish | None:
        """ "Clear data": the state goes, the objects too, or they stay."""
        connection.generation += 1
        connection.read_until = -1
        connection.running = connection.failed = None
        going = tuple(name for name in connection.objects if name in there)
        return Vanish(going, "the data are cleared") if going and self.random.random() < 0.6 else None


def _apart(records: Sequence[Record], generation: int) -> tuple[Record, ...]:
    """A deletion and a content of one record are never extracted at one moment."""
    return tuple(replace(record, ago=5) if record.is_tombstone else record for record in records)
