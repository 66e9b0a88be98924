"""Which generation a stream shows of which every sync brings all; docs/histories.md has the rules and their sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from lotuslake.core.content import NOTHING, Choice, Content, Evidence, Outcome
from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.finding import Finding
from lotuslake.core.generation import WITH_ROWS, Generation, find_generation, split_generations
from lotuslake.core.healing import EMPTIED
from lotuslake.core.shrinking import hold_back_shrunk
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor


class FullRefresh:
    """The choice in a stream of which every sync brings all.

    Files that are gone by now still belong to their generation: they say when it began and was over.
    """

    def __init__(self, stream: Stream, entries: Sequence[LedgerEntry], cursor: Cursor, evidence: Evidence) -> None:
        self._stream = stream
        self._cursor = cursor
        self._evidence = evidence
        self._known = split_generations(entries, stream, WITH_ROWS)
        self._standing = [one for one in self._known if one.standing]
        self._shown = self._find_shown()

    def choose(self) -> Choice:
        """The newest complete generation that is not older than what is shown, and what there is to say of later ones."""
        shown = self._shown
        candidates = [one for one in self._standing if shown is None or one.order > shown.order]
        complete = [one for one in candidates if self._is_complete(one)]
        newest = complete[-1] if complete else None
        later = candidates[candidates.index(newest) + 1 :] if newest is not None else candidates
        chosen = self._choose(newest)
        findings = [*self._incomplete(later), *self._untold([*([shown] if shown else []), *later]), *chosen.findings]
        return Choice(chosen.content, tuple(findings))

    def _find_shown(self) -> Generation | None:
        """The generation that the table shows, also where its objects are gone by now."""
        if self._cursor.version == 0:
            return None
        built_by = self._cursor.built_by
        if built_by is not None:
            return None if built_by.began is None else find_generation(self._known, built_by.began)
        # Built by a version that noted no more than the id, which comes again.
        id_, position = self._cursor.generation_id, self._cursor.position
        namesakes = [one for one in self._known if one.id == id_ and one.order[1] <= position]
        return namesakes[-1] if namesakes else None

    def _choose(self, newest: Generation | None) -> Choice:
        shown = self._shown
        own = None if shown is None or not shown.standing else _content(shown, is_shown=True)
        if newest is not None:
            shrink_id = f"held_back:{self._stream.id}:{newest.id}:rows:{newest.began}"
            wanted = replace(_content(newest, is_shown=False), shrink_id=shrink_id)
            if self._cursor.version == 0:
                return Choice(wanted)
            return hold_back_shrunk(self._stream, wanted, self._cursor, self._evidence, own)
        if own is not None:
            return Choice(own)
        if self._cursor.version == 0 and self._is_alone:
            return Choice(_content(self._standing[0], is_shown=False) if self._standing else NOTHING)
        is_emptied = shown is not None and any(entry.reason == EMPTIED for entry in shown.entries)
        return Choice(NOTHING if is_emptied and not self._standing else None)

    @property
    def _is_alone(self) -> bool:
        """Whether there is nothing to choose from: a stream's first generation is shown as it comes, unless it has failed."""
        return len(self._standing) <= 1 and not any(map(self._is_attempt_before_another, self._standing))

    def _is_complete(self, one: Generation) -> bool:
        if self._is_attempt_before_another(one):
            return False
        outcome = self._outcome(one)
        if outcome is not None:
            return outcome == "succeeded"
        if not self._is_settled(one):
            return False
        return not self._left_of_older(one) or self._evidence.accepted(self._left_id(one))

    def _outcome(self, one: Generation) -> Outcome | None:
        return None if one.sync_id is None else self._evidence.outcome(one.sync_id)

    def _after(self, one: Generation) -> list[Generation]:
        return [other for other in self._known if other.order > one.order]

    def _is_settled(self, one: Generation) -> bool:
        following = [other.first_file_at for other in self._after(one)]
        return min([self._evidence.now, *following]) - one.newest_file_at >= self._stream.settle_after

    def _is_attempt_before_another(self, one: Generation) -> bool:
        """A job is tried again only when an attempt failed: the earlier attempt's generation was never complete."""
        return one.sync_id is not None and any(other.sync_id == one.sync_id for other in self._after(one))

    def _left_of_older(self, one: Generation) -> list[Generation]:
        """Older generations of the same connection whose objects an overwriting sync has yet to delete.

        Those from before what is shown were left when that one was complete, so they are another connection's. Once a later
        sync has begun, what goes may be its doing: it says nothing of the one between.
        """
        if self._stream.destination_sync_mode != "overwrite":
            return []
        followed_at = min((after.first_file_at for after in self._after(one)), default=None)
        return [
            other
            for other in self._known
            if (other.standing or _went_after(other, followed_at))
            and other.order < one.order
            and (self._shown is None or other.order >= self._shown.order)
            and (other.id is None or one.id is None or other.id < one.id)
        ]

    def _left_id(self, one: Generation) -> str:
        return f"held_back:{self._stream.id}:{one.id}:left:{one.began}"

    def _incomplete(self, later: Sequence[Generation]) -> list[Finding]:
        """What is said of generations that are newer than what is shown: those that died, and one that should be complete."""
        if self._shown is None and self._is_alone:
            return []
        findings = []
        for one in later:
            outcome, left = self._outcome(one), self._left_of_older(one)
            if self._after(one) or outcome == "failed":
                id_ = f"incomplete:{self._stream.id}:{one.id}:{one.began}"
                findings.append(self._finding(id_, "incomplete", one, _why_incomplete(one, outcome)))
            elif left and outcome is None and self._is_settled(one):
                findings.append(self._finding(self._left_id(one), "held_back", one, _why_left(one, left)))
        return findings

    def _untold(self, generations: Sequence[Generation]) -> list[Finding]:
        reason = "its files may be of two syncs, which is not told apart by sync id or time of writing: taken as one"
        return [
            self._finding(f"untold:{self._stream.id}:{one.id}:{one.began}", "untold", one, f"{_name(one)}: {reason}")
            for one in generations
            if one.is_untold
        ]

    def _finding(
        self, id_: str, kind: Literal["incomplete", "held_back", "untold"], one: Generation, reason: str
    ) -> Finding:
        return Finding(id_, kind, self._stream.id, one.began, reason, self._evidence.now)


def _content(one: Generation, *, is_shown: bool) -> Content:
    return Content(one.standing, one.id, is_shown=is_shown, began=one.began)


def _went_after(one: Generation, moment: datetime | None) -> bool:
    """Whether a file was noticed to be gone only after a moment, if there was one."""
    return moment is not None and any(
        entry.recorded_at is None or entry.recorded_at > moment for entry in one.entries if entry not in one.standing
    )


def _name(one: Generation) -> str:
    return f"generation {one.id}" + ("" if one.sync_id is None else f" of sync {one.sync_id}")


def _why_incomplete(one: Generation, outcome: Outcome | None) -> str:
    why = "its job failed" if outcome == "failed" else "another began before it was known to be complete"
    return f"{_name(one)} ({one.rows} rows in {len(one.standing)} files) is not shown: {why}"


def _why_left(one: Generation, left: Sequence[Generation]) -> str:
    older = ", ".join(_name(other) for other in left[:3])
    return (
        f"{_name(one)} ({one.rows} rows) seems to be over, but objects of {older} are still there, which Airbyte deletes "
        "after a sync that succeeded; accepted, it is shown"
    )
