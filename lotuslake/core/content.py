"""Which files a stream's processed model is to show: all that stand, or those of its newest complete generation.

The rules and their sources stand in docs/histories.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lotuslake.core.build import shows
from lotuslake.core.data_file import READABLE, FileStatus, LedgerEntry
from lotuslake.core.finding import Finding
from lotuslake.core.generation import Generation, find_generation, split_generations
from lotuslake.core.healing import EMPTIED
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor

EXPIRED_TOO = READABLE | {FileStatus.EXPIRED}
Outcome = Literal["succeeded", "failed", "under_way"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the choice is made by, beside the ledger.

    ``accepted`` says whether a person has accepted the finding of an id, ``outcome`` how Airbyte's job of a sync ended (None
    where nobody tells), ``rows_shown`` counts the rows that the table shows now.
    """

    now: datetime
    accepted: Callable[[str], bool]
    outcome: Callable[[int], Outcome | None] = lambda _: None
    rows_shown: Callable[[], int] = lambda: 0


@dataclass(frozen=True, slots=True)
class Content:
    """The files to show.

    ``is_shown`` says that the live table already shows this content and only has to follow it; ``began`` names the
    generation. ``shrink_id`` is the finding that tells of a fall in rows when it takes the place of what is shown.
    ``held_back`` gives the reason why a newer content is not shown.
    """

    entries: tuple[LedgerEntry, ...]
    generation_id: int | None
    is_shown: bool
    began: str | None = None
    shrink_id: str | None = None
    held_back: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """``content`` is None to leave the table as it is; ``findings`` are those that generations give now."""

    content: Content | None
    findings: tuple[Finding, ...] = ()


def choose_content(stream: Stream, entries: Sequence[LedgerEntry], cursor: Cursor, evidence: Evidence) -> Choice:
    """What the table is to show.

    A generation replaces what is shown when it is complete. In a ``full_refresh`` stream that is the newest one. In an
    incremental stream only a truncating refresh replaces: of the generation that the table began with no file is left.
    """
    if stream.sync_mode == "full_refresh":
        return _FullRefresh(stream, entries, cursor, evidence).choose()
    wanted = _incremental_content(stream, entries, cursor, evidence.now)
    if wanted.is_shown or cursor.version == 0:
        return Choice(wanted)
    return _hold_back_shrunk(stream, wanted, cursor, evidence)


def _incremental_content(stream: Stream, entries: Sequence[LedgerEntry], cursor: Cursor, now: datetime) -> Content:
    standing = tuple(entry for entry in entries if entry.status in READABLE)
    # What a retention has let go was learned for good: it still counts as there.
    generations = split_generations(entries, stream, EXPIRED_TOO)
    base = generations[0] if generations else None
    base_id = base.id if base else cursor.generation_id
    if cursor.version == 0 or base is None or cursor.generation_id in (None, base.id):
        return Content(standing, base_id, is_shown=cursor.version > 0)
    if now - generations[-1].newest_file_at < stream.settle_after:
        return Content(standing, cursor.generation_id, is_shown=True)
    shrink_id = f"held_back:{stream.id}:{base_id}:{base.began}"
    return Content(standing, base_id, is_shown=False, shrink_id=shrink_id)


@dataclass(frozen=True, slots=True)
class _FullRefresh:
    """The choice in a stream of which every sync brings all."""

    stream: Stream
    entries: Sequence[LedgerEntry]
    cursor: Cursor
    evidence: Evidence

    def choose(self) -> Choice:
        standing = split_generations(self.entries, self.stream)
        shown = self._find_shown()
        coming = [one for one in standing if shown is None or one.order >= shown.order or shows(shown, one)]
        own = next((one for one in coming if shown is not None and shows(shown, one)), None)
        candidates = [one for one in coming if one is not own]
        complete = [one for one in candidates if self._is_complete(one, standing, shown)]
        newest = complete[-1] if complete else None
        later = candidates[candidates.index(newest) + 1 :] if newest is not None else candidates
        findings = [*self._incomplete(later, standing, shown), *self._untold([*([own] if own else []), *later])]
        chosen = self._choose(newest, own, shown, standing)
        return Choice(chosen.content, (*findings, *chosen.findings))

    def _find_shown(self) -> Generation | None:
        """The generation that the table shows, also where its objects are gone by now."""
        if self.cursor.version == 0:
            return None
        known = split_generations(self.entries, self.stream, frozenset(FileStatus) - {FileStatus.QUARANTINED})
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
            return _hold_back_shrunk(self.stream, wanted, self.cursor, self.evidence, self._content_of(own))
        if own is not None:
            return Choice(self._content_of(own))
        if self.cursor.version == 0 and len(standing) <= 1:
            first = standing[0] if standing else None
            return Choice(Content(first.entries, first.id, is_shown=False, began=first.began) if first else _NOTHING)
        is_emptied = shown is not None and any(entry.reason == EMPTIED for entry in shown.entries)
        return Choice(_NOTHING if is_emptied and not standing else None)

    def _content_of(self, own: Generation | None) -> Content | None:
        return None if own is None else Content(own.entries, own.id, is_shown=True, began=own.began)

    def _is_complete(self, one: Generation, standing: Sequence[Generation], shown: Generation | None) -> bool:
        outcome = None if one.sync_id is None else self.evidence.outcome(one.sync_id)
        if outcome is not None:
            return outcome == "succeeded" and not self._is_attempt_before_another(one, standing)
        if not self._is_settled(one, standing) or self._is_attempt_before_another(one, standing):
            return False
        return not self._left_of_older(one, standing, shown) or self.evidence.accepted(self._left_id(one))

    def _is_settled(self, one: Generation, standing: Sequence[Generation]) -> bool:
        following = [other.first_file_at for other in standing if other.order > one.order]
        return min([self.evidence.now, *following]) - one.newest_file_at >= self.stream.settle_after

    def _is_attempt_before_another(self, one: Generation, standing: Sequence[Generation]) -> bool:
        """A job is tried again only when an attempt failed: the earlier attempt's generation was never complete."""
        return one.sync_id is not None and any(
            other.sync_id == one.sync_id and other.order > one.order for other in standing
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
        self, later: Sequence[Generation], standing: Sequence[Generation], shown: Generation | None
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
            elif left and outcome is None and self._is_settled(one, standing):
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


_NOTHING = Content((), None, is_shown=False)


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


def is_of_left(finding: Finding) -> bool:
    """Whether a finding tells of a generation that waits for older objects to go."""
    return finding.id.startswith(f"held_back:{finding.stream}:") and ":left:" in finding.id


def is_of_table(finding: Finding) -> bool:
    """Whether a finding tells of a content that is not put in place, so that the table's being up to date mends it."""
    is_of_expiry = finding.id.startswith(f"held_back:{finding.stream}:expiry:")
    return finding.kind in {"overwritten", "held_back", "loss"} and not is_of_left(finding) and not is_of_expiry


def _hold_back_shrunk(
    stream: Stream, wanted: Content, cursor: Cursor, evidence: Evidence, instead: Content | None = None
) -> Choice:
    """Hold back a replacement with far fewer rows than the table shows, until a person accepts it.

    Its files hold at least as many rows as it has keys: more may fall away when it is written, which counts again.
    """
    rows_before = evidence.rows_shown()
    rows_after = sum(entry.rows or 0 for entry in wanted.entries)
    if wanted.shrink_id is None or rows_after >= least_rows(stream, rows_before) or evidence.accepted(wanted.shrink_id):
        return Choice(wanted)
    finding = shrunk(
        stream, wanted.shrink_id, f"generation {wanted.generation_id}", rows_before, rows_after, evidence.now
    )
    if stream.sync_mode == "incremental":
        instead = Content(wanted.entries, cursor.generation_id, is_shown=True)
    if instead is None:
        return Choice(None, (finding,))
    held = Content(instead.entries, instead.generation_id, is_shown=True, began=instead.began, held_back=finding.reason)
    return Choice(held, (finding,))


def least_rows(stream: Stream, rows_before: int) -> float:
    """How many rows a replacement must have to be shown without a person's word."""
    return rows_before * (1 - stream.max_shrink)


def shrunk(stream: Stream, id_: str, what: str, rows_before: int, rows_after: int, now: datetime) -> Finding:
    """The finding that tells of a replacement with far fewer rows."""
    reason = (
        f"{what} has {rows_after} rows, the table shows {rows_before}: "
        "a fall beyond max_shrink is not shown before somebody accepts it"
    )
    return Finding(id_, "held_back", stream.id, stream.processed_model, reason, now)
