"""`status`: reads, and pushes when told."""

from datetime import UTC, datetime

from lotuslake.commands.context import RunContext
from lotuslake.commands.status import status
from lotuslake.core.lake_state import LakeState

NOW = datetime(2026, 11, 20, tzinfo=UTC)
CONTEXT = RunContext(run_id="run", command="status", now=lambda: NOW, should_end=lambda: False)


class Reader:
    def load_state(self) -> LakeState:
        return LakeState(snapshots=4)


class Sink:
    def __init__(self) -> None:
        self.pushed: list[str] = []

    def push(self, text: str) -> None:
        self.pushed.append(text)


def test_reads() -> None:
    assert status(Reader(), None, CONTEXT).snapshots == 4


def test_pushes_when_told() -> None:
    sink = Sink()
    assert status(Reader(), sink, CONTEXT).snapshots == 4
    (text,) = sink.pushed
    assert "lotuslake_snapshots 4\n" in text
