"""One stream's processed model, brought up to date a step at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lotuslake.commands.context import RunContext
from lotuslake.commands.null_keys import settle_null_keys
from lotuslake.commands.transformation import StreamTransformation, TransformOptions, TransformPorts
from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.errors import LostRaceError
from lotuslake.core.finding import Finding
from lotuslake.core.generation import Content, choose_content
from lotuslake.core.head import Head
from lotuslake.core.model import Model
from lotuslake.core.retry import ATTEMPTS, wait_before_retry
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor, Rebuild, Step, needs_rebuild, plan_merges, plan_rebuild, resume

MENDED_BY_REBUILDING = frozenset({"overwritten", "held_back"})


@dataclass(frozen=True, slots=True)
class StreamWorker:
    """Plans and takes the steps of one stream."""

    stream: Stream
    model: Model
    ports: TransformPorts
    options: TransformOptions
    context: RunContext
    result: StreamTransformation

    def run(self) -> Iterator[None]:
        """Take the steps there are; after a lost race plan anew, since another process took some of them."""
        lost = 0
        forced = self.options.full_refresh
        while True:
            try:
                cursor = self.ports.transformer.load_cursor(self.model.name)
                settle_null_keys(self.stream, cursor, self.ports.ledger)
                steps = self._plan(cursor, forced=forced)
                if not steps:
                    return
                for _ in self.take(steps, cursor):
                    lost = 0
                    yield
                forced = False
            except LostRaceError as error:
                lost += 1
                if lost >= ATTEMPTS:
                    message = f"lost the race for {self.model.name} {lost} times; run the same command again"
                    raise LostRaceError(message, stream=self.stream.id) from error
                wait_before_retry(lost)

    def take(self, steps: Sequence[Step], cursor: Cursor) -> Iterator[None]:
        """Run steps that were planned at ``cursor``, one after the other."""
        self.context.progress.begin(self.stream.id, len(steps))
        for step in steps:
            self.ports.transformer.run(replace(step, cursor=cursor), stream=self.stream, run_id=self.context.run_id)
            cursor = cursor if step.mode == "append" else replace(cursor, version=cursor.version + 1)
            self.result.count(step)
            self.context.progress.advance(self.stream.id, f"{step.model}: {step.mode}, {step.rows} rows")
            yield

    def content(self, entries: Sequence[LedgerEntry], cursor: Cursor) -> Content | None:
        """The files to show; what is held back becomes a finding."""
        accepted = self.ports.ledger.is_accepted
        content = choose_content(self.stream, entries, cursor, self.context.now(), accepted)
        if content is not None and content.held_back and content.held_back_id:
            self.ports.ledger.raise_finding(
                Finding(content.held_back_id, "held_back", self.stream.id, self.model.name, content.held_back)
            )
        return content

    def _plan(self, cursor: Cursor, *, forced: bool) -> list[Step]:
        # The head first: an entry that is written in between has a higher number and waits for the next plan.
        head = self.ports.ledger.load_head(self.stream)
        entries = self.ports.ledger.load_entries(self.stream)
        content = self.content(entries, cursor)
        if content is None:
            return []
        under_way = self.ports.transformer.load_rebuild(self.model.name)
        outdated = needs_rebuild(cursor, head, self.model.hash) or not content.is_shown
        if under_way is not None and under_way.shards > 1 and not forced:
            wanted = (head.epoch, self.model.hash, content.generation_id)
            if outdated and (under_way.epoch, under_way.model_hash, under_way.generation_id) == wanted:
                self.context.log("waits for the backfill that is under way", stream=self.stream.id)
                return []
            # Of what is outdated, a divided rebuild of something else is dropped as the rebuild begins.
            under_way = under_way if outdated else None
        if content.held_back and (forced or under_way is not None or outdated):
            # A rebuild would show what is held back, or nothing at all.
            self.context.warn(f"{self.model.name} is not rebuilt: {content.held_back}", stream=self.stream.id)
            return []
        if forced or under_way is not None or outdated:
            return self._plan_rebuild(content, cursor, head, under_way)
        if not content.held_back:
            self._close_mended(head)
        limits = self.options.limits.capped_by(self.stream.batch)
        return plan_merges(self.model.name, content.entries, self._adopting(cursor, content), head, limits)

    def _plan_rebuild(self, content: Content, cursor: Cursor, head: Head, under_way: Rebuild | None) -> list[Step]:
        entries = content.entries
        limits = self.options.limits.capped_by(self.stream.batch)
        wanted = Rebuild(0, head.seq, head.epoch, self.model.hash, content.generation_id)
        if under_way is not None and (resumed := resume(under_way, wanted, entries)):
            return plan_rebuild(self.model.name, entries, cursor, resumed, limits, begun=True)
        steps = plan_rebuild(self.model.name, entries, cursor, wanted, limits, begun=under_way is not None)
        if steps[0].mode == "append":
            self.ports.transformer.begin_rebuild(self.model.name, wanted, instead_of=under_way)
        return steps

    def _adopting(self, cursor: Cursor, content: Content) -> Cursor:
        """A model that was built before the first file came begins with the generation of that file."""
        return cursor if cursor.generation_id is not None else replace(cursor, generation_id=content.generation_id)

    def _close_mended(self, head: Head) -> None:
        """Close what the table, which stands at ``head``, has already taken in."""
        raised = self.ports.ledger.load_raised(self.stream)
        mended = [finding for finding in raised if finding.kind in MENDED_BY_REBUILDING]
        # Looked at again: a finding of a later epoch waits for the rebuild that it asks for.
        if mended and self.ports.ledger.load_head(self.stream).epoch == head.epoch:
            self.ports.ledger.close_findings(mended)
