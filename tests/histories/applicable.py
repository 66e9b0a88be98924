"""Whether an event can happen in a state, and whether the page says clearly enough what follows of it.

What the page leaves open is named here, so that nothing is left out quietly; the author of histories draws anew.
"""

from __future__ import annotations

from tests.histories.oracle_generations import DAY, Fact, split_generations
from tests.histories.oracle_lake import LakeState
from tests.histories.world import BadFile, Command, Configure, Event, File, Overwrite, Pass, Return, Touch, Vanish


def is_applicable(state: LakeState, event: Event) -> bool:
    if isinstance(event, Command):
        return _may_run(state, event)
    if isinstance(event, Pass | Configure):
        return not state.owed and (isinstance(event, Pass) or _may_configure(state, event))
    return not state.owed and _may_change(state, event)


def _may_change(state: LakeState, event: File | BadFile | Overwrite | Touch | Vanish | Return) -> bool:
    match event:
        case File():
            return event.name not in state.shelf and event.name not in state.known and _is_clear(state, event)
        case BadFile(name):
            return name not in state.shelf and name not in state.known and not state.config.is_overwrite
        case Overwrite():
            return _may_overwrite(state, event)
        case Touch(name):
            fact = _fact(state, name)
            # Of a generation to come, whether a copy of an object is "written" again, the page does not say.
            return fact is not None and fact.is_standing and (not state.config.is_full or _is_settled_past(state, fact))
        case Vanish(names):
            is_each_once = len(set(names)) == len(names) > 0
            return is_each_once and all(name in state.shelf for name in names) and _may_vanish(state, set(names))
        case Return(names):
            is_each_once = len(set(names)) == len(names) > 0
            return is_each_once and all(_may_return(state, name) for name in names)


def _fact(state: LakeState, name: str) -> Fact | None:
    thing = state.shelf.get(name)
    return state.facts.get(thing.number) if thing is not None and state.known.get(name) == thing.number else None


def _is_settled_past(state: LakeState, fact: Fact) -> bool:
    """Of what is shown, or older."""
    generations = state.generations()
    place = state.place_of_shown(generations)
    return fact.sync is not None and any(fact in generation.files for generation in generations[: place + 1])


def _is_clear(state: LakeState, event: File) -> bool:
    """Files with and without a sync id, of one generation id, less than a day apart: the page does not tell."""
    if not state.config.is_full or not event.records:
        return not state.config.is_full
    written = state.now - event.lag
    coming = [
        Fact(
            thing.number,
            name,
            thing.content.records,
            thing.content.generation,
            thing.content.sync,
            thing.written_at,
            0,
            0,
        )
        for name, thing in state.shelf.items()
        if thing.content is not None and thing.content.records
    ]
    new = Fact(state.counter + 1, event.name, event.records, event.generation, event.sync, written, written, 0)
    facts = {fact.number: fact for fact in [*state.facts.values(), *coming, new]}.values()
    generations = split_generations(list(facts), state.config.settle_after)
    silent = {fact.number for g in generations for fact in g.files if g.sync is None or fact.sync is None}
    for one in facts:
        for other in facts:
            is_mixed = (one.number in silent) != (other.number in silent)
            is_near = one.oldest - other.newest < DAY and other.oldest - one.newest < DAY
            if one.generation == other.generation and is_mixed and is_near:
                return False
    return True


def _may_overwrite(state: LakeState, event: Overwrite) -> bool:
    fact = _fact(state, event.name)
    if fact is None or not fact.is_standing or not fact.was_read or state.is_vanished or not event.records:
        return False
    if state.table is None or fact.number not in state.table.made_from:
        return False
    ages = [state.now - record.ago for record in event.records]
    # Content of another day would be another generation.
    return not state.config.is_full or (min(ages) >= fact.oldest - 60 and max(ages) <= fact.newest + 3600)


def _may_vanish(state: LakeState, names: set[str]) -> bool:
    # What a table holds by its former key is carried into one by another: the page does not say as what.
    if _is_changed(state):
        return False
    if any(state.shelf[name].content is None for name in names):
        return False
    left = [thing for name, thing in state.shelf.items() if name not in names]
    if not any(thing.content is not None and thing.content.records for thing in left):
        return all(name in state.known for name in names)
    if any(not thing.content.records for name in names if (thing := state.shelf[name]).content is not None):
        return False
    if not state.config.is_full:
        return True
    # A generation that is not shown yet and loses some of its files: the page does not say whether it may be shown.
    generations = state.generations()
    for generation in generations[state.place_of_shown(generations) + 1 :]:
        mine = {fact.name for fact in generation.standing}
        if mine & names and not mine <= names:
            return False
    return all(name in state.known for name in names)


def _may_return(state: LakeState, name: str) -> bool:
    thing = state.taken_away.get(name)
    if thing is None or name in state.shelf or state.known.get(name) != thing.number:
        return False
    fact = state.facts.get(thing.number)
    if fact is None or fact.left not in {"", "missing"}:
        return False
    # What a newer generation has replaced, or may have, and what is not shown yet: the page does not say.
    if not state.config.is_full:
        return fact.is_standing or not _is_replaced(state, fact)
    generations = state.generations()
    place = next(n for n, generation in enumerate(generations) if fact in generation.files)
    return place == state.place_of_shown(generations) == len(generations) - 1


def _is_replaced(state: LakeState, fact: Fact) -> bool:
    mates = [other for other in state.facts.values() if other.generation == fact.generation]
    return not any(other.is_standing for other in mates) and bool(state.standing)


def _may_configure(state: LakeState, event: Configure) -> bool:
    before, after = state.config, event.apply(state.config)
    if before == after or before.sync_mode != after.sync_mode:
        return False
    if state.is_vanished or state.table is None:
        return False
    made_from = [state.facts[n] for n in state.table.made_from]
    gone = [fact for fact in made_from if not fact.is_standing or fact.name not in state.shelf]
    changes_shape = before.has_member != after.has_member or before.identity != after.identity
    changes_shape = changes_shape or before.has_tombstones != after.has_tombstones
    if gone and (changes_shape or _is_truncating(state)):
        return False
    is_silent = after.is_full and any(fact.sync is None for fact in state.facts.values())
    return not (is_silent and before.settle_after != after.settle_after)


def _is_truncating(state: LakeState) -> bool:
    return not state.config.is_full and any(
        _is_replaced(state, fact) for fact in state.facts.values() if fact.left == "missing"
    )


def _may_run(state: LakeState, command: Command) -> bool:
    if state.owed:
        plain = Command(command.name)
        return command.name == state.owed[0] and command == plain
    if command.name == "register":
        return True
    if command.name == "accept":
        return (
            state.quiet >= 2 and state.seen.issuperset(command.kinds) and bool(command.kinds) and not _is_changed(state)
        )
    if not _is_known(state):
        return False
    if state.is_vanished:
        return command.name == "transform" and not command.accept_loss
    if command.name == "maintain":
        return not state.config.is_full and not _is_changed(state)
    return not (command.days and state.table is None)


def _is_changed(state: LakeState) -> bool:
    return state.table is not None and state.table.config.identity != state.config.identity


def _is_known(state: LakeState) -> bool:
    """Register has seen all that happened to the objects that landing holds."""
    if state.is_vanished and not state.holds_rows:
        return True
    for fact in state.standing:
        thing = state.shelf.get(fact.name)
        if thing is None or thing.number != fact.number or thing.modified_at != fact.modified_at:
            return False
    return not state.is_vanished
