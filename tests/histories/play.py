"""Plays a history against the product, command by command, beside the oracle."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from tests.histories.applicable import is_applicable
from tests.histories.draw import Author
from tests.histories.lake import Play, Seen
from tests.histories.oracle import adopt, predict
from tests.histories.oracle_branch import Branch
from tests.histories.oracle_lake import LakeState
from tests.histories.oracle_table import ShownRow
from tests.histories.world import Command, Config, Event, History

DONE = (0, 2, 5)
# Of states that cannot be told apart so many are followed.
MOST_STATES = 6


class NotApplicableError(Exception):
    """A history tells of something that cannot happen after what it told before."""


class Difference(AssertionError):  # noqa: N818  (what a test is failed with)
    """The product and the page do not agree."""


@dataclass
class Game:
    """A lake and the oracle beside it: every state that the lake may be in, as far as it was seen."""

    lake: Play
    states: list[LakeState]

    def may(self, event: Event) -> bool:
        return all(is_applicable(state, event) for state in self.states)

    def step(self, event: Event, number: int) -> None:
        """One event, on the lake and on what is expected of it. Raises Difference."""
        if isinstance(event, Command):
            self._run(event, number)
            return
        self.lake.happen(event)
        for state in self.states:
            state.happen(event)

    def _run(self, command: Command, number: int) -> None:
        branches = [branch for state in self.states for branch in predict(state, command)]
        reads_landing = command.name == "register" and not any(branch.state.is_vanished for branch in branches)
        seen = self.lake.run(command, reads_landing=reads_landing)
        found = [differences(branch, seen, self.lake, command) for branch in branches]
        right = [branch for branch, wrong in zip(branches, found, strict=True) if not wrong]
        if not right:
            told = "\n  or\n".join("\n".join(wrong) for wrong in found)
            raise Difference(f"after {number} ({command.words}), exit {seen.exit_code} {seen.message}\n{told}")
        # Branches may have grown from one state, and go on as states of their own.
        self.states = [adopt(deepcopy(branch), seen.kinds, command) for branch in right[:MOST_STATES]]


def play(history: History, lake: Play) -> None:
    """Every event of it, and after every command a look at the lake.

    Raises:
        Difference: at the first command after which the lake is not as the page says.
        NotApplicableError: an event cannot happen after those before it.
    """
    game = Game(lake, [LakeState(history.config, lake.sees_touch)])
    for number, event in enumerate(history.events):
        if not game.may(event):
            raise NotApplicableError(f"{number} {event.words}")
        game.step(event, number)


def write_and_play(seed: str, author: Author, config: Config, lake: Play, length: int) -> History:
    """A history that is drawn as it is played, with its end: what a CronJob would do next.

    Raises:
        Difference: with the history until then as its second argument.
    """
    game = Game(lake, [LakeState(config, lake.sees_touch)])
    events: list[Event] = []
    while len(events) < length:
        event = author.next(game.states)
        if not game.may(event):
            continue  # It was drawn before what has come between.
        events.append(event)
        try:
            game.step(event, len(events) - 1)
        except Difference as difference:
            raise Difference(str(difference), History(config, tuple(events), seed)) from difference
        if len(events) == length - 2:
            author.queue = [Command("register"), Command("transform")]
    return History(config, tuple(events), seed)


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
