"""Plays a history against the product, command by command, beside the oracle."""

from __future__ import annotations

from tests.histories.applicable import is_applicable
from tests.histories.draw import Author
from tests.histories.lake import Play, Seen
from tests.histories.oracle import Branch, adopt, predict
from tests.histories.oracle_lake import LakeState
from tests.histories.oracle_table import ShownRow
from tests.histories.world import Command, Config, Event, History

DONE = (0, 2, 5)


class NotApplicableError(Exception):
    """A history tells of something that cannot happen after what it told before."""


class Difference(AssertionError):  # noqa: N818  (what a test is failed with)
    """The product and the page do not agree."""


def play(history: History, lake: Play) -> int:
    """Every event of it, and after every command a look at the lake; how many commands ran.

    Raises:
        Difference: at the first command after which the lake is not as the page says.
        NotApplicableError: an event cannot happen after those before it.
    """
    state = LakeState(history.config)
    commands = 0
    for number, event in enumerate(history.events):
        if not is_applicable(state, event):
            raise NotApplicableError(f"{number} {event.words}")
        state = step(state, lake, event, number)
        commands += isinstance(event, Command)
    return commands


def write_and_play(seed: str, author: Author, config: Config, lake: Play, length: int) -> History:
    """A history that is drawn as it is played, with its end: what a CronJob would do next.

    Raises:
        Difference: with the history until then as its second argument.
    """
    state = LakeState(config)
    events: list[Event] = []
    while len(events) < length:
        event = author.next(state)
        events.append(event)
        try:
            state = step(state, lake, event, len(events) - 1)
        except Difference as difference:
            raise Difference(str(difference), History(config, tuple(events), seed)) from difference
        if len(events) == length - 2:
            author.queue = [Command("register"), Command("transform")]
    return History(config, tuple(events), seed)


def step(state: LakeState, lake: Play, event: Event, number: int) -> LakeState:
    """One event, on the lake and on what is expected of it."""
    if not isinstance(event, Command):
        lake.happen(event)
        state.happen(event)
        return state
    branches = predict(state, event)
    exit_code, message = lake.run(event)
    seen = lake.see(exit_code, message, reads_landing=event.name == "register" and not branches[0].state.is_vanished)
    chosen = next((branch for branch in branches if not differences(branch, seen, lake, event)), None)
    if chosen is None:
        found = "\n  or\n".join("\n".join(differences(branch, seen, lake, event)) for branch in branches)
        raise Difference(f"after {number} ({event.words}), exit {exit_code} {message}\n{found}")
    return adopt(chosen, seen.kinds, event)


def differences(branch: Branch, seen: Seen, lake: Play, command: Command) -> list[str]:
    """What is not as the branch has it."""
    state = branch.state
    table = None if state.table is None else state.table.shown()
    found = []
    if not branch.allows(seen.kinds, seen.exit_code):
        expected = (
            f"findings {branch.must} (may {branch.may - branch.must}, one of {branch.any_of}), exit {branch.exit_code}"
        )
        found.append(f"  [{branch.note}] expected {expected}, got {seen.kinds}, exit {seen.exit_code}")
    if seen.exit_code not in DONE:
        found.append(f"  exit {seen.exit_code}: {seen.message}")
    if (table or None) != (seen.table or None):
        found.append(f"  [{branch.note}] processed\n    expected {_short(table)}\n    got      {_short(seen.table)}")
    landed = sorted(lake.paths[fact.name] for fact in state.standing)
    if landed != seen.landed:
        found.append(f"  [{branch.note}] files of landing: expected {landed}, got {seen.landed}")
    if seen.landing is not None and state.landing() != seen.landing:
        found.append(f"  [{branch.note}] landing: expected {state.landing()}, got {seen.landing}")
    objects = sorted(lake.paths[name] for name in state.shelf)
    if command.name == "maintain" and objects != lake.objects():
        found.append(f"  [{branch.note}] objects: expected {objects}, got {lake.objects()}")
    return found


def _short(table: list[ShownRow] | None) -> str:
    if table is None:
        return "no table"
    rows = []
    for columns, raw_id, is_deleted in table:
        mark = "".join(f" {name}={value}" for name, value in columns if name not in {"id", "name", "amount", "info_a"})
        rows.append(f"{dict(columns).get('id')}:{raw_id}{' deleted' if is_deleted else ''}{mark}")
    return "; ".join(rows) or "empty"
