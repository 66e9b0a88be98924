"""Models in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lotuslake.core.backfill_plan import shard_part
from lotuslake.core.errors import LostRaceError, ModelError, ShrunkError
from lotuslake.core.finding import TestOutcome
from lotuslake.core.model import Model
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor, Rebuild, Step, TableRows
from lotuslake.testing.files import Row
from lotuslake.testing.newest_wins import newest_versions, raw_ids_without_key, with_version

if TYPE_CHECKING:
    from lotuslake.testing.lake import MemoryLake


class MemoryTransformer:
    """See the Transformer port."""

    def __init__(self, lake: MemoryLake) -> None:
        self._lake = lake

    def warm_up(self) -> None:
        """See Transformer."""

    def load_models(self) -> dict[str, Model]:
        """See Transformer."""
        with self._lake.calling("transformer.load_models"):
            return {name: model.model for name, model in self._lake.models.items()}

    def prepare(self, models: Sequence[Model]) -> None:
        """See Transformer."""
        with self._lake.calling("transformer.prepare"):
            for model in models:
                self._lake.cursors.setdefault(model.name, Cursor())

    def load_cursor(self, model: str) -> Cursor:
        """See Transformer."""
        with self._lake.calling("transformer.load_cursor"):
            return self._lake.cursors.get(model, Cursor())

    def load_rebuild(self, model: str, part: str = "") -> Rebuild | None:
        """See Transformer."""
        with self._lake.calling("transformer.load_rebuild"):
            found = self._lake.rebuilds.get((model, part))
            return found[0] if found else None

    def begin_rebuild(self, model: str, rebuild: Rebuild, part: str = "", *, instead_of: Rebuild | None = None) -> None:
        """See Transformer."""
        with self._lake.calling("transformer.begin_rebuild"):
            found, _ = self._lake.rebuilds.get((model, part), (None, []))
            if found != instead_of:
                raise LostRaceError(f"another process has begun a rebuild of {model}")
            self._drop(model, part)
            self._lake.rebuilds[model, part] = rebuild, []

    def drop_rebuild(self, model: str, part: str = "") -> None:
        """See Transformer."""
        with self._lake.calling("transformer.drop_rebuild"):
            self._drop(model, part)

    def _drop(self, model: str, part: str = "") -> None:
        for key in [key for key in self._lake.rebuilds if key[0] == model and part in ("", key[1])]:
            del self._lake.rebuilds[key]

    def count_rows(self, model: str) -> int:
        """See Transformer."""
        with self._lake.calling("transformer.count_rows"):
            return len(self._lake.tables.get(model, []))

    def run(self, step: Step, *, stream: Stream | None, run_id: str) -> TableRows | None:  # noqa: ARG002  (part of the port)
        """See Transformer. Any exception that a model's function raises is a ModelError."""
        with self._lake.calling("transformer.run"):
            try:
                rows = self._rows(step, stream)
                null_keys = self._count_null_keys(step, stream)
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                raise ModelError(f"model {step.model} does not build: {error!r}") from error
            before = len(self._lake.tables.get(step.model, []))
            if step.terms.least_rows is not None and step.mode != "append" and len(rows) < step.terms.least_rows:
                raise ShrunkError(step.model, before, len(rows))
            self._commit(step, rows)
            self._lake.cursors[step.model] = replace(self._lake.cursors[step.model], null_keys=null_keys)
        return TableRows(before, len(rows)) if step.mode in ("replace", "publish") else None

    def test(self, models: Sequence[Model]) -> list[TestOutcome]:
        """See Transformer."""
        with self._lake.calling("transformer.test"):
            names = {model.name for model in models}
            return [
                TestOutcome(
                    test.name, test.model, self._streams_above(test.model), "fail" if wrong else "pass", len(wrong)
                )
                for test in self._lake.tests
                if test.model in names
                for wrong in [test.find(self._lake.tables.get(test.model, []))]
            ]

    def _rows(self, step: Step, stream: Stream | None) -> list[Row]:
        """What the table that the step writes holds afterwards."""
        self._guard(step)
        model = self._lake.models[step.model]
        if stream is None:
            return model.build(self._lake.tables)
        incoming = self._incoming(step, stream)
        match step.mode:
            case "merge" | "replay":
                return newest_versions(stream, [*incoming, *self._lake.tables[step.model]])
            case "append":
                return [*self._lake.rebuilds[step.model, step.part][1], *incoming]
            case _:
                return newest_versions(stream, [*incoming, *self._carried(step)])

    def _carried(self, step: Step) -> list[Row]:
        """Rows of the live table that go on in the one that takes its place. All columns have any type here."""
        until = step.terms.carry_until
        if until is None:
            return []
        live = self._lake.tables[step.model]
        return [
            row
            for row in live
            if row["_airbyte_extracted_at"] is None
            or datetime.fromisoformat(row["_airbyte_extracted_at"]).replace(tzinfo=UTC) <= until
        ]

    def _incoming(self, step: Step, stream: Stream) -> list[Row]:
        """The rows that the step reads: those of its files, or what was staged of a rebuild."""
        if step.mode == "publish":
            return [row for part in _parts(step) for row in self._lake.rebuilds[step.model, part][1]]
        select = self._lake.models[step.model].select
        read = (row for entry in step.entries for row in self._lake.landing.read(entry))
        return [with_version(stream, select(row)) for row in read]

    def _count_null_keys(self, step: Step, stream: Stream | None) -> int | None:
        """The cursor's count of records without a key after the step, as the macros count them.

        What is dropped shows in no table: each batch counts its own, and a replay brings nothing new.
        """
        before = self._lake.cursors[step.model].null_keys
        if stream is None or step.mode == "append":
            return before
        found = raw_ids_without_key(stream, self._incoming(step, stream))
        if step.mode not in ("merge", "replay"):
            return len(found) if found or before is not None else None
        if stream.null_keys == "drop" and step.mode == "replay":
            return before
        found -= raw_ids_without_key(stream, self._lake.tables[step.model])
        return (before or 0) + len(found) if found else before

    def _guard(self, step: Step) -> None:
        """Refuse a step that was planned from what is no longer so."""
        if step.mode != "append" and self._lake.cursors[step.model].version != step.cursor.version:
            raise LostRaceError(f"another process has moved {step.model}")
        planned = (step.rebuild_position, step.epoch, step.model_hash, step.generation_id)
        for part in _parts(step):
            rebuild, _ = self._lake.rebuilds.get((step.model, part), (None, []))
            if rebuild is None or planned != (
                rebuild.position,
                rebuild.epoch,
                rebuild.model_hash,
                rebuild.generation_id,
            ):
                raise LostRaceError(f"another process has moved the rebuild of {step.model}")

    def _commit(self, step: Step, rows: list[Row]) -> None:
        if step.progress is not None:
            rebuild, _ = self._lake.rebuilds[step.model, step.part]
            staged = rows if step.mode == "append" else []
            self._lake.rebuilds[step.model, step.part] = replace(rebuild, position=step.progress), staged
        if step.mode == "append":
            return
        if step.mode == "publish":
            self._drop(step.model)
        if step.mode == "replay" and step.progress is None:
            del self._lake.rebuilds[step.model, step.part]
        upstreams = sorted(self._lake.models[step.model].model.upstreams)
        self._lake.tables[step.model] = rows
        self._lake.cursors[step.model] = Cursor(
            version=step.cursor.version + 1,
            position=step.position,
            epoch=step.epoch,
            generation_id=step.generation_id,
            model_hash=step.model_hash,
            upstreams=tuple((name, self._lake.cursors[name].version) for name in upstreams),
            built_by=step.terms.built_by,
        )

    def _streams_above(self, model: str) -> tuple[str, ...]:
        above = set(self._above([model]))
        return tuple(sorted(id_ for id_, stream in self._lake.streams.items() if stream.processed_model in above))

    def _above(self, names: Iterable[str]) -> Iterable[str]:
        for name in names:
            yield name
            yield from self._above(self._lake.models[name].model.upstreams)


def _parts(step: Step) -> list[str]:
    """The parts of a rebuild that the step goes on with: all of them when it publishes."""
    match step.mode:
        case "append" | "replay":
            return [step.part]
        case "publish":
            return [shard_part(number) for number in range(step.shards)] if step.shards > 1 else [""]
        case _:
            return []
