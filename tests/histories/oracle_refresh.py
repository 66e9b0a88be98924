"""What a `full_refresh` table shows: the page's section "Which one is shown", told again."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

from tests.histories.oracle_branch import Branch
from tests.histories.oracle_generations import Generation
from tests.histories.oracle_rebuild import Transform


class FullRefresh(Transform):
    """Of a stream of which every sync brings all."""

    def choose(self) -> Iterator[Branch]:
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
        if place >= 0 and any(file.left == "vanished" for file in generations[place].files):
            # A person let the table be empty: whether a late file of the same generation waits, the page leaves open.
            branch = Branch(deepcopy(state), note="stays empty")
            self._tell_generations(branch, generations, place)
            yield branch

    def _completeness(self, generations: list[Generation], number: int, place: int) -> str:
        """Of a generation that is newer than what is shown: yes, no, or `maybe` where the page may err."""
        one, later = generations[number], generations[number + 1 :]
        if one.sync is not None and any(other.sync == one.sync for other in later):
            return "no"
        if not self._is_settled(generations, number):
            return "no"
        if not self.state.config.is_overwrite:
            return "yes"
        if self._blockers(generations, number, place):
            return "yes" if ("held_back", "now") in self.state.accepted else "no"
        # That the older objects are gone may be the work of a later sync that has not deleted all yet.
        return "maybe" if any(other.id >= one.id for other in later) else "yes"

    def _is_settled(self, generations: list[Generation], number: int) -> bool:
        one, later = generations[number], generations[number + 1 :]
        until = later[0].begun_at if later else self.state.now
        return until - one.last_written_at >= self.state.config.settle_after * 60

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
        table = self.built(state, chosen.numbers)
        if not is_first and self.is_fall(state.table, table):
            yield from self._hold(generations, number)
            return
        place = state.place_of_shown(generations)
        if (
            not is_first
            and self._blockers(generations, number, place)
            and self.is_fall(state.table, table, accepted=False)
        ):
            # Accepted was that older objects are left; that it is smaller too may be asked next.
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
        for branch in self.bring_up(generations[place].numbers):
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
        if "held_back" in branch.must | branch.any_of:
            # A dead one before it: the question about the newer one may stand for both.
            branch.may |= branch.must & {"incomplete"}
            branch.must.discard("incomplete")

    def _tell_unshown(self, branch: Branch, generations: list[Generation], number: int, shown: int) -> None:
        one, later = generations[number], generations[number + 1 :]
        # What was asked about it stays asked while it gets another file.
        branch.may |= self.state.open & {"held_back"}
        is_retried = one.sync is not None and any(other.sync == one.sync for other in later)
        is_open = bool(one.standing) and ("incomplete", one.subject) not in self.state.accepted
        # Of a late file of what a person let be empty the page leaves open what is said.
        is_open = is_open and not any(file.left == "vanished" for file in one.files)
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
