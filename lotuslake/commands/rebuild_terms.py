"""Whether a processed table may be built anew, and what the new one must hold; docs/histories.md has the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from lotuslake.commands.context import RunContext
from lotuslake.commands.transformation import TransformOptions, TransformPorts
from lotuslake.core.build import built_by
from lotuslake.core.content import Content
from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.head import Head
from lotuslake.core.loss import Loss, find_loss, find_unread, why_not_carried
from lotuslake.core.shrinking import least_rows
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor, Step, Terms


def with_terms(steps: Sequence[Step], terms: Terms) -> list[Step]:
    """The same steps on these terms."""
    return [replace(step, terms=terms) for step in steps]


def since_of(cursor: Cursor) -> int:
    """The log number up to which the table's last build from nothing has read."""
    return cursor.built_by.since if cursor.built_by is not None else 0


@dataclass(frozen=True, slots=True)
class RebuildJudge:
    """Judges rebuilds of one stream; ``build`` is the hash of what makes the new table."""

    stream: Stream
    build: str
    ports: TransformPorts
    options: TransformOptions
    context: RunContext

    def judge(self, entries: Sequence[LedgerEntry], cursor: Cursor, head: Head, content: Content) -> Terms | None:
        """The terms; None, and a finding or a warning, where the table stays as it is."""
        if content.held_back:
            self._refuse(content.held_back)
            return None
        if cursor.version == 0:
            return Terms(built_by(self.stream, content.began, head.seq))
        loss = find_loss(self.stream, entries, cursor, content)
        if loss is None:
            self._close_losses()
        is_lost = loss is not None and self._may_lose(loss, head)
        terms = self._carry(loss, cursor, head) if loss is not None and not is_lost else Terms()
        if terms is None:
            return None
        made = built_by(self.stream, content.began, head.seq)
        if terms.carry_until is not None:
            made = replace(made, since=since_of(cursor), unread=find_unread(self.stream, entries, cursor, head))
        terms = replace(terms, built_by=made)
        return terms if is_lost else self._bound_shrinking(terms, content, head)

    def _close_losses(self) -> None:
        """What was gone is back: whatever else may keep the table from being built anew."""
        raised = self.ports.ledger.load_raised(self.stream)
        self.ports.ledger.close_findings([finding for finding in raised if finding.kind == "loss"])

    def _may_lose(self, loss: Loss, head: Head) -> bool:
        """Whether a person has said that what is gone may be lost."""
        finding = loss.finding(self.stream, self.build, head, self.context.now(), why="")
        return self.options.accept_loss or self.ports.ledger.is_accepted(finding.id)

    def _carry(self, loss: Loss, cursor: Cursor, head: Head) -> Terms | None:
        now = self.context.now()
        why = why_not_carried(loss, cursor, self.ports.ledger.load_raised(self.stream))
        if why is not None:
            finding = loss.finding(self.stream, self.build, head, now, why=why)
            self.ports.ledger.raise_finding(finding)
            self._refuse(finding.reason)
            return None
        # Told before it is done: a kill in between must not leave it unsaid.
        self.ports.ledger.raise_finding(loss.finding(self.stream, self.build, head, now, why=None))
        refused = loss.finding(self.stream, self.build, head, now, why="its columns are others now")
        return Terms(carry_until=loss.extracted_until, loss=refused)

    def _bound_shrinking(self, terms: Terms, content: Content, head: Head) -> Terms:
        if content.shrink_id is None and not content.is_shown:
            return terms  # An empty table, on a person's word.
        shrink_id = content.shrink_id or f"held_back:{self.stream.id}:rebuild:{self.build}:{head.epoch}"
        if self.ports.ledger.is_accepted(shrink_id):
            return terms
        shown = self.ports.transformer.count_rows(self.stream.processed_model)
        return replace(terms, least_rows=ceil(least_rows(self.stream, shown)), shrink_id=shrink_id)

    def _refuse(self, reason: str) -> None:
        self.context.warn(f"{self.stream.processed_model} is not rebuilt: {reason}", stream=self.stream.id)
