"""What the page says of a history: after each command the tables, the findings and the exit code.

Written from docs/histories.md alone; it shares nothing with the product. Where the page leaves two readings, both are
branches: the lake may take either, and the oracle goes on from those that it may have taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

from tests.histories.oracle_branch import STATUS_KINDS, Branch, Kinds
from tests.histories.oracle_generations import Fact
from tests.histories.oracle_incremental import Incremental
from tests.histories.oracle_lake import LakeState, day_of
from tests.histories.oracle_refresh import FullRefresh
from tests.histories.world import Command


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
            kind = FullRefresh if state.config.is_full else Incremental
            return [_with_status(branch) for branch in kind(deepcopy(state), command).branches()]


def adopt(branch: Branch, kinds: Kinds, command: Command) -> LakeState:
    """The state to go on from, once the lake was seen to be in it."""
    state = branch.state
    if "held_back" in kinds - state.seen:
        state.asked_of = repr(state.config.make)
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
        after.accepted.add(("retention", after.retention_from))
    if "carried" in kinds:
        after.carried_is_open = False
        after.accepted.add(("carried", "once"))
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
    # Accepted is the expiry that begins with a day.
    begins = str(min((fact.day for fact in old), default=""))
    if old and is_large and ("retention", begins) not in state.accepted:
        after.retention_is_held, after.retention_from = True, begins
        yield Branch(after, exit_code=5, must=kept | {"held_back"}, note="expiry held back")
        return
    after.retention_is_held = False
    if old:
        after.accepted.discard(("retention", begins))
    for fact in old:
        fact.is_standing, fact.left = False, "expired"
        thing = after.shelf.get(fact.name)
        if thing is not None and thing.number == fact.number:
            after.taken_away.pop(fact.name, None)
            del after.shelf[fact.name]
    yield Branch(after, must=kept, may=state.open)


def _old_files(state: LakeState) -> list[Fact]:
    if state.config.retention_days is None or state.is_vanished:
        return []
    oldest_kept = day_of(state.now) - state.config.retention_days
    return [fact for fact in state.standing if fact.day < oldest_kept and fact.was_read]
