"""Draws histories: what Airbyte, the source, the store and a person may do next, weighed as in years of running."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from tests.histories.airbyte import Airbyte, Connection
from tests.histories.applicable import is_applicable
from tests.histories.oracle_lake import LakeState
from tests.histories.world import (
    BadFile,
    Command,
    Config,
    Configure,
    Event,
    File,
    Overwrite,
    Pass,
    Return,
    Sql,
    Touch,
    Vanish,
)

SETTLED_MINUTES = (2, 20, 50, 130, 300, 1500, 4400)
REGISTER, TRANSFORM = Command("register"), Command("transform")


def draw_config(random: Random) -> Config:
    """The stream's beginning."""
    kind = random.choice(["incremental", "incremental", "append", "overwrite"])
    config = Config(
        sync_mode="incremental" if kind == "incremental" else "full_refresh",
        destination="overwrite" if kind == "overwrite" else "append",
        primary_key=random.choice([("id",), ("id",), ("id", "name"), ("name",)]),
        has_tombstones=kind == "incremental" and random.random() < 0.7,
        settle_after=random.choice([120, 120, 30, 600]),
        max_shrink=random.choice([0.5, 0.5, 0.2, 0.9]),
    )
    retention = random.choice([None, None, 2, 5]) if kind == "incremental" else None
    return replace(config, retention_days=retention, null_keys=random.choice(["keep", "drop"]))


@dataclass
class Author:
    """Writes a history as it goes. ``sqls`` are what the lake's models can be."""

    random: Random
    sqls: tuple[Sql, ...]
    has_null_keys: bool = True
    airbyte: Airbyte = field(init=False)
    queue: list[Event] = field(default_factory=list)
    names: int = 0
    redrawn: int = 0

    def __post_init__(self) -> None:
        self.airbyte = Airbyte(self.random, self.random.random() < 0.8, self.has_null_keys)

    @property
    def _keys(self) -> list[tuple[str, ...]]:
        return [("id",), ("id", "name"), *([("name",)] if self.has_null_keys else [])]

    def next(self, states: Sequence[LakeState]) -> Event:
        """The next event; one that is not applicable is drawn anew, and counted."""
        state = states[0]
        while True:
            if state.owed:
                self.queue = [Command(state.owed[0])]  # type: ignore[arg-type]
            if not self.queue:
                self.queue = self._draw(state)
            if self.queue:
                event = self.queue.pop(0)
                if all(is_applicable(one, event) for one in states):
                    return event
            self.redrawn += 1

    def _draw(self, state: LakeState) -> list[Event]:
        acts: list[tuple[float, Callable[[LakeState], list[Event]]]] = [
            (6, self._sync),
            (3, self._pass),
            (3.5, lambda _: [REGISTER, TRANSFORM]),
            (0.7, lambda _: [REGISTER]),
            (0.7, lambda _: [TRANSFORM]),
            (1.5, self._accept),
            (1, self._store),
            (1, self._configure),
            (0.5, self._ask),
            (0.7 if state.config.retention_days else 0.1, lambda _: [Command("maintain")]),
        ]
        weights = [weight for weight, _ in acts]
        (act,) = self.random.choices([act for _, act in acts], weights)
        return act(state)

    def _pass(self, _: LakeState) -> list[Event]:
        return [Pass(self.random.choice(SETTLED_MINUTES))]

    # Airbyte

    def _sync(self, state: LakeState) -> list[Event]:
        """A step of a connection: a job begins, writes, ends, dies, is tried again; or something becomes of it."""
        connection = self.random.choice(self.airbyte.connections)
        if connection.running is not None:
            return self._go_on(state, connection)
        chance = self.random.random()
        if connection.failed is not None and chance < 0.5:
            self.airbyte.retry(connection, state.config)
            return [Pass(1)]
        if chance > 0.95:
            # Two connections at once that append to one table need no generations of their own to be understood.
            stays = state.config.is_full and self.random.random() < 0.4
            self.airbyte.connect_anew(is_new_airbyte=self.random.random() < 0.4, stays=stays)
            return []
        if chance > 0.92 and connection.objects:
            gone = self.airbyte.clear(connection, list(state.shelf))
            return [gone] if gone else []
        refresh = ""
        if not state.config.is_full and connection.generation >= 0 and chance > 0.75:
            refresh = self.random.choice(["merging", "truncating"])
        self.airbyte.change_source(state.config)
        self.airbyte.begin(connection, state.config, refresh=refresh)
        # What a job extracts, it extracts after it has begun.
        return [Pass(1)]

    def _go_on(self, state: LakeState, connection: Connection) -> list[Event]:
        assert connection.running is not None
        if self.random.random() < 0.12:
            self.airbyte.die(connection)
            return []
        lag = self.random.choice([3_000, 90_000]) if self.random.random() < 0.06 else 0
        # A late file is of a generation that had begun by then.
        mates = [fact for fact in state.facts.values() if fact.generation == connection.running.generation]
        if state.config.is_full or not any(fact.oldest <= state.now - lag - 60 for fact in mates):
            lag = 0
        file = self.airbyte.write(connection, state.config, lag=lag)
        if file is not None:
            return [file, *([Pass(self.random.choice([2, 2, 40]))] if self.random.random() < 0.4 else [])]
        there = [name for name in state.shelf if name in state.known]
        gone = self.airbyte.finish(connection, state.config, there)
        return [gone] if gone is not None else []

    # The store

    def _store(self, state: LakeState) -> list[Event]:
        there = sorted(state.shelf)
        away = sorted(state.taken_away)
        self.names += 1
        options: list[Event] = [BadFile(f"bad_{self.names}")] if self.random.random() < 0.3 else []
        options += [File(f"empty_{self.names}", (), 0, None)] if self.random.random() < 0.2 else []
        if there:
            options += [
                Vanish((self.random.choice(there),)),
                Vanish(tuple(n for n in there if state.shelf[n].content is not None), "every object vanishes"),
                Touch(self.random.choice(there)),
                *self._overwrite(state, self.random.choice(there)),
            ]
        if away:
            options += [Return((self.random.choice(away),)), Return(tuple(away)), Return(tuple(away))]
        return [self.random.choice(options)] if options else []

    def _overwrite(self, state: LakeState, name: str) -> list[Event]:
        thing = state.shelf[name]
        if thing.content is None:
            return []
        age = state.now - thing.written_at
        records = [
            replace(record, raw_id=self.airbyte.raw_id(state.config), amount=record.amount + 1, ago=record.ago + age)
            for record in thing.content.records[: self.random.choice([1, 9, 9])]
        ]
        return [Overwrite(name, tuple(records))]

    # A person

    def _accept(self, state: LakeState) -> list[Event]:
        kinds = set(state.seen)
        if not kinds:
            return []
        chosen = kinds if self.random.random() < 0.6 else {self.random.choice(sorted(kinds))}
        return [REGISTER, TRANSFORM, Command("accept", kinds=tuple(sorted(chosen)))]

    def _configure(self, state: LakeState) -> list[Event]:
        config, random = state.config, self.random
        changes: list[tuple[str, object]] = [
            ("sql", random.choice(self.sqls)),
            ("sql", random.choice(self.sqls)),
            ("has_note", not config.has_note),
            ("has_extra", not config.has_extra),
            ("has_member", not config.has_member),
            ("primary_key", random.choice(self._keys)),
            ("cursor_field", random.choice(["updated_at", "edited_at"])),
            ("max_shrink", random.choice([0.2, 0.5, 0.9])),
            ("settle_after", random.choice([30, 120, 600])),
        ]
        if not config.is_full:
            changes.append(("has_tombstones", not config.has_tombstones))
            changes.append(("retention_days", random.choice([None, 2, 5])))
        return [Configure((random.choice(changes),))]

    def _ask(self, _: LakeState) -> list[Event]:
        loss = self.random.random() < 0.3
        return [
            REGISTER,
            self.random.choice(
                [
                    Command("transform", full_refresh=True, accept_loss=loss),
                    Command("transform", accept_loss=True),
                    Command("backfill", accept_loss=loss),
                    Command("backfill", accept_loss=loss),
                    Command("backfill", days=True),
                ]
            ),
        ]
