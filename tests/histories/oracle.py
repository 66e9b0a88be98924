"""What the page says of a history: after each command the tables, the findings and the exit code.

Written from docs/histories.md alone; it shares nothing with the product. Where the page leaves two readings, both are
branches: the lake may take either, and the oracle goes on from the one it took.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.histories.applicable import LENIENT
from tests.histories.oracle_generations import Fact, Generation
from tests.histories.oracle_lake import LakeState, day_of
from tests.histories.oracle_table import Table, Telling, carry, tell
from tests.histories.world import Command

Kinds: TypeAlias = set[str]
STATUS_KINDS = {"missing", "vanished", "quarantined", "overwritten"}


@dataclass
class Branch:
    """A state that the page allows after a command. Of `any_of` one must be open, unless it is empty."""

    state: LakeState
    exit_code: int | None = None
    must: Kinds = field(default_factory=set)
    may: Kinds = field(default_factory=set)
    any_of: Kinds = field(default_factory=set)
    note: str = ""
    is_refused: bool = False

    def allows(self, kinds: Kinds, exit_code: int) -> bool:
        allowed = self.must | self.may | self.any_of
        if not self.must <= kinds <= allowed or (self.any_of and not kinds & self.any_of):
            return False
        if self.exit_code is not None:
            return exit_code == self.exit_code
        return exit_code == (5 if kinds else 0)


def predict(state: LakeState, command: Command) -> list[Branch]:
    """Every state that the page allows after the command."""
    match command.name:
        case "register":
            after = deepcopy(state)
            after.register()
            return [_with_status(Branch(after, must=set(after.open), may={"untold", "null_keys"}))]
        case "accept":
            return [_accepted(state, command)]
        case "maintain":
            return [_with_status(branch) for branch in _maintained(state)]
        case _:
            return [_with_status(branch) for branch in _Transform(deepcopy(state), command).branches()]


def adopt(branch: Branch, kinds: Kinds, command: Command) -> LakeState:
    """The state to go on from, once the lake was seen to be in it."""
    state = branch.state
    state.open = kinds - STATUS_KINDS
    state.seen = kinds
    state.carried_is_open = "carried" in kinds
    state.now += 1
    move_on(state, command)
    return state


def move_on(state: LakeState, command: Command) -> None:
    """What a person does next, and whether anything has happened since the lake came to rest."""
    if state.owed:
        state.owed.pop(0)
    match command.name:
        case "register":
            state.quiet = max(state.quiet, 1)
        case "transform" if state.quiet:
            state.quiet = 2
        case "accept":
            state.owed = [
                "register",
                "transform",
                *(["maintain"] if state.retention_is_held and not state.is_vanished else []),
            ]


def _with_status(branch: Branch) -> Branch:
    """What register alone knows is open after every command."""
    state = branch.state
    must, may = state.missed()
    branch.must |= {"missing"} if must else set()
    branch.may |= {"missing"} if may else set()
    if state.is_vanished and ("vanished", "") not in state.accepted:
        branch.must.add("vanished")
    if state.is_overwritten and ("overwritten", "") not in state.accepted:
        is_due = state.table is not None and state.table.was_overwritten
        (branch.must if is_due and not branch.is_refused else branch.may).add("overwritten")
    if any(not is_accepted for is_accepted in state.bad.values()):
        branch.must.add("quarantined")
    return branch


def _accepted(state: LakeState, command: Command) -> Branch:
    after = deepcopy(state)
    kinds = set(command.kinds)
    if "vanished" in kinds and after.is_vanished:
        after.accepted.add(("vanished", ""))
    if "missing" in kinds:
        for fact in after.facts.values():
            fact.is_accepted = fact.is_accepted or fact.left == "missing"
    if "overwritten" in kinds:
        after.accepted.add(("overwritten", ""))
    if "quarantined" in kinds:
        after.bad = dict.fromkeys(after.bad, True)
    _accept_generations(after, kinds)
    after.accepted |= {(kind, "now") for kind in kinds & after.open if kind in {"held_back", "loss"}}
    if after.retention_is_held and "held_back" in kinds:
        after.accepted.add(("retention", "now"))
    if "carried" in kinds:
        after.carried_is_open = False
    branch = Branch(after, must=after.open - kinds)
    return _with_status(branch)


def _accept_generations(state: LakeState, kinds: Kinds) -> None:
    """A finding of a generation is accepted for that generation alone."""
    if state.config.is_full:
        for generation in state.generations():
            state.accepted |= {(kind, generation.subject) for kind in kinds & state.open & {"incomplete", "untold"}}


def _maintained(state: LakeState) -> Iterator[Branch]:
    config = state.config
    after = deepcopy(state)
    kept = set(state.open) - ({"held_back"} if state.retention_is_held else set())
    old = _old_files(after)
    rows = sum(len(fact.records) for fact in after.standing)
    going = sum(len(fact.records) for fact in old)
    is_large = going > config.max_shrink * rows
    if old and is_large and ("retention", "now") not in state.accepted:
        after.retention_is_held = True
        yield Branch(deepcopy(after), exit_code=5, must=kept | {"held_back"}, note="expiry held back")
        if ("retention", "ever") not in state.accepted:
            return
    if old and is_large and "p8" in LENIENT:
        after.accepted.add(("retention", "ever"))
    after.retention_is_held = False
    if old:
        after.accepted.discard(("retention", "now"))
    for fact in old:
        fact.is_standing, fact.left = False, "expired"
        thing = after.shelf.get(fact.name)
        if thing is not None and thing.number == fact.number:
            after.taken_away.pop(fact.name, None)
            del after.shelf[fact.name]
    # Whether upkeep tells of what it has not found itself, the page leaves open.
    for exit_code in (0, None):
        yield Branch(deepcopy(after), exit_code=exit_code, must=kept, may=state.open)


def _old_files(state: LakeState) -> list[Fact]:
    if state.config.retention_days is None or state.is_vanished:
        return []
    oldest_kept = day_of(state.now) - state.config.retention_days
    return [fact for fact in state.standing if fact.day < oldest_kept and fact.was_read]


@dataclass
class _Transform:
    """`transform`, or a `backfill`."""

    state: LakeState
    command: Command

    @property
    def accept_loss(self) -> bool:
        return self.command.accept_loss or ("loss", "now") in self.state.accepted

    def branches(self) -> Iterator[Branch]:
        state = self.state
        is_backfill = self.command.name == "backfill" and not self.command.days
        table = state.table
        if table is not None and table.config.identity != state.config.identity and not is_backfill:
            yield Branch(state, exit_code=2, must=set(state.open), may={"held_back"}, note="identity changed")
            return
        if state.is_vanished and ("vanished", "") not in state.accepted:
            yield Branch(state, may=set(state.open), note="vanished")
            if any(not fact.was_read for fact in state.standing):
                # Landing is kept: whether what it holds as a copy is still read, the page leaves open.
                yield from (
                    self._with_open(b) for b in (self._full_refresh() if state.config.is_full else self._incremental())
                )
            return
        found = self._full_refresh() if state.config.is_full else self._incremental()
        for branch in found:
            branch.state.was_run = True
            self._finish(branch)
            yield branch

    def _with_open(self, branch: Branch) -> Branch:
        branch.may |= self.state.open | {"missing"}
        return branch

    def _finish(self, branch: Branch) -> None:
        state = branch.state
        if state.table is not None and not state.table.was_overwritten:
            state.is_overwritten = False
            state.accepted.discard(("overwritten", ""))
        if state.retention_is_held:
            branch.may.add("held_back")
        if state.carried_is_open:
            made_from = state.table.made_from if state.table is not None else set()
            is_mended = state.was_replaced or all(state.facts[n].is_standing for n in made_from)
            (branch.may if is_mended else branch.must).add("carried")
        if state.table is not None and any(telling.is_keyless for telling in state.table.tellings):
            branch.may.add("null_keys")
        # What a person let be is done by the next transform, or never.
        state.accepted -= {("loss", "now"), ("held_back", "now")}

    @property
    def asks_rebuild(self) -> bool:
        is_whole = self.command.name == "backfill" and not self.command.days
        return self.command.full_refresh or is_whole

    # full_refresh

    def _full_refresh(self) -> Iterator[Branch]:
        state = self.state
        generations = state.generations()
        place = state.place_of_shown(generations)
        if state.table is None and len(generations) == 1 and generations[0].standing:
            yield from self._show(generations, 0, is_first=True)
            if not state.was_run or self._is_settled(generations, 0):
                return
            # Whether a transform that found no file has built the table, the page leaves open.
            yield Branch(deepcopy(state), note="waits: a transform found nothing before")
            return
        left = [place for place, generation in enumerate(generations) if generation.standing]
        if state.table is None and len(left) == 1 and not self._is_settled(generations, left[0]):
            # Whether a generation of which nothing is left was "the only one", the page leaves open.
            yield from self._show(generations, left[0], is_first=True)
            if state.was_run:
                yield Branch(deepcopy(state), may={"incomplete"}, note="waits: a transform found nothing before")
        for candidate in range(len(generations) - 1, place, -1):
            verdict = self._completeness(generations, candidate, place)
            if generations[candidate].standing and verdict != "no":
                yield from self._show(generations, candidate, is_first=False)
                if verdict == "yes":
                    return
        yield from self._stay(generations, place)

    def _completeness(self, generations: list[Generation], number: int, place: int) -> str:
        """Of a generation that is newer than what is shown: yes, no, or `maybe` where the page may err."""
        one, later = generations[number], generations[number + 1 :]
        if one.sync is not None and any(other.sync == one.sync for other in later):
            return "no"
        if not self._is_settled(generations, number):
            return "maybe" if "p4" in LENIENT and self._is_settled_by_what_stands(generations, number) else "no"
        if "p4" in LENIENT and any(not fact.is_standing for g in generations[max(place, 0) :] for fact in g.files):
            return "maybe"
        if not self.state.config.is_overwrite:
            return "yes"
        if self._blockers(generations, number, place):
            return "yes" if ("held_back", "now") in self.state.accepted else "no"
        # That the older objects are gone may be the work of a later sync that has not deleted all yet.
        return "maybe" if any(other.id > one.id for other in later) else "yes"

    def _is_settled(self, generations: list[Generation], number: int) -> bool:
        one, later = generations[number], generations[number + 1 :]
        until = later[0].begun_at if later else self.state.now
        return until - one.last_written_at >= self.state.config.settle_after * 60

    def _is_settled_by_what_stands(self, generations: list[Generation], number: int) -> bool:
        written = [file.modified_at for later in generations[number + 1 :] for file in later.standing]
        last = max((file.modified_at for file in generations[number].standing), default=0)
        return min([self.state.now, *written]) - last >= self.state.config.settle_after * 60

    def _blockers(self, generations: list[Generation], number: int, place: int) -> list[Generation]:
        return [
            other
            for other in generations[max(place, 0) : number]
            if other.id < generations[number].id and other.standing
        ]

    def _show(self, generations: list[Generation], number: int, *, is_first: bool) -> Iterator[Branch]:
        """The generation takes the table's place, unless that is held back."""
        state = deepcopy(self.state)
        chosen = generations[number]
        table = self._built(state, chosen.numbers)
        if not is_first and self._is_fall(state.table, table):
            yield from self._hold(generations, number)
            return
        place = state.place_of_shown(generations)
        if (
            not is_first
            and self._blockers(generations, number, place)
            and self._is_fall(state.table, table, accepted=False)
        ):
            # Accepted was that older objects are left; that it is smaller too may be asked next.
            yield from self._hold(generations, number)
        if "p2" in LENIENT and not is_first and "held_back" in self.state.open:
            yield from self._hold(generations, number)
        # Its place in the order is not changed by what is published.
        state.table, state.shown, state.was_replaced = table, set(chosen.numbers), True
        state.is_asked = False
        state.accepted.discard(("held_back", "now"))
        branch = Branch(state, note=f"shows {chosen.subject}")
        self._tell_generations(branch, generations, number)
        yield branch

    def _hold(self, generations: list[Generation], number: int) -> Iterator[Branch]:
        place = self.state.place_of_shown(generations)
        as_it_is = Branch(deepcopy(self.state), may={"carried", "loss"}, note="as it is")
        self._tell_generations(as_it_is, generations, place)
        for branch in [*self._stay(generations, place), as_it_is]:
            branch.must.add("held_back")
            # A dead one before it: the question about the newer one may stand for both.
            branch.may |= branch.must & {"incomplete"}
            branch.must.discard("incomplete")
            branch.note += f"; {generations[number].subject} is held back"
            yield branch

    def _stay(self, generations: list[Generation], place: int) -> Iterator[Branch]:
        """What is shown stays, with what came of it."""
        if place < 0:
            branch = Branch(deepcopy(self.state), note="nothing to show yet")
            self._tell_generations(branch, generations, place)
            yield branch
            return
        for branch in self._bring_up(generations[place].numbers):
            branch.state.shown |= {
                number for number in generations[place].numbers if branch.state.facts[number].was_read
            }
            self._tell_generations(branch, generations, place)
            yield branch

    def _tell_generations(self, branch: Branch, generations: list[Generation], shown: int) -> None:
        """The findings `incomplete`, `held_back` and `untold`."""
        for number, one in enumerate(generations):
            if one.is_untold:
                level = (
                    branch.must
                    if number >= shown and one.standing and ("untold", one.subject) not in self.state.accepted
                    else branch.may
                )
                level.add("untold")
            if number > shown:
                self._tell_unshown(branch, generations, number, shown)

    def _tell_unshown(self, branch: Branch, generations: list[Generation], number: int, shown: int) -> None:
        one, later = generations[number], generations[number + 1 :]
        # What was asked about it stays asked while it gets another file.
        branch.may |= self.state.open & {"held_back"}
        is_retried = one.sync is not None and any(other.sync == one.sync for other in later)
        is_open = bool(one.standing) and ("incomplete", one.subject) not in self.state.accepted
        if is_retried or (later and not self._is_settled(generations, number)):
            (branch.must if is_open else branch.may).add("incomplete")
        elif self._is_settled(generations, number) and self._blockers(generations, number, shown):
            if later:
                branch.may |= {"held_back", "incomplete"}
                branch.any_of |= {"held_back", "incomplete"} if is_open else set()
            elif is_open and ("held_back", "now") not in branch.state.accepted:
                branch.must.add("held_back")
            else:
                branch.may.add("held_back")
        elif later or any(f.is_standing and f.oldest > one.newest for g in generations for f in g.files):
            # Something came after it.
            branch.may.add("incomplete")

    # incremental

    def _incremental(self) -> Iterator[Branch]:
        state = self.state
        numbers = {fact.number for fact in state.standing}
        if state.table is not None and state.began_with is not None and self._is_truncated():
            yield from self._truncate(numbers)
            return
        for branch in self._bring_up(numbers):
            after = branch.state
            if after.began_with is None and after.table is not None and after.table.made_from:
                first = min(
                    (after.facts[n] for n in after.table.made_from), key=lambda fact: (fact.oldest, fact.number)
                )
                after.began_with = first.generation
            yield branch

    def _is_truncated(self) -> bool:
        state = self.state
        mine = [fact for fact in state.facts.values() if fact.generation == state.began_with]
        read = [fact for fact in mine if state.table is not None and fact.number in state.table.made_from]
        is_gone = bool(read) and not any(fact.is_standing for fact in mine)
        # What a retention took was learned for good.
        return is_gone and any(fact.left in {"missing", "vanished"} for fact in read) and bool(state.standing)

    def _truncate(self, numbers: set[int]) -> Iterator[Branch]:
        """Of the generation that the table began with no object is left."""
        newest = max(self.state.standing, key=lambda fact: (fact.oldest, fact.number)).generation
        files = [fact for fact in self.state.facts.values() if fact.generation == newest]
        is_settled = self.state.now - max(f.modified_at for f in files) >= self.state.config.settle_after * 60
        if not is_settled:
            yield from self._follow(numbers)
            return
        state = deepcopy(self.state)
        table = self._built(state, numbers)
        if self._is_fall(state.table, table):
            yield Branch(deepcopy(self.state), must={"held_back"}, note="truncation held back")
            for branch in self._bring_up(numbers):
                branch.must.add("held_back")
                yield branch
            return
        state.table, state.was_replaced, state.is_asked = table, True, False
        state.began_with = min(state.standing, key=lambda fact: (fact.oldest, fact.number)).generation
        there = {fact.generation for fact in state.standing}
        for fact in state.facts.values():
            if fact.left == "missing" and not fact.is_accepted and fact.generation not in there:
                fact.left = "superseded"
        state.accepted.discard(("held_back", "now"))
        yield Branch(state, may={"missing"}, note="truncated")

    def _follow(self, numbers: set[int]) -> Iterator[Branch]:
        """A refresh that has not settled: the table follows what comes, and is not rebuilt."""
        after = self._merge(numbers)
        after.may |= self.state.open
        yield after
        if self._is_due() or self.asks_rebuild or self.state.is_asked:
            # What another SQL made is not mixed with what this one makes.
            yield Branch(deepcopy(self.state), note="truncated, not settled: stays", may=set(self.state.open))

    # both

    def _bring_up(self, numbers: set[int]) -> Iterator[Branch]:
        """The table from these files: built anew where that is due, else with what was not read yet."""
        state = self.state
        table = state.table
        is_due = table is not None and (table.config.make != state.config.make or table.was_overwritten)
        is_new_identity = table is not None and table.config.identity != state.config.identity
        if table is None or not (is_due or is_new_identity or self.asks_rebuild or state.is_asked):
            yield self._merge(numbers)
            return
        yield from self._rebuild(numbers, table)
        if state.is_asked and not (is_due or is_new_identity or self.asks_rebuild):
            # Whether a rebuild that a person asked for and that was refused is tried again, the page leaves open.
            yield self._merge(numbers)

    def _merge(self, numbers: set[int]) -> Branch:
        state = deepcopy(self.state)
        unread = [state.facts[n] for n in sorted(numbers) if state.facts[n].is_standing and not state.facts[n].was_read]
        gone_for_good = [f for f in state.facts.values() if f.left == "vanished" and state.table]
        if state.table is None and not unread:
            return Branch(state, note="nothing read yet")
        table = state.table or Table(state.config)
        if gone_for_good and state.config.is_full and any(f.number in table.made_from for f in gone_for_good):
            table = Table(state.config)
        self._hear(table, unread)
        state.table = table
        return Branch(state, note="merged")

    def _hear(self, table: Table, facts: list[Fact]) -> None:
        for fact in facts:
            table.hear(tell(fact.records, fact.written_at, table.config))
            table.made_from.add(fact.number)
            fact.was_read = True

    def _built(self, state: LakeState, numbers: set[int]) -> Table:
        table = Table(state.config)
        facts = [state.facts[n] for n in sorted(numbers) if state.facts[n].is_standing]
        self._hear(table, facts)
        return table

    def _rebuild(self, numbers: set[int], old: Table) -> Iterator[Branch]:
        state = deepcopy(self.state)
        table = self._built(state, numbers)
        gone = {n for n in old.made_from if state.is_gone(state.facts[n])}
        if state.config.is_full and any(state.facts[n].left == "vanished" for n in gone):
            yield Branch(self._replaced(state, table), note="accepted as empty")
            return
        only = self._told_by_gone_files_alone(old, state, numbers)
        if gone and state.config.is_full and not any(state.facts[n].is_standing for n in numbers):
            # Of what is shown nothing can be read, and a newer one stands: to wait for it shows nothing wrong.
            yield Branch(
                deepcopy(self.state), may={"carried", "loss", "held_back"}, note="waits for the newer generation"
            )
        if gone and not self.accept_loss:
            is_reshaped = old.config.has_member != state.config.has_member
            if is_reshaped or not self._can_carry(old):
                yield self._refuse("loss")
            if self._can_carry(old):
                table.hear(carry(telling, state.config) for telling in only)
                table.made_from |= gone
                state.carried_is_open = True
                yield from self._publish(state, table, must={"carried"} if only else set(), may={"carried"})
            if only or self._can_carry(old):
                return
        elif gone and self._is_fall(old, table):
            # The page says both that an accepted loss is built and that a fall is held back.
            yield Branch(self._replaced(state, table), note="loss accepted, a fall", may={"loss"})
        unread = (
            {"carried"} if "p3" in LENIENT and any(f.left and not f.was_read for f in state.facts.values()) else set()
        )
        yield from self._publish(state, table, must=set(), may=unread)

    def _told_by_gone_files_alone(self, old: Table, state: LakeState, numbers: set[int]) -> list[Telling]:
        told = {record.raw_id for n in numbers if state.facts[n].is_standing for record in state.facts[n].records}
        return [telling for telling in old.tellings if telling.raw_id not in told]

    def _can_carry(self, old: Table) -> bool:
        config = self.state.config
        same_types = (old.config.sql == "typed") == (config.sql == "typed")
        return same_types and not old.was_overwritten

    def _refuse(self, kind: str) -> Branch:
        state = deepcopy(self.state)
        state.is_asked = state.is_asked or self.asks_rebuild
        return Branch(state, must={kind}, note=f"{kind}: refused", is_refused=True)

    def _publish(self, state: LakeState, table: Table, *, must: Kinds, may: Kinds) -> Iterator[Branch]:
        if self._is_fall(state.table, table):
            yield self._refuse("held_back")
            if not self._is_due():
                branch = self._merge({fact.number for fact in self.state.standing} & self._mine())
                branch.state.is_asked = True
                branch.must.add("held_back")
                yield branch
            return
        yield Branch(self._replaced(state, table), must=must, may=may, note="built anew")

    def _mine(self) -> set[int]:
        state = self.state
        if not state.config.is_full:
            return set(state.facts)
        generations = state.generations()
        return generations[state.place_of_shown(generations)].numbers

    def _is_due(self) -> bool:
        table, config = self.state.table, self.state.config
        assert table is not None
        return table.config.make != config.make or table.config.identity != config.identity or table.was_overwritten

    def _replaced(self, state: LakeState, table: Table) -> LakeState:
        state.table, state.is_asked, state.was_replaced = table, False, False
        state.accepted.discard(("held_back", "now"))
        return state

    def _is_fall(self, before: Table | None, after: Table, *, accepted: bool | None = None) -> bool:
        accepted = ("held_back", "now") in self.state.accepted if accepted is None else accepted
        if before is None or not len(before) or accepted:
            return False
        return (len(before) - len(after)) / len(before) > self.state.config.max_shrink
