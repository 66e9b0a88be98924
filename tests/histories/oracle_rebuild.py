"""Bringing a table up to date, and building it anew: the page's section "Rebuilds", told again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from tests.histories.oracle_branch import Branch, Kinds
from tests.histories.oracle_generations import Fact
from tests.histories.oracle_lake import LakeState
from tests.histories.oracle_table import Table, Telling, carry, is_keyless, tell
from tests.histories.world import Command


@dataclass
class Transform(ABC):
    """`transform`, or a `backfill`; its kinds are below."""

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
            yield Branch(state, may=state.open | {"incomplete", "held_back", "untold"}, note="vanished")
            return
        for branch in self.choose():
            branch.state.was_run = True
            self._finish(branch)
            yield branch

    @abstractmethod
    def choose(self) -> Iterator[Branch]:
        """What the table may show."""

    def _finish(self, branch: Branch) -> None:
        state = branch.state
        if state.table is not None and not state.table.was_overwritten:
            state.is_overwritten = False
            state.accepted.discard(("overwritten", ""))
        if state.retention_is_held:
            branch.may.add("held_back")
        if state.carried_is_open:
            made_from = state.table.made_from if state.table is not None else set()
            # Of a generation that a newer one has taken the place of, nothing comes back.
            is_mended = state.was_replaced or all(
                state.facts[n].is_standing or self._is_replaced(state.facts[n]) for n in made_from
            )
            (branch.may if is_mended else branch.must).add("carried")
        if state.table is not None and self._has_keyless(state.table):
            branch.may.add("null_keys")
        # What a person let be is done by the next transform, or never.
        state.accepted -= {("loss", "now"), ("held_back", "now")}

    def _is_replaced(self, fact: Fact) -> bool:
        mates = [other for other in self.state.facts.values() if other.generation == fact.generation]
        return bool(self.state.standing) and not any(other.is_standing for other in mates)

    def _has_keyless(self, table: Table) -> bool:
        """Whether a record without a key is in the table, or was left out of it."""
        read = (record for number in table.made_from for record in self.state.facts[number].records)
        return any(telling.is_keyless for telling in table.tellings) or any(
            is_keyless(record, table.config) for record in read
        )

    @property
    def asks_rebuild(self) -> bool:
        is_whole = self.command.name == "backfill" and not self.command.days
        return self.command.full_refresh or is_whole

    def bring_up(self, numbers: set[int]) -> Iterator[Branch]:
        """The table from these files: built anew where that is due, else with what was not read yet."""
        state = self.state
        table = state.table
        is_due = table is not None and (table.config.make != state.config.make or table.was_overwritten)
        is_new_identity = table is not None and table.config.identity != state.config.identity
        if table is None or not (is_due or is_new_identity or self.asks_rebuild or state.is_asked):
            yield self.merge(numbers)
            return
        yield from self._rebuild(numbers, table)
        if state.is_asked and not (is_due or is_new_identity or self.asks_rebuild):
            # Whether a rebuild that a person asked for and that was refused is tried again, the page leaves open.
            yield self.merge(numbers)

    def merge(self, numbers: set[int]) -> Branch:
        state = deepcopy(self.state)
        unread = [state.facts[n] for n in sorted(numbers) if state.facts[n].is_standing and not state.facts[n].was_read]
        gone_for_good = [f for f in state.facts.values() if f.left == "vanished" and state.table]
        if state.table is None and not unread:
            return Branch(state, note="nothing read yet")
        table = state.table if state.table is not None else Table(state.config)
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

    def built(self, state: LakeState, numbers: set[int]) -> Table:
        table = Table(state.config)
        facts = [state.facts[n] for n in sorted(numbers) if state.facts[n].is_standing]
        self._hear(table, facts)
        return table

    def _rebuild(self, numbers: set[int], old: Table) -> Iterator[Branch]:
        state = deepcopy(self.state)
        table = self.built(state, numbers)
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
                # Accepted once, it stays so for the same files.
                is_told = bool(only) and ("carried", "once") not in state.accepted
                state.carried_is_open = ("carried", "once") not in state.accepted
                yield from self._publish(numbers, state, table, must={"carried"} if is_told else set(), may={"carried"})
            if only or self._can_carry(old):
                return
        elif gone and self.is_fall(old, table):
            # The page says both that an accepted loss is built and that a fall is held back.
            yield Branch(self._replaced(state, table), note="loss accepted, a fall", may={"loss"})
        yield from self._publish(numbers, state, table, must=set(), may=set())

    def _told_by_gone_files_alone(self, old: Table, state: LakeState, numbers: set[int]) -> list[Telling]:
        told = {record.raw_id for n in numbers if state.facts[n].is_standing for record in state.facts[n].records}
        # Where a stream no longer has tombstones, a row of the old table says no more that it is deleted.
        kept = old.tellings if self.state.config.has_tombstones else [row.bare() for row in old.rows.values()]
        return [telling for telling in kept if telling.raw_id not in told]

    def _can_carry(self, old: Table) -> bool:
        config = self.state.config
        same_types = (old.config.sql == "typed") == (config.sql == "typed")
        return same_types and not old.was_overwritten

    def _refuse(self, kind: str) -> Branch:
        state = deepcopy(self.state)
        state.is_asked = state.is_asked or self.asks_rebuild
        # What was asked about it before stays asked.
        asked = self.state.open & {"held_back"}
        return Branch(state, must={kind}, may=set(asked), note=f"{kind}: refused", is_refused=True)

    def _publish(
        self, numbers: set[int], state: LakeState, table: Table, *, must: Kinds, may: Kinds
    ) -> Iterator[Branch]:
        if self.is_fall(state.table, table):
            yield self._refuse("held_back")
            if not self.is_due():
                branch = self.merge(numbers)
                branch.state.is_asked = True
                branch.must.add("held_back")
                yield branch
            return
        if self.is_fall(state.table, table, accepted=False) and state.asked_of != repr(state.config.make):
            # Accepted was what another model made: it may be asked once more.
            yield self._refuse("held_back")
        yield Branch(self._replaced(state, table), must=must, may=may, note="built anew")

    def is_due(self) -> bool:
        table, config = self.state.table, self.state.config
        assert table is not None
        return table.config.make != config.make or table.config.identity != config.identity or table.was_overwritten

    def _replaced(self, state: LakeState, table: Table) -> LakeState:
        state.table, state.is_asked, state.was_replaced = table, False, False
        state.accepted.discard(("held_back", "now"))
        return state

    def is_fall(self, before: Table | None, after: Table, *, accepted: bool | None = None) -> bool:
        accepted = ("held_back", "now") in self.state.accepted if accepted is None else accepted
        if before is None or not len(before) or accepted:
            return False
        return (len(before) - len(after)) / len(before) > self.state.config.max_shrink
