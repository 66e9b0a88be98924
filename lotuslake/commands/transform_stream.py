"""One stream's processed model, brought up to date a step at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from lotuslake.commands.context import RunContext
from lotuslake.commands.null_keys import settle_null_keys
from lotuslake.commands.rebuild_terms import RebuildJudge, since_of, with_terms
from lotuslake.commands.set_aside import set_aside_unreadable
from lotuslake.commands.transformation import StreamTransformation, TransformOptions, TransformPorts
from lotuslake.core.build import build_hash, built_by
from lotuslake.core.choice import choose_content
from lotuslake.core.content import Choice, Content, Evidence
from lotuslake.core.data_file import LedgerEntry
from lotuslake.core.errors import ConfigError, LostRaceError, ModelError, NotCarriedError, ShrunkError, UnreachableError
from lotuslake.core.finding import Finding, failed_model
from lotuslake.core.head import Head
from lotuslake.core.loss import find_loss, find_unread
from lotuslake.core.model import Model
from lotuslake.core.retry import ATTEMPTS, wait_before_retry
from lotuslake.core.shrinking import is_of_left, is_of_table, shrunk
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import (
    Cursor,
    Rebuild,
    Step,
    Terms,
    needs_rebuild,
    plan_merges,
    plan_rebuild,
    resume,
)

# What generations give now: raised and closed as they come and go.
OF_GENERATIONS = frozenset({"incomplete", "untold"})


@dataclass(frozen=True, slots=True)
class StreamWorker:
    """Plans and takes the steps of one stream."""

    stream: Stream
    model: Model
    ports: TransformPorts
    options: TransformOptions
    context: RunContext
    result: StreamTransformation

    @property
    def build(self) -> str:
        """Hash of all that makes the table beside its data."""
        return build_hash(self.model.hash, self.stream)

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
            except (ShrunkError, NotCarriedError):
                return
            except ModelError as error:
                failed = failed_model(self.stream.id, self.model.name, self.build, error.message, self.context.now())
                self.ports.ledger.raise_finding(failed)
                raise
            except LostRaceError as error:
                lost += 1
                if lost >= ATTEMPTS:
                    message = f"lost the race for {self.model.name} {lost} times; run the same command again"
                    raise LostRaceError(message, stream=self.stream.id) from error
                wait_before_retry(lost)

    def take(self, steps: Sequence[Step], cursor: Cursor) -> Iterator[None]:
        """Run steps that were planned at ``cursor``, one after the other.

        Raises:
            ShrunkError, NotCarriedError: the table may not be put in place; a finding tells of it.
        """
        self.context.progress.begin(self.stream.id, len(steps))
        for step in steps:
            at = replace(step, cursor=cursor)
            try:
                rows = self.ports.transformer.run(at, stream=self.stream, run_id=self.context.run_id)
            except (ShrunkError, NotCarriedError) as error:
                self._refuse(step.terms, error)
                raise
            except (ModelError, UnreachableError) as error:
                # It may be a file: if one is found, it is set aside, and the rest is planned anew.
                ports = self.ports
                if not set_aside_unreadable(self.stream, step.entries, ports.ledger, ports.landing, self.context):
                    raise
                raise LostRaceError(f"files of {self.stream.id} were set aside", stream=self.stream.id) from error
            cursor = cursor if step.mode == "append" else replace(cursor, version=cursor.version + 1)
            self.result.count(step, rows)
            self.context.progress.advance(self.stream.id, f"{step.model}: {step.mode}, {step.rows} rows")
            yield

    def choose(self, entries: Sequence[LedgerEntry], cursor: Cursor) -> Content | None:
        """The files to show; None to leave the table as it is.

        What generations give cause to say becomes findings, and what they no longer give is closed.

        Raises:
            ConfigError: the table was built by another key, cursor field or mode.
        """
        self._require_same(cursor)
        evidence = Evidence(
            self.context.now(),
            self.ports.ledger.is_accepted,
            self.ports.outcomes.load_outcome,
            partial(self.ports.transformer.count_rows, self.model.name),
        )
        choice = choose_content(self.stream, entries, cursor, evidence)
        raised = self.ports.ledger.load_raised(self.stream)
        self._tell(choice, raised)
        return None if self._has_vanished(raised) else choice.content

    def _refuse(self, terms: Terms, error: ShrunkError | NotCarriedError) -> None:
        now = self.context.now()
        if isinstance(error, ShrunkError) and terms.shrink_id is not None:
            what = f"{self.model.name}, built anew,"
            finding = shrunk(self.stream, terms.shrink_id, what, error.rows_before, error.rows_after, now)
        elif terms.loss is not None:
            finding = replace(terms.loss, reason=f"{terms.loss.reason} ({error.message})")
            # It was said before it was tried.
            said = f"carried:{terms.loss.id.removeprefix('loss:')}"
            raised = self.ports.ledger.load_raised(self.stream)
            self.ports.ledger.close_findings([one for one in raised if one.id == said])
        else:
            return
        self.context.warn(finding.reason, stream=self.stream.id)
        self.ports.ledger.raise_finding(finding)

    def _require_same(self, cursor: Cursor) -> None:
        recorded = cursor.built_by
        differences = recorded.differences(self.stream) if recorded is not None else []
        if differences and not self.options.rebuilds_changed:
            raise ConfigError(
                f"streams/{self.stream.id}: {'; '.join(differences)}, by which {self.model.name} was built. "
                f"Take the change back, or build it anew: lotuslake backfill {self.stream.id}",
                stream=self.stream.id,
            )

    def _tell(self, choice: Choice, raised: Sequence[Finding]) -> None:
        for finding in choice.findings:
            self.ports.ledger.raise_finding(finding)
        now = {finding.id for finding in choice.findings}
        over = [f for f in raised if (f.kind in OF_GENERATIONS or is_of_left(f)) and f.id not in now]
        self.ports.ledger.close_findings(over)

    def _plan(self, cursor: Cursor, *, forced: bool) -> list[Step]:
        # The head first: an entry that is written in between has a higher number and waits for the next plan.
        head = self.ports.ledger.load_head(self.stream)
        entries = self.ports.ledger.load_entries(self.stream)
        content = self.choose(entries, cursor)
        if content is None:
            if forced:
                self.context.warn(f"{self.model.name} is not rebuilt: there is nothing complete", stream=self.stream.id)
            return []
        under_way = self.ports.transformer.load_rebuild(self.model.name)
        outdated = self.is_outdated(cursor, head, content)
        if under_way is not None and under_way.shards > 1 and not forced:
            wanted = (head.epoch, self.build, content.generation_id)
            if outdated and (under_way.epoch, under_way.model_hash, under_way.generation_id) == wanted:
                self.context.log("waits for the backfill that is under way", stream=self.stream.id)
                return []
            # Of what is outdated, a divided rebuild of something else is dropped as the rebuild begins.
            under_way = under_way if outdated else None
        if forced or under_way is not None or outdated:
            terms = self.judge_rebuild(entries, cursor, head, content)
            if terms is not None:
                return self._plan_rebuild(content, cursor, head, under_way, terms)
            if under_way is not None or outdated:
                return []
        self._close_mended(entries, cursor, head, content)
        limits = self.options.limits.capped_by(self.stream.batch)
        steps = plan_merges(self.model.name, content.entries, self._adopting(cursor, content), head, limits)
        made = built_by(self.stream, content.began, since_of(cursor), find_unread(self.stream, entries, cursor, head))
        return with_terms(steps, Terms(made))

    def _has_vanished(self, raised: Sequence[Finding]) -> bool:
        """Whether every object is gone and a person is asked: nothing can be read, and nothing is taken for the new truth."""
        vanished = [finding for finding in raised if finding.kind == "vanished"]
        asked = next((finding for finding in vanished if not self.ports.ledger.is_accepted(finding.id)), None)
        if asked is not None:
            self.context.warn(f"{self.model.name} stays as it is: {asked.reason}", stream=self.stream.id)
        return asked is not None

    def is_outdated(self, cursor: Cursor, head: Head, content: Content) -> bool:
        """Whether merging cannot bring the table up to date."""
        changed = cursor.built_by is not None and bool(cursor.built_by.differences(self.stream))
        return needs_rebuild(cursor, head, self.build) or not content.is_shown or changed

    def judge_rebuild(
        self, entries: Sequence[LedgerEntry], cursor: Cursor, head: Head, content: Content
    ) -> Terms | None:
        """On which terms the content may be built anew; None, and a finding or a warning, where it may not be."""
        judge = RebuildJudge(self.stream, self.build, self.ports, self.options, self.context)
        return judge.judge(entries, cursor, head, content)

    def _plan_rebuild(
        self, content: Content, cursor: Cursor, head: Head, under_way: Rebuild | None, terms: Terms
    ) -> list[Step]:
        entries = content.entries
        limits = self.options.limits.capped_by(self.stream.batch)
        wanted = Rebuild(0, head.seq, head.epoch, self.build, content.generation_id)
        if under_way is not None and (resumed := resume(under_way, wanted, entries)):
            steps = plan_rebuild(self.model.name, entries, cursor, resumed, limits, begun=True)
            # What has gone since it began may have been read by then.
            return with_terms(steps, replace(terms, built_by=built_by(self.stream, content.began, since_of(cursor))))
        steps = plan_rebuild(self.model.name, entries, cursor, wanted, limits, begun=under_way is not None)
        if steps[0].mode == "append":
            self.ports.transformer.begin_rebuild(self.model.name, wanted, instead_of=under_way)
        return with_terms(steps, terms)

    def _adopting(self, cursor: Cursor, content: Content) -> Cursor:
        """A model that was built before the first file came begins with the generation of that file."""
        adopted = content.generation_id if cursor.generation_id is None else cursor.generation_id
        return replace(cursor, generation_id=adopted, model_hash=self.build)

    def _close_mended(self, entries: Sequence[LedgerEntry], cursor: Cursor, head: Head, content: Content) -> None:
        """Close what the table, which stands at ``head``, has already taken in."""
        raised = self.ports.ledger.load_raised(self.stream)
        mended = [] if content.held_back else [finding for finding in raised if is_of_table(finding)]
        mended += [finding for finding in raised if finding.kind == "model" and finding.subject == self.model.name]
        if find_loss(self.stream, entries, cursor, content) is None:
            mended += [finding for finding in raised if finding.kind == "carried"]
        # Looked at again: a finding of a later epoch waits for the rebuild that it asks for.
        if mended and self.ports.ledger.load_head(self.stream).epoch == head.epoch:
            self.ports.ledger.close_findings(mended)
