"""The landing root, the log and landing of one stream, as docs/histories.md says: what stands, what left and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from tests.histories.oracle_generations import Fact, Generation, split_generations
from tests.histories.oracle_table import Table
from tests.histories.oracle_thing import Thing
from tests.histories.world import (
    START,
    BadFile,
    Config,
    Configure,
    File,
    Happening,
    Overwrite,
    Pass,
    Return,
    Touch,
    Vanish,
)

TICK = 11


@dataclass
class LakeState:
    """What a history has made so far. Moments in seconds from its start."""

    config: Config
    # Whether the store tells an object that was written again with the same content from one that was not.
    sees_touch: bool = True
    now: int = 0
    shelf: dict[str, Thing] = field(default_factory=dict)
    taken_away: dict[str, Thing] = field(default_factory=dict)
    facts: dict[int, Fact] = field(default_factory=dict)
    # The content by which each path was last registered, and which of them are bad.
    known: dict[str, int] = field(default_factory=dict)
    bad: dict[str, bool] = field(default_factory=dict)
    is_vanished: bool = False
    table: Table | None = None
    # The files of the generation that is shown; the generation an incremental table began with.
    shown: set[int] = field(default_factory=set)
    began_with: int | None = None
    accepted: set[tuple[str, str]] = field(default_factory=set)
    # What commands raised and left open, as they were seen to.
    open: set[str] = field(default_factory=set)
    # All that was open after the last command.
    seen: set[str] = field(default_factory=set)
    was_replaced: bool = False
    was_run: bool = False
    is_overwritten: bool = False
    is_asked: bool = False
    carried_is_open: bool = False
    # By what the table was to be made that `held_back` was last asked of.
    asked_of: str = ""
    retention_is_held: bool = False
    # The day that the expiry begins with which is held back.
    retention_from: str = ""
    # Which commands a person who accepted something runs next, and how far the lake has come since anything happened.
    owed: list[str] = field(default_factory=list)
    quiet: int = 0
    counter: int = 0

    def happen(self, event: Happening) -> None:
        """Something outside the lake happens."""
        self.quiet = 0
        if isinstance(event, Pass):
            self.now += event.minutes * 60
        elif isinstance(event, Configure):
            self.config = event.apply(self.config)
        else:
            self._change(event)
        self.now += TICK

    def _change(self, event: File | BadFile | Overwrite | Touch | Vanish | Return) -> None:
        match event:
            case File():
                self._put(event.name, event, self.now - event.lag)
            case BadFile(name):
                self._put(name, None, self.now)
            case Overwrite(name, records):
                old = self.shelf[name].content
                generation, sync = (old.generation, old.sync) if old else (0, None)
                day = self.shelf[name].day
                self._put(name, File(name, records, generation, sync), self.now)
                self.shelf[name].day = day
            case Touch(name):
                self._touch(self.shelf[name])
            case Vanish(names):
                for name in names:
                    self.taken_away[name] = self.shelf.pop(name)
            case Return(names):
                for name in names:
                    thing = self.shelf[name] = self.taken_away.pop(name)
                    thing.modified_at = max(thing.modified_at, thing.touched_at)

    def _touch(self, thing: Thing) -> None:
        thing.touched_at = self.now
        if self.sees_touch or self.known.get(thing.name) != thing.number:
            thing.modified_at = self.now

    def _put(self, name: str, content: File | None, at: int) -> None:
        self.counter += 1
        self.shelf[name] = Thing(name, content, at, at, day_of(at), self.counter)

    @property
    def holds_rows(self) -> bool:
        """Whether an object is there that has rows, or one that is new: a known bad or empty one takes nobody's place."""
        return any(
            (thing.content is not None and thing.content.records) or self.known.get(name) != thing.number
            for name, thing in self.shelf.items()
        )

    @property
    def standing(self) -> list[Fact]:
        """The files whose rows landing holds, in the order of the log."""
        return sorted((fact for fact in self.facts.values() if fact.is_standing), key=lambda fact: fact.number)

    def landing(self) -> list[str]:
        """The raw ids that landing holds."""
        return sorted(record.raw_id for fact in self.standing for record in fact.records)

    def generations(self) -> list[Generation]:
        """Of a full_refresh stream, in order."""
        return split_generations(list(self.facts.values()), self.config.settle_after)

    def place_of_shown(self, generations: list[Generation]) -> int:
        """Which of them is shown; -1 for none."""
        places = [place for place, generation in enumerate(generations) if generation.numbers & self.shown]
        return max(places, default=-1)

    def register(self) -> None:
        """`lotuslake register --full-sweep`."""
        if not self.holds_rows and self.standing:
            self._register_a_vanished_stream()
            for thing in self.shelf.values():
                self._take_up(thing)
            return
        self.is_vanished = False
        self.accepted.discard(("vanished", ""))
        for fact in self.standing:
            if fact.name not in self.shelf:
                self._leave(fact, "missing")
        for thing in sorted(self.shelf.values(), key=lambda thing: thing.number):
            self._take_up(thing)
        self._supersede()

    def _register_a_vanished_stream(self) -> None:
        if ("vanished", "") not in self.accepted:
            self.is_vanished = True
            return
        self.is_vanished = False
        for fact in self.standing:
            self._leave(fact, "vanished")

    def _leave(self, fact: Fact, why: str) -> None:
        # A finding is of an object: accepted once, it stays so when the object comes back and goes again.
        fact.was_accepted = fact.was_accepted or fact.is_accepted
        fact.is_standing, fact.left, fact.is_accepted = False, why, False

    def _take_up(self, thing: Thing) -> None:
        if self.known.get(thing.name) == thing.number:
            fact = self.facts.get(thing.number)
            if fact is not None:
                fact.modified_at = thing.modified_at
                if not fact.is_standing and fact.left != "expired":
                    fact.is_standing, fact.left, fact.was_read = True, "", False
            return
        before = self.facts.get(self.known.get(thing.name, 0))
        if before is not None:
            if before.is_standing and self.table is not None and before.number in self.table.made_from:
                self.table.was_overwritten = True
            self.is_overwritten = True
            self._leave(before, "overwritten")
        self.known[thing.name] = thing.number
        self.bad.pop(thing.name, None)
        if thing.content is None:
            self.bad[thing.name] = False
        elif thing.content.records:
            self.facts[thing.number] = Fact(
                thing.number,
                thing.name,
                thing.content.records,
                thing.content.generation,
                thing.content.sync,
                thing.written_at,
                thing.modified_at,
                thing.day,
            )
            if before is not None and before.number in self.shown:
                self.shown.add(thing.number)

    def _supersede(self) -> None:
        """Of what is older than the table nothing is missed, once register has seen that it is."""
        if not self.config.is_full:
            return
        generations = self.generations()
        for generation in generations[: max(self.place_of_shown(generations), 0)]:
            for fact in generation.files:
                if fact.left == "missing" and not generation.standing:
                    fact.left = "superseded"

    def is_gone(self, fact: Fact) -> bool:
        """Whether what it told can no longer be read: it has left, and no other content under its name stands."""
        after = self.facts.get(self.known.get(fact.name, 0))
        return not fact.is_standing and (fact.left != "overwritten" or after is None or not after.is_standing)

    def missed(self) -> tuple[bool, bool]:
        """Whether the finding `missing` must be open, and whether it may be."""
        missing = [fact for fact in self.facts.values() if fact.left == "missing" and not fact.is_accepted]
        verdicts = set()
        for fact in missing:
            verdict = self._verdict(fact)
            # What a newer generation was taken for once to have replaced is not missed later.
            fact.is_replaced = fact.is_replaced or verdict == "may"
            verdicts.add("may" if fact.is_replaced or fact.was_accepted else verdict)
        return "must" in verdicts, bool(verdicts)

    def _verdict(self, fact: Fact) -> str:
        if not self.config.is_full:
            mates = [other for other in self.facts.values() if other.generation == fact.generation]
            later = [other for other in self.standing if other.generation != fact.generation]
            begun_at = min((other.modified_at for other in later), default=0)
            # Files of the old generation that came after the new one began are another connection's.
            return "may" if later and not any(m.is_standing and m.modified_at < begun_at for m in mates) else "must"
        generations = self.generations()
        shown = self.place_of_shown(generations)
        place = next(n for n, generation in enumerate(generations) if fact in generation.files)
        if place < shown:
            return "may"
        newer = [
            generation
            for number, generation in enumerate(generations)
            if any(other.oldest > fact.newest or number > place for other in generation.standing)
        ]
        if any(self.config.is_overwrite and generation.id > fact.generation for generation in newer):
            return "may"
        # What is shown and has gone is missed by the page's table; that a newer generation stands may be seen as its heir.
        return "may" if newer else "must"


def day_of(seconds: int) -> int:
    """The landing day, as an ordinal."""
    return (START + timedelta(seconds=seconds)).date().toordinal()
