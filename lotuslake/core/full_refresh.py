"""Which generation a stream shows of which every sync brings all; docs/histories.md has the rules and their sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lotuslake.core.build import shows
from lotuslake.core.content import NOTHING, Choice, Content, Evidence, Outcome
from lotuslake.core.data_file import FileStatus, LedgerEntry
from lotuslake.core.finding import Finding
from lotuslake.core.generation import Generation, find_generation, split_generations
from lotuslake.core.healing import EMPTIED
from lotuslake.core.shrinking import hold_back_shrunk
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor


@dataclass(frozen=True, slots=True)
class FullRefresh:
    """The choice in a stream of which every sync brings all."""

    stream: Stream
    entries: Sequence[LedgerEntry]
    cursor: Cursor
    evidence: Evidence

    def choose(self) -> Choice:
        """The newest complete generation that is not older than what is shown, and what there is to say of later ones."""
        standing = split_generations(self.entries, self.stream)
        # What is gone by now had its time as well: it says when the generation before it must have been over.
        known = split_generations(self.entries, self.stream, frozenset(FileStatus) - {FileStatus.QUARANTINED})
        shown = self._find_shown(known)
        coming = [one for one in standing if shown is None or one.order >= shown.order or shows(shown, one)]
        own = next((one for one in coming if shown is not None and shows(shown, one)), None)
        candidates = [one for one in coming if one is not own]
        complete = [one for one in candidates if self._is_complete(one, standing, known, shown)]
        newest = complete[-1] if complete else None
        later = candidates[candidates.index(newest) + 1 :] if newest is not None else candidates
        findings = [*self._incomplete(later, standing, known, shown), *self._untold([*([own] if own else []), *later])]
        chosen = self._choose(newest, own, shown, standing)
        return Choice(chosen.content, (*findings, *chosen.findings))

    def _find_shown(self, known: Sequence[Generation]) -> Generation | None:
        """The generation that the table shows, also where its objects are gone by now."""
        if self.cursor.version == 0:
            return None
        built_by = self.cursor.built_by
        if built_by is not None:
            return None if built_by.began is None else find_generation(known, built_by.began)
        # Built by a version that noted no more than the id, which comes again.
        namesakes = [
            one for one in known if one.id == self.cursor.generation_id and one.entries[0].seq <= self.cursor.position
        ]
        return namesakes[-1] if namesakes else None

    def _choose(
        self, newest: Generation | None, own: Generation | None, shown: Generation | None, standing: list[Generation]
    ) -> Choice:
        if newest is not None:
            shrink_id = f"held_back:{self.stream.id}:{newest.id}:rows:{newest.began}"
            wanted = Content(newest.entries, newest.id, is_shown=False, began=newest.began, shrink_id=shrink_id)
            if self.cursor.version == 0:
                return Choice(wanted)
            return hold_back_shrunk(self.stream, wanted, self.cursor, self.evidence, self._content_of(own))
        if own is not None:
            return Choice(self._content_of(own))
        if self.cursor.version == 0 and len(standing) <= 1:
            first = standing[0] if standing else None
            return Choice(Content(first.entries, first.id, is_shown=False, began=first.began) if first else NOTHING)
        is_emptied = shown is not None and any(entry.reason == EMPTIED for entry in shown.entries)
        return Choice(NOTHING if is_emptied and not standing else None)

    def _content_of(self, own: Generation | None) -> Content | None:
        return None if own is None else Content(own.entries, own.id, is_shown=True, began=own.began)

    def _is_complete(
        self,
        one: Generation,
        standing: Sequence[Generation],
        known: Sequence[Generation],
        shown: Generation | None,
    ) -> bool:
        outcome = None if one.sync_id is None else self.evidence.outcome(one.sync_id)
        if outcome is not None:
            return outcome == "succeeded" and not self._is_attempt_before_another(one, known)
        if not self._is_settled(one, known) or self._is_attempt_before_another(one, known):
            return False
        return not self._left_of_older(one, standing, shown) or self.evidence.accepted(self._left_id(one))

    def _is_settled(self, one: Generation, known: Sequence[Generation]) -> bool:
        following = [other.first_file_at for other in known if other.order > one.order and not shows(other, one)]
        return min([self.evidence.now, *following]) - one.newest_file_at >= self.stream.settle_after

    def _is_attempt_before_another(self, one: Generation, known: Sequence[Generation]) -> bool:
        """A job is tried again only when an attempt failed: the earlier attempt's generation was never complete."""
        return one.sync_id is not None and any(
            other.sync_id == one.sync_id and other.order > one.order and not shows(other, one) for other in known
        )

    def _left_of_older(
        self, one: Generation, standing: Sequence[Generation], shown: Generation | None
    ) -> list[Generation]:
        """Older generations of the same connection whose objects an overwriting sync has yet to delete.

        Those from before what is shown were left when that one was complete, so they are another connection's.
        """
        if self.stream.destination_sync_mode != "overwrite":
            return []
        return [
            other
            for other in standing
            if other.order < one.order
            and (shown is None or other.order >= shown.order or shows(shown, other))
            and (other.id is None or one.id is None or other.id < one.id)
        ]

    def _left_id(self, one: Generation) -> str:
        return f"held_back:{self.stream.id}:{one.id}:left:{one.began}"

    def _incomplete(
        self,
        later: Sequence[Generation],
        standing: Sequence[Generation],
        known: Sequence[Generation],
        shown: Generation | None,
    ) -> list[Finding]:
        """What is said of generations that are newer than what is shown: those that died, and one that should be complete."""
        if shown is None and len(standing) <= 1:
            return []
        findings = []
        for one in later:
            is_newest = one is standing[-1]
            left = self._left_of_older(one, standing, shown)
            outcome = None if one.sync_id is None else self.evidence.outcome(one.sync_id)
            if not is_newest or outcome == "failed":
                id_ = f"incomplete:{self.stream.id}:{one.id}:{one.began}"
                findings.append(self._finding(id_, "incomplete", one, _why_incomplete(one, outcome)))
            elif left and outcome is None and self._is_settled(one, known):
                reason = _why_left(one, left)
                findings.append(self._finding(self._left_id(one), "held_back", one, reason))
        return findings

    def _untold(self, generations: Sequence[Generation]) -> list[Finding]:
        reason = "its files may be of two syncs, which is not told apart by sync id or time of writing: taken as one"
        return [
            self._finding(f"untold:{self.stream.id}:{one.id}:{one.began}", "untold", one, f"{_name(one)}: {reason}")
            for one in generations
            if one.is_untold
        ]

    def _finding(
        self, id_: str, kind: Literal["incomplete", "held_back", "untold"], one: Generation, reason: str
    ) -> Finding:
        return Finding(id_, kind, self.stream.id, one.began, reason, self.evidence.now)


def _name(one: Generation) -> str:
    return f"generation {one.id}" + ("" if one.sync_id is None else f" of sync {one.sync_id}")


def _why_incomplete(one: Generation, outcome: Outcome | None) -> str:
    why = "its job failed" if outcome == "failed" else "another began before it was known to be complete"
    return f"{_name(one)} ({one.rows} rows in {len(one.entries)} files) is not shown: {why}"


def _why_left(one: Generation, left: Sequence[Generation]) -> str:
    older = ", ".join(_name(other) for other in left[:3])
    return (
        f"{_name(one)} ({one.rows} rows) seems to be over, but objects of {older} are still there, which Airbyte deletes "
        "after a sync that succeeded; accepted, it is shown"
    )
