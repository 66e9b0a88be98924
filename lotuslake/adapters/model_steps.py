"""A step as the row that its dbt run reads, and what such a run says when it refuses to end."""

from __future__ import annotations

import re
from typing import Any

from lotuslake.adapters.project_macros import describe_stream
from lotuslake.core.errors import LotusLakeError, NotCarriedError, ShrunkError
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Step

# Steps that write a processed table anew.
WRITTEN_ANEW = frozenset({"replace", "publish"})
_TOO_FEW = re.compile(r"too few rows: (\d+)")
_NOT_CARRIED = re.compile(r"cannot carry: (column .* has another type now)")


def step_values(step: Step, stream: Stream | None, run_id: str) -> dict[str, Any]:
    """The values of `lay_out_step`; enriched models have no stream."""
    return {
        "model": step.model,
        "mode": step.mode,
        "version": step.cursor.version,
        "position": step.position,
        "epoch": step.epoch,
        "generation_id": step.generation_id,
        "model_hash": step.model_hash,
        "rebuild_position": step.rebuild_position,
        "progress": step.progress,
        "part": step.part,
        "shards": step.shards,
        "run_id": run_id,
        **describe_stream(stream),
        "least_rows": step.terms.least_rows,
        "carry_until": step.terms.carry_until and step.terms.carry_until.replace(tzinfo=None),
        "built_by": None if step.terms.built_by is None else str(step.terms.built_by),
    }


def refused(text: str, model: str, rows_before: int) -> LotusLakeError | None:
    """What the step's own guards say; None for a model that does not build."""
    if too_few := _TOO_FEW.search(text):
        return ShrunkError(model, rows_before, int(too_few[1]))
    not_carried = _NOT_CARRIED.search(text)
    return NotCarriedError(not_carried[1]) if not_carried else None
