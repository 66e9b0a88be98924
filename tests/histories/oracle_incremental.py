"""What an incremental table shows: the page's section "Incremental streams", told again."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

from tests.histories.oracle_branch import Branch
from tests.histories.oracle_rebuild import Transform


class Incremental(Transform):
    """Of a stream of which every sync brings what is new."""

    def choose(self) -> Iterator[Branch]:
        state = self.state
        numbers = {fact.number for fact in state.standing}
        if state.table is not None and state.began_with is not None and self._is_truncated():
            yield from self._truncate(numbers)
            return
        for branch in self.bring_up(numbers):
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
        return is_gone and any(fact.left in {"missing", "vanished"} for fact in mine) and bool(state.standing)

    def _truncate(self, numbers: set[int]) -> Iterator[Branch]:
        """Of the generation that the table began with no object is left."""
        newest = max(self.state.standing, key=lambda fact: (fact.oldest, fact.number)).generation
        files = [fact for fact in self.state.facts.values() if fact.generation == newest]
        is_settled = self.state.now - max(f.modified_at for f in files) >= self.state.config.settle_after * 60
        if not is_settled:
            yield from self._follow(numbers)
            return
        state = deepcopy(self.state)
        table = self.built(state, numbers)
        if self.is_fall(state.table, table):
            yield Branch(deepcopy(self.state), must={"held_back"}, note="truncation held back")
            # A rebuild that was asked for is held back as well: what is new is merged.
            for branch in (*self.bring_up(numbers), self.merge(numbers)):
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
        after = self.merge(numbers)
        after.may |= self.state.open
        yield after
        if self.is_due() or self.asks_rebuild or self.state.is_asked:
            # What another SQL made is not mixed with what this one makes.
            yield Branch(deepcopy(self.state), note="truncated, not settled: stays", may=set(self.state.open))
