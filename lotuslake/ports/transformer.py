"""Models: what dbt knows of them, where they stand in the lake, and running one step of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lotuslake.core.finding import TestOutcome
from lotuslake.core.model import Model
from lotuslake.core.stream import Stream
from lotuslake.core.transform_plan import Cursor, Rebuild, Step, TableRows


class Cursors(Protocol):
    """Reads where models stand, without knowing what they are."""

    def load_cursor(self, model: str) -> Cursor:
        """Where a model stands; at the beginning where it was never built."""


class Transformer(Cursors, Protocol):
    """Raises ModelError for SQL that does not build, LostRaceError, UnreachableError as the other ports do."""

    def warm_up(self) -> None:
        """Begin in the background what the first model would wait for; calling it is never needed."""

    def load_models(self) -> dict[str, Model]:
        """The models of the project by name."""

    def prepare(self, models: Sequence[Model]) -> None:
        """Create the cursor tables that are missing."""

    def load_rebuild(self, model: str, part: str = "") -> Rebuild | None:
        """The rebuild under way, if any, or one of its parts; parts `replay_…` are the progress of replays."""

    def begin_rebuild(self, model: str, rebuild: Rebuild, part: str = "", *, instead_of: Rebuild | None = None) -> None:
        """Record a new rebuild, or part of one, in place of the one that was found; without a part, all parts go first.

        Raises:
            LostRaceError: another one than ``instead_of`` is recorded by now.
        """

    def drop_rebuild(self, model: str, part: str = "") -> None:
        """Drop one part, or the rebuild under way with all parts and replays, if any: the live table stays as it is."""

    def count_rows(self, model: str) -> int:
        """How many rows the live table of a model shows; 0 where there is none."""

    def run(self, step: Step, *, stream: Stream | None, run_id: str) -> TableRows | None:
        """Run one step: its rows and its position are one commit. ``stream`` is None for enriched models.

        Returns how many rows a processed table had and has where the step wrote it anew.

        Raises:
            ShrunkError: it would have fewer rows than the step's terms allow; nothing has changed.
            NotCarriedError: rows cannot be carried forward as its terms ask; nothing has changed.
        """

    def test(self, models: Sequence[Model]) -> list[TestOutcome]:
        """Run the data tests of these models."""
